using System.Reflection.Emit;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>Compiles code that is not verified, function by function.</summary>
internal sealed unsafe class CheckedCompiler
{
    private static readonly Type[] Parameters =
    [
        typeof(CheckedMachine*),
        typeof(CheckedProgram),
        typeof(ulong),
        typeof(ulong),
        typeof(ulong),
        typeof(ulong),
        typeof(ulong),
    ];

    private readonly Dictionary<int, DynamicMethod> _methods = [];
    private readonly Queue<int> _pending = new();

    /// <summary>Takes the instructions.</summary>
    public CheckedCompiler(ReadOnlySpan<Instruction> instructions) =>
        Code = new Code("program", instructions, facts: null);

    /// <summary>The instructions.</summary>
    public Code Code { get; }

    /// <summary>The method of the function that starts at a slot. Functions may call each other in circles.</summary>
    public DynamicMethod MethodOf(int start)
    {
        if (start < 0 || start >= Code.Length)
        {
            throw new InputException(Code.Name, null, $"a call goes to slot {start}, outside of the program");
        }
        if (!_methods.TryGetValue(start, out var method))
        {
            method = ProgramCompiler.Define($"checked@{start}", typeof(ulong), Parameters);
            _methods.Add(start, method);
            _pending.Enqueue(start);
        }
        return method;
    }

    /// <summary>Emits the entry function and all that it calls.</summary>
    public DynamicMethod Compile()
    {
        var entry = MethodOf(0);
        while (_pending.TryDequeue(out var start))
        {
            Emit(_methods[start], start);
        }
        return entry;
    }

    private void Emit(DynamicMethod method, int start)
    {
        var il = method.GetILGenerator();
        var flow = new FunctionFlow(Code, start, CallReads);
        var stackTop = il.DeclareLocal(typeof(ulong));
        var body = new BodyEmitter(il, Code, Region.Whole(flow), new CheckedFrame(il, this, stackTop));
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4, start);
        il.Emit(OpCodes.Call, typeof(CheckedMachine).GetMethod(nameof(CheckedMachine.Enter))!);
        il.Emit(OpCodes.Stloc, stackTop);
        for (var register = 0; register < RegisterSet.FramePointer; register++)
        {
            if ((flow.LiveBefore(start) & (1 << register)) == 0)
            {
                continue;
            }
            if (register is >= 1 and <= 5)
            {
                il.Emit(OpCodes.Ldarg, (short)(register + 1));
            }
            else
            {
                il.Emit(OpCodes.Ldc_I8, 0L);
            }
            body.Registers.StoreAtEntry(start, register);
        }
        il.Emit(OpCodes.Br, body.LabelOf(start));
        body.Emit();
    }

    private int CallReads(int slot)
    {
        var call = Code[slot];
        return call.Opcode == Opcode.CallRegister
            ? RegisterSet.Arguments(5) | (1 << call.CalledRegister)
            : RegisterSet.Arguments(5);
    }
}
