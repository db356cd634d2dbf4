using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks calls of functions, helpers and kfuncs, and returns. Static functions are verified where they are called, with what
/// the caller passes, and so are global ones whose types are not known.
/// </summary>
internal sealed class CallChecker(VerifierEnvironment environment, StatePruning pruning)
{
    private readonly FunctionChecker _functions = new(environment);
    private readonly CallbackChecker _callbacks = new(environment);
    private readonly IteratorChecker _iterators = new(environment);
    private readonly GlobalFunctionChecker _globals = new(environment);

    /// <summary>A call of a helper.</summary>
    public void CheckHelperCall(Instruction instruction)
    {
        var helper = HelperTable.Find(instruction.Immediate) ?? throw RejectHelper(instruction.Immediate);
        _functions.Check(helper);
        if (helper.Id == MapRules.TailCall)
        {
            CheckTailCall();
        }
    }

    private VerificationException RejectHelper(int id) =>
        RefusedHelper.Find(id) is { } refused
            ? environment.Reject($"helper {refused.FullName} (number {id}) is not supported: {refused.Reason}")
        : HelperNames.Find(id) is { } name
            ? environment.Reject($"helper bpf_{name} (number {id}) is not one for XDP programs")
        : environment.Reject($"there is no helper {id}");

    /// <summary>A call of a kfunc. One that is weak and not there may be called only where the program never comes to.</summary>
    public void CheckKfuncCall(Instruction instruction)
    {
        var name = environment.Program.Kfuncs[instruction.Immediate].Name;
        var kfunc =
            KfuncTable.Find(name)
            ?? throw environment.Reject(
                $"kfunc {name} is not supported",
                "where the program can do without it, declare it __weak and ask bpf_ksym_exists() before the call"
            );
        if (kfunc.Returns != ReturnType.IteratorElementOrNull)
        {
            _functions.Check(kfunc);
            return;
        }
        // The call leaves nothing in r1.
        environment.Read(1);
        var iterator = _iterators.Find(1);
        _functions.Check(kfunc);
        _iterators.Advance(iterator, pruning);
    }

    /// <summary>A call of a function of the program.</summary>
    /// <returns>The slot to go on at: the function's first, or behind the call of what is verified on its own.</returns>
    public int CheckLocalCall(Instruction instruction)
    {
        var state = environment.State;
        var target = instruction.CallTarget(environment.Slot);
        var function = environment.Flow.FunctionOf(target);
        if (environment.Flow.Functions[function].Prototype is { } prototype)
        {
            _globals.CheckCall(function, prototype);
            return environment.Slot + 1;
        }
        if (state.Depth + 1 >= VerifierState.MaxFrames)
        {
            throw environment.Reject($"calls are nested deeper than {VerifierState.MaxFrames} functions");
        }
        environment.Record(crossing: FrameCrossing.Calls);
        var caller = state.Registers;
        var callee = state.Push(function, environment.Slot).Registers;
        caller.AsSpan(1, 5).CopyTo(callee.AsSpan(1, 5));
        ClearCallerSaved(caller);
        return target;
    }

    /// <summary>The end of a function.</summary>
    /// <returns>The slot to go on at, behind the call; -1 when the program ends.</returns>
    public int CheckExit()
    {
        var state = environment.State;
        var callback = state.Current.Callback;
        if (callback != CallbackKind.None)
        {
            _callbacks.CheckResult(callback);
        }
        if (state.Depth == 0)
        {
            CheckResult(environment.Read(0));
            environment.References.CheckNothingHeld("the program ends", endsProgram: true);
            return -1;
        }
        if (callback != CallbackKind.None)
        {
            return ReturnToHelper(state);
        }
        environment.Record(crossing: FrameCrossing.Returns);
        state.ForgetBuffers();
        return Return(state, state.Registers[0]);
    }

    /// <summary>Forgets r0 to r5, as every call does.</summary>
    public static void ClearCallerSaved(RegisterState[] registers) => registers.AsSpan(0, 6).Clear();

    /// <summary>The program may return anything, a function that is verified on its own only what its callers take it for.</summary>
    private void CheckResult(in RegisterState result)
    {
        if (environment.State.Current.Function != 0 && !result.IsScalar)
        {
            throw environment.Reject($"a global function returns {result.Describe()}, not a number");
        }
    }

    /// <summary>Goes from the end of a function that was called back to the call, which may call it once more.</summary>
    private int ReturnToHelper(VerifierState state)
    {
        environment.Record(crossing: FrameCrossing.ReturnsToHelper);
        var callSite = state.Current.CallSite;
        state.ForgetBuffers();
        state.Depth--;
        if (pruning.FindPrevious(state, callSite) is { } previous)
        {
            Widening.Widen(previous, state);
        }
        return callSite;
    }

    private int Return(VerifierState state, in RegisterState result)
    {
        if (result.Type == RegisterType.Stack)
        {
            throw environment.Reject("a function returns a pointer to the stack, which is gone when it has returned");
        }
        var callSite = state.Current.CallSite;
        state.Depth--;
        state.Registers[0] = result;
        return callSite + 1;
    }

    /// <summary>
    /// A tail call comes back only when it failed, and then it did nothing: packet pointers stay valid. One made in a
    /// function that was called replaces that function alone: its caller goes on with whatever the other program returned
    /// and did to the packet.
    /// </summary>
    private void CheckTailCall()
    {
        var state = environment.State;
        environment.References.CheckNothingHeld("a tail call", endsProgram: state.Depth == 0);
        if (state.Current.Callback != CallbackKind.None)
        {
            throw environment.Reject(
                "a tail call in a function that is called back: it could return anything in that one's place"
            );
        }
        environment.Functions[state.Current.Function].MakesTailCall = true;
        if (state.Depth == 0)
        {
            return;
        }
        var returned = environment.PushBranch(state.Current.CallSite + 1);
        returned.History.LastReturns();
        // Slices that may be in its stack among them.
        returned.ForgetPackets();
        Return(returned, RegisterState.Unknown);
    }
}
