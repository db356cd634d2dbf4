using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// A function that is compiled in chunks, each a method
/// <c>int Chunk(XdpBuff* packet, BpfRuntime* runtime, ulong* registers, byte* stackTop, int entry)</c>. The registers pass from
/// chunk to chunk through a block of memory; a chunk returns the number of the entry at which the function goes on.
/// </summary>
internal sealed unsafe class ChunkedFunction
{
    /// <summary>What a chunk returns when the function has ended: r0 is in the block.</summary>
    public const int Finished = -1;

    /// <summary>The place in the block, of a register that is never there, that counts the rounds left to <c>may_goto</c>.</summary>
    public const int MayGotoRounds = RegisterSet.FramePointer;

    private static readonly Type[] Parameters =
    [
        typeof(XdpBuff*),
        typeof(BpfRuntime*),
        typeof(ulong*),
        typeof(byte*),
        typeof(int),
    ];

    private delegate int ChunkMethod(XdpBuff* packet, BpfRuntime* runtime, ulong* registers, byte* stackTop, int entry);

    private readonly ProgramCompiler _compiler;
    private readonly ChunkPlan _plan;
    private readonly List<(int Slot, int Chunk)> _entries = [];
    private readonly Dictionary<int, int> _numbers = [];
    private readonly DynamicMethod[] _methods;

    /// <summary>Numbers the entries and emits the chunks.</summary>
    public ChunkedFunction(ProgramCompiler compiler, ChunkPlan plan, string name)
    {
        _compiler = compiler;
        _plan = plan;
        for (var chunk = 0; chunk < plan.Regions.Count; chunk++)
        {
            foreach (var slot in plan.Regions[chunk].Entries)
            {
                _numbers.Add(slot, _entries.Count);
                _entries.Add((slot, chunk));
            }
        }
        _methods =
        [
            .. plan.Regions.Select(
                (region, chunk) => EmitChunk(region, ProgramCompiler.Define($"{name}#{chunk}", typeof(int), Parameters))
            ),
        ];
    }

    /// <summary>The number of the entry at a slot.</summary>
    public int NumberOf(int slot) => _numbers[slot];

    /// <summary>Pushes the address of a register in the block of a chunk.</summary>
    public static void LoadRegisterAddress(ILGenerator il, int register)
    {
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Ldc_I4, register * sizeof(ulong));
        il.Emit(OpCodes.Add);
    }

    /// <summary>Emits the loop that calls the chunks one after the other, into the method of <paramref name="frame"/>.</summary>
    /// <param name="il">The method.</param>
    /// <param name="frame">Its frame.</param>
    /// <param name="loadInitial">Pushes what a register holds at the start.</param>
    public void EmitDispatch(ILGenerator il, VerifiedFrame frame, Action<int> loadInitial)
    {
        var (blockType, _) = StackSpace.Of(RegisterSet.Count * sizeof(ulong));
        var block = il.DeclareLocal(blockType);
        var entry = il.DeclareLocal(typeof(int));
        var flow = _plan.Regions[0].Flow;
        for (var register = 0; register < RegisterSet.FramePointer; register++)
        {
            if ((flow.LiveBefore(flow.Start) & (1 << register)) != 0)
            {
                LoadBlock(register);
                loadInitial(register);
                il.Emit(OpCodes.Stind_I8);
            }
        }
        if (flow.HasMayGoto)
        {
            LoadBlock(MayGotoRounds);
            il.Emit(OpCodes.Ldc_I8, (long)BpfRuntime.MaxLoops);
            il.Emit(OpCodes.Stind_I8);
        }
        il.Emit(OpCodes.Ldc_I4, NumberOf(flow.Start));
        il.Emit(OpCodes.Stloc, entry);
        var next = il.DefineLabel();
        var calls = _methods.Select(_ => il.DefineLabel()).ToArray();
        il.MarkLabel(next);
        il.Emit(OpCodes.Ldloc, entry);
        il.Emit(OpCodes.Switch, [.. _entries.Select(each => calls[each.Chunk])]);
        LoadBlock(0);
        il.Emit(OpCodes.Ldind_I8);
        frame.Exit();
        for (var chunk = 0; chunk < _methods.Length; chunk++)
        {
            il.MarkLabel(calls[chunk]);
            frame.LoadPacket();
            frame.LoadRuntime();
            LoadBlock(0);
            frame.LoadStack(0);
            il.Emit(OpCodes.Conv_U);
            il.Emit(OpCodes.Ldloc, entry);
            il.Emit(OpCodes.Call, _methods[chunk]);
            il.Emit(OpCodes.Stloc, entry);
            il.Emit(OpCodes.Br, next);
        }

        void LoadBlock(int register)
        {
            il.Emit(OpCodes.Ldloca, block);
            il.Emit(OpCodes.Conv_U);
            il.Emit(OpCodes.Ldc_I4, register * sizeof(ulong));
            il.Emit(OpCodes.Add);
        }
    }

    /// <summary>Has RyuJIT compile the chunks.</summary>
    public void Prepare()
    {
        foreach (var method in _methods)
        {
            RuntimeHelpers.PrepareDelegate(method.CreateDelegate<ChunkMethod>());
        }
    }

    private DynamicMethod EmitChunk(Region region, DynamicMethod method)
    {
        var il = method.GetILGenerator();
        var body = new BodyEmitter(il, _compiler.Code, region, new ChunkFrame(il, _compiler, this));
        var first = NumberOf(region.Entries[0]);
        var entries = region.Entries.Select(_ => il.DefineLabel()).ToArray();
        il.Emit(OpCodes.Ldarg, 4);
        il.Emit(OpCodes.Ldc_I4, first);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Switch, entries);
        // No other number is ever given.
        il.Emit(OpCodes.Ldc_I4, Finished);
        il.Emit(OpCodes.Ret);
        for (var index = 0; index < entries.Length; index++)
        {
            var slot = region.Entries[index];
            var live = region.Flow.LiveBefore(slot);
            il.MarkLabel(entries[index]);
            for (var register = 0; register < RegisterSet.FramePointer; register++)
            {
                if ((live & (1 << register)) != 0)
                {
                    LoadRegisterAddress(il, register);
                    il.Emit(OpCodes.Ldind_I8);
                    body.Registers.StoreAtEntry(slot, register);
                }
            }
            il.Emit(OpCodes.Br, body.LabelOf(slot));
        }
        body.Emit();
        return method;
    }
}
