using RxStages.Bpf.Helpers;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Follows helpers into the functions of the program that they call back, after the kernel's <c>push_callback_call</c>. How
/// often a function is called is not known: a path goes on as if it were not called, and another goes into the function and
/// from its end back to the call of the helper, until nothing new comes of it.
/// </summary>
internal sealed class CallbackChecker(VerifierEnvironment environment)
{
    /// <summary>What a helper relies on to know how often to call back; asked for before the call is recorded.</summary>
    public void MarkRelied(CallbackKind kind)
    {
        if (kind == CallbackKind.Loop)
        {
            environment.Precision.Mark(1);
        }
    }

    /// <summary>A helper's arguments are checked: the function in r2 may be called now, or later by a timer.</summary>
    /// <param name="kind">How it is called.</param>
    /// <param name="map">The index of the map among the arguments or that a timer is in, or -1.</param>
    public void Check(CallbackKind kind, int map)
    {
        var caller = environment.State.Current;
        var function = caller.Registers[2].Function;
        if (!environment.Callbacks.TryGetValue(environment.Slot, out var functions))
        {
            environment.Callbacks.Add(environment.Slot, functions = []);
        }
        functions.Add(function);
        if (kind == CallbackKind.Timer)
        {
            environment.Functions[function].IsAsyncCallback = true;
            var started = environment.PushFunction(function);
            started.Callback = kind;
            started.AsyncEntries = environment.State.Frame(0).AsyncEntries + 1;
            PassArguments(kind, caller.Registers, started.Registers, map);
            return;
        }
        if (kind == CallbackKind.Loop && (ulong)caller.CallbackDepth >= caller.Registers[1].Bounds.Max)
        {
            caller.CallbackDepth = 0;
            return;
        }
        if (environment.State.Depth + 1 >= VerifierState.MaxFrames)
        {
            throw environment.Reject($"calls are nested deeper than {VerifierState.MaxFrames} functions");
        }
        var called = environment.PushBranch(environment.Flow.Functions[function].Start);
        called.History.LastCallsBack();
        called.CallbacksEntered++;
        called.Current.CallbackDepth++;
        var frame = called.Push(function, environment.Slot);
        frame.Callback = kind;
        PassArguments(kind, caller.Registers, frame.Registers, map);
        caller.CallbackDepth = 0;
    }

    /// <summary>Checks what a function that was called back returns (<c>callback_ret_range</c>).</summary>
    public void CheckResult(CallbackKind kind)
    {
        ref readonly var result = ref environment.Read(0);
        if (!result.IsScalar)
        {
            throw environment.Reject($"a function that is called back returns {result.Describe()}, not a number");
        }
        environment.Precision.Mark(0);
        var most = kind == CallbackKind.Timer ? 0 : 1;
        if (result.Bounds.SignedMin < 0 || result.Bounds.SignedMax > most)
        {
            throw environment.Reject(
                kind == CallbackKind.Timer
                    ? $"the function that a timer calls returns {result.Bounds}, but must return 0"
                    : $"a function that is called back returns {result.Bounds}, but must return 0 (go on) or 1 (end)"
            );
        }
    }

    private static void PassArguments(CallbackKind kind, RegisterState[] caller, RegisterState[] callee, int map)
    {
        switch (kind)
        {
            case CallbackKind.Loop:
                callee[1] = RegisterState.Unknown;
                callee[2] = caller[3];
                break;
            case CallbackKind.ForEachMapElement:
                callee[1] = caller[1];
                PassElement(callee, map);
                callee[3].InnerMap = caller[1].InnerMap;
                callee[4] = caller[3];
                break;
            case CallbackKind.Timer:
                callee[1] = RegisterState.Pointer(RegisterType.MapPointer);
                callee[1].Map = map;
                PassElement(callee, map);
                break;
        }
    }

    private static void PassElement(RegisterState[] callee, int map)
    {
        callee[2] = RegisterState.Pointer(RegisterType.MapKey);
        callee[2].Map = map;
        callee[3] = RegisterState.Pointer(RegisterType.MapValue);
        callee[3].Map = map;
    }
}
