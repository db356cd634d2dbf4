using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Compilation;

/// <summary>Compiles one verified program: its loop over the vector, and its functions as the code comes to call them.</summary>
internal sealed unsafe class ProgramCompiler
{
    /// <summary>
    /// Parameters of the method that runs a vector. The first is there for the delegate alone: one with a target calls
    /// without shuffling arguments.
    /// </summary>
    public static readonly Type[] VectorParameters =
    [
        typeof(object),
        typeof(XdpBuff**),
        typeof(uint*),
        typeof(int),
        typeof(BpfRuntime*),
    ];

    private static readonly Type[] FunctionTypes =
    [
        typeof(Func<,,>),
        typeof(Func<,,,>),
        typeof(Func<,,,,>),
        typeof(Func<,,,,,>),
        typeof(Func<,,,,,,>),
        typeof(Func<,,,,,,,>),
    ];

    private readonly VerifiedProgram _program;
    private readonly ImmutableArray<Map> _maps;
    private readonly CompilerOptions _options;
    private readonly Dictionary<int, CompiledFunction> _functions = [];
    private readonly List<(DynamicMethod Method, Type Delegate)> _functionMethods = [];
    private readonly Dictionary<CompiledFunction, CompiledTimerFunction> _timerFunctions = [];

    /// <summary>Takes the program and its maps, in the order in which its wide loads count them.</summary>
    public ProgramCompiler(VerifiedProgram program, ImmutableArray<Map> maps, CompilerOptions options)
    {
        _program = program;
        _maps = maps;
        _options = options;
        Code = new Code(program.Spec.Name, program.Spec.Instructions.AsSpan(), program.Facts);
        foreach (var function in program.Functions)
        {
            _functions.Add(function.Start, new CompiledFunction(function));
        }
    }

    /// <summary>The instructions.</summary>
    public Code Code { get; }

    /// <summary>On how many CPUs the code may run (<see cref="VerifiedProgram.CpuCount"/>).</summary>
    public int CpuCount => _program.CpuCount;

    /// <summary>How many arguments a helper or kfunc reads.</summary>
    public static int ArgumentCount(FunctionDefinition helper) =>
        // What it prints is behind the arguments that it declares.
        helper is HelperDefinition { Id: CallEmitter.TracePrintk }
            ? 5
            : helper.Arguments.Length;

    /// <summary>Makes an empty method.</summary>
    public static DynamicMethod Define(string name, Type result, Type[] parameters) =>
        new(name, result, parameters, typeof(ProgramCompiler).Module, skipVisibility: true) { InitLocals = false };

    /// <summary>The helper or kfunc that a call names.</summary>
    public FunctionDefinition Called(int slot) =>
        CalledFunction.Find(_program.Spec, Code[slot]) ?? throw Code.Error(slot, "calls by register are not supported");

    /// <summary>The functions that a call calls back; none when it is known to go round no loop at all.</summary>
    public IReadOnlyList<CompiledFunction> CallbacksOf(int slot) =>
        [
            .. _program
                .Callbacks[slot]
                .Select(index => _program.Functions[index].Start)
                .Where(start => Code.Facts(start).IsReachable)
                .Select(FunctionAt),
        ];

    /// <summary>The one map that a helper call works on, or null when it is not the same on all paths.</summary>
    public Map? MapOfCall(int slot) =>
        Code.Facts(slot).MapIndexPlusOne is > 0 and var number ? _maps[number - 1] : null;

    /// <summary>The functions that timers call, as the code refers to them.</summary>
    public IReadOnlyCollection<CompiledTimerFunction> TimerFunctions => _timerFunctions.Values;

    /// <summary>What stands for a function in code that has a timer call it.</summary>
    public nint TimerFunctionOf(CompiledFunction function)
    {
        if (!_timerFunctions.TryGetValue(function, out var callback))
        {
            // First, since a function may set its own timer's function.
            _timerFunctions.Add(function, callback = new CompiledTimerFunction());
            callback.Emit(this, function);
        }
        return callback.Handle;
    }

    /// <summary>The function that starts at a slot.</summary>
    public CompiledFunction FunctionAt(int start)
    {
        var function = _functions[start];
        function.Flow ??= new FunctionFlow(Code, start, CallReads);
        return function;
    }

    /// <summary>The method of a function; compiled when it is first asked for.</summary>
    public DynamicMethod MethodOf(CompiledFunction function) => function.Method ??= EmitFunction(function);

    /// <summary>The value of the wide load at a slot.</summary>
    public long WideValue(int slot)
    {
        var low = Code[slot];
        var high = Code[slot + 1];
        switch (low.Source)
        {
            case PseudoLoad.Constant:
                return ((long)high.Immediate << 32) | (uint)low.Immediate;
            case PseudoLoad.Function:
                // What stands for a function's address is its number.
                return low.CallTarget(slot);
            case PseudoLoad.MapIndex:
                return (long)_maps[low.Immediate].Header;
            case PseudoLoad.MapIndexValue when _maps[low.Immediate] is ArrayMap array:
                return (long)array.Values + high.Immediate;
            default:
                throw Code.Error(slot, $"wide loads of kind {low.Source} are not supported");
        }
    }

    /// <summary>Emits the loop over a vector.</summary>
    public DynamicMethod EmitVector()
    {
        var function = FunctionAt(0);
        var method = Define(Code.Name, typeof(void), VectorParameters);
        var il = method.GetILGenerator();
        var packet = il.DeclareLocal(typeof(XdpBuff*));
        var result = il.DeclareLocal(typeof(uint));
        var index = il.DeclareLocal(typeof(nint));
        var stack = new LocalStack(il, function.Verified.StackDepth);
        var condition = il.DefineLabel();
        var body = il.DefineLabel();
        var done = il.DefineLabel();
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Stloc, index);
        il.Emit(OpCodes.Br, condition);
        il.MarkLabel(body);
        LoadElement(OpCodes.Ldarg_1, sizeof(XdpBuff*));
        il.Emit(OpCodes.Ldind_I);
        il.Emit(OpCodes.Stloc, packet);
        if (MakesTailCalls || Calls(TimeHelpers.IsClock))
        {
            il.Emit(OpCodes.Ldarg, 4);
            il.Emit(OpCodes.Ldloc, packet);
            il.Emit(OpCodes.Stfld, typeof(BpfRuntime).GetField(nameof(BpfRuntime.Packet))!);
        }
        if (MakesTailCalls)
        {
            il.Emit(OpCodes.Ldarg, 4);
            il.Emit(OpCodes.Ldflda, typeof(BpfRuntime).GetField(nameof(BpfRuntime.TailCallCount))!);
            il.Emit(OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Stind_I4);
        }
        EmitBody(
            il,
            function,
            stack,
            new VectorFrame(il, this, stack, packet, result, done),
            // r1 is the context; a helper that takes what is in all argument registers may find nothing in others.
            register =>
            {
                if (register == 1)
                {
                    il.Emit(OpCodes.Ldloc, packet);
                    il.Emit(OpCodes.Conv_U8);
                }
                else
                {
                    il.Emit(OpCodes.Ldc_I8, 0L);
                }
            }
        );
        il.MarkLabel(done);
        LoadElement(OpCodes.Ldarg_2, sizeof(uint));
        il.Emit(OpCodes.Ldloc, result);
        il.Emit(OpCodes.Stind_I4);
        EmitRedirectHandOver(il, packet, result);
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, index);
        il.MarkLabel(condition);
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Ldarg_3);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Blt, body);
        il.Emit(OpCodes.Ret);
        return method;

        void LoadElement(OpCode loadBase, int size)
        {
            il.Emit(loadBase);
            il.Emit(OpCodes.Ldloc, index);
            il.Emit(OpCodes.Ldc_I4, size);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Add);
        }
    }

    /// <summary>The method of the entry function for one packet.</summary>
    public DynamicMethod EmitTail()
    {
        var entry = FunctionAt(0);
        var method = Define(Code.Name + "/tail", typeof(ulong), [typeof(XdpBuff*), typeof(BpfRuntime*)]);
        var il = method.GetILGenerator();
        var stack = new LocalStack(il, entry.Verified.StackDepth);
        EmitBody(
            il,
            entry,
            stack,
            new FunctionFrame(il, this, stack),
            register =>
            {
                if (register == 1)
                {
                    il.Emit(OpCodes.Ldarg_0);
                    il.Emit(OpCodes.Conv_U8);
                }
                else
                {
                    il.Emit(OpCodes.Ldc_I8, 0L);
                }
            }
        );
        return method;
    }

    /// <summary>Has RyuJIT compile all functions and chunks now, not when the first packet comes to them.</summary>
    public void Prepare()
    {
        foreach (var (method, type) in _functionMethods)
        {
            RuntimeHelpers.PrepareDelegate(method.CreateDelegate(type));
        }
        foreach (var function in _functions.Values)
        {
            function.Chunks?.Prepare();
        }
        foreach (var callback in _timerFunctions.Values)
        {
            callback.Prepare();
        }
    }

    /// <summary>
    /// True when something that the code calls asks for what only a run knows: its packet's time, the end of its stack,
    /// structures made for it. Kfuncs may, and programs that it jumps into.
    /// </summary>
    public bool AsksOfRun =>
        MakesTailCalls
        || !_program.Spec.Kfuncs.IsEmpty
        || Calls(helper => TimeHelpers.IsClock(helper) || HelperTable.Find(helper) is not { ReadsAnyAddress: false });

    private bool MakesTailCalls => Calls(helper => helper == CallEmitter.TailCall);

    private bool Calls(Func<int, bool> isOne)
    {
        for (var slot = 0; slot < Code.Length; slot = Code.Next(slot))
        {
            if (Code[slot].IsHelperCall && isOne(Code[slot].Immediate))
            {
                return true;
            }
        }
        return false;
    }

    // Parameters are native integers, not pointers, so that there are delegate types by which RyuJIT can be called early.
    private DynamicMethod EmitFunction(CompiledFunction function)
    {
        var parameters = function.Parameters;
        Type[] types = [typeof(nint), typeof(nint), .. parameters.Select(_ => typeof(ulong))];
        var method = Define($"{Code.Name}@{function.Verified.Start}", typeof(ulong), types);
        _functionMethods.Add((method, FunctionTypes[parameters.Length].MakeGenericType([.. types, typeof(ulong)])));
        var il = method.GetILGenerator();
        var stack = new LocalStack(il, function.Verified.StackDepth);
        EmitBody(
            il,
            function,
            stack,
            new FunctionFrame(il, this, stack),
            register =>
            {
                if (parameters.IndexOf(register) is >= 0 and var index)
                {
                    il.Emit(OpCodes.Ldarg, (short)(index + 2));
                }
                else
                {
                    il.Emit(OpCodes.Ldc_I8, 0L);
                }
            }
        );
        return method;
    }

    private void EmitBody(
        ILGenerator il,
        CompiledFunction function,
        LocalStack stack,
        VerifiedFrame frame,
        Action<int> loadInitial
    )
    {
        if (function.Verified.ReadsUninitializedStack)
        {
            stack.Clear();
        }
        var flow = function.Flow!;
        function.Plan ??= new ChunkPlan(Code, flow, _options.Limits);
        if (function.Plan.IsChunked)
        {
            function.Chunks ??= new ChunkedFunction(this, function.Plan, $"{Code.Name}@{flow.Start}");
            function.Chunks.EmitDispatch(il, frame, loadInitial);
            return;
        }
        if (flow.HasMayGoto)
        {
            frame.StartMayGoto();
        }
        var body = new BodyEmitter(il, Code, function.Plan.Regions[0], frame);
        for (var register = 0; register < RegisterSet.FramePointer; register++)
        {
            if ((flow.LiveBefore(flow.Start) & (1 << register)) != 0)
            {
                loadInitial(register);
                body.Registers.StoreAtEntry(flow.Start, register);
            }
        }
        body.Emit();
    }

    // xdp_do_redirect uses up what the helper chose, at the end of each packet's program.
    private static void EmitRedirectHandOver(ILGenerator il, LocalBuilder packet, LocalBuilder result)
    {
        var chosen = typeof(BpfRuntime).GetField(nameof(BpfRuntime.Redirect))!;
        var over = il.DefineLabel();
        il.Emit(OpCodes.Ldloc, result);
        il.Emit(OpCodes.Ldc_I4, (int)XdpAction.Redirect);
        il.Emit(OpCodes.Bne_Un, over);
        il.Emit(OpCodes.Ldloc, packet);
        il.Emit(OpCodes.Ldflda, typeof(XdpBuff).GetField(nameof(XdpBuff.Redirect))!);
        il.Emit(OpCodes.Ldarg, 4);
        il.Emit(OpCodes.Ldflda, chosen);
        il.Emit(OpCodes.Cpobj, typeof(RedirectTarget));
        il.Emit(OpCodes.Ldarg, 4);
        il.Emit(OpCodes.Ldflda, chosen);
        il.Emit(OpCodes.Initobj, typeof(RedirectTarget));
        il.MarkLabel(over);
    }

    private int CallReads(int slot)
    {
        var call = Code[slot];
        if (call.IsLocalCall)
        {
            return FunctionAt(call.CallTarget(slot)).ParameterMask;
        }
        var helper = Called(slot);
        var mask = RegisterSet.Arguments(ArgumentCount(helper));
        // A map that is known is a constant, and the packet of a tail call is the method's own.
        if (helper is HelperDefinition { Id: CallEmitter.TailCall })
        {
            mask &= ~RegisterSet.Arguments(1);
        }
        // So is the one function that is ever called back.
        if (
            helper.Implementation is null
            && _program.Callbacks.TryGetValue(slot, out var callbacks)
            && callbacks.Length == 1
        )
        {
            mask &= ~(1 << CallbackEmitter.FunctionRegister);
        }
        if (MapOfCall(slot) is not null)
        {
            for (var index = 0; index < helper.Arguments.Length; index++)
            {
                if (helper.Arguments[index] == ArgumentType.ConstMapPointer && IsSpecialised(helper))
                {
                    mask &= ~(2 << index);
                }
            }
        }
        return mask;
    }

    private static bool IsSpecialised(FunctionDefinition function) =>
        function is HelperDefinition helper
        && helper.Id
            is CallEmitter.MapLookupElement
                or CallEmitter.MapUpdateElement
                or CallEmitter.MapDeleteElement
                or CallEmitter.TailCall
                or CallEmitter.RedirectMap
                or CallEmitter.ForEachMapElement;
}

/// <summary>A function on its way from verified to compiled.</summary>
/// <param name="verified">What the verifier knows of it.</param>
internal sealed class CompiledFunction(VerifiedFunction verified)
{
    /// <summary>What the verifier knows of it.</summary>
    public VerifiedFunction Verified { get; } = verified;

    /// <summary>Its control flow, once it is known.</summary>
    public FunctionFlow? Flow { get; set; }

    /// <summary>How it is cut, once it is known.</summary>
    public ChunkPlan? Plan { get; set; }

    /// <summary>Its chunks, if it is cut and they are emitted.</summary>
    public ChunkedFunction? Chunks { get; set; }

    /// <summary>Its method, if it is called and emitted.</summary>
    public DynamicMethod? Method { get; set; }

    /// <summary>The argument registers that it reads (bit n is register n).</summary>
    public int ParameterMask => Flow!.LiveBefore(Flow.Start) & RegisterSet.Arguments(5);

    /// <summary>The argument registers that it reads, ascending.</summary>
    public ImmutableArray<int> Parameters =>
        [.. Enumerable.Range(1, 5).Where(register => (ParameterMask & (1 << register)) != 0)];
}
