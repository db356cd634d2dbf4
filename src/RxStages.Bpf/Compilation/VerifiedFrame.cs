using System.Reflection.Emit;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// The frame of verified code: nothing is checked, context fields are read from the <see cref="XdpBuff"/>, maps are
/// constants. The methods differ in where their packet comes from and in how they end.
/// </summary>
internal abstract class VerifiedFrame(ILGenerator il, ProgramCompiler compiler) : MethodFrame(il)
{
    /// <summary>Pushes the packet's <see cref="XdpBuff"/> address.</summary>
    public abstract void LoadPacket();

    /// <summary>Pushes the address of the worker's <see cref="BpfRuntime"/>.</summary>
    public abstract void LoadRuntime();

    private LocalBuilder? _rounds;

    /// <summary>The function begins, and has <c>may_goto</c>: its loops may go round so often together.</summary>
    public void StartMayGoto()
    {
        _rounds = IL.DeclareLocal(typeof(int));
        IL.Emit(OpCodes.Ldc_I4, BpfRuntime.MaxLoops);
        IL.Emit(OpCodes.Stloc, _rounds);
    }

    /// <inheritdoc/>
    public override void MayGoto(Label target)
    {
        IL.Emit(OpCodes.Ldloc, _rounds!);
        IL.Emit(OpCodes.Brfalse, target);
        IL.Emit(OpCodes.Ldloc, _rounds!);
        IL.Emit(OpCodes.Ldc_I4_1);
        IL.Emit(OpCodes.Sub);
        IL.Emit(OpCodes.Stloc, _rounds!);
    }

    /// <inheritdoc/>
    public override void GuardAccess(int slot, int size, bool atomic) { }

    /// <inheritdoc/>
    public override void LoadWide(int slot) => IL.Emit(OpCodes.Ldc_I8, compiler.WideValue(slot));

    /// <inheritdoc/>
    public override bool TryLoadContext(int slot)
    {
        if (compiler.Code.Facts(slot).Region != MemoryRegion.Context)
        {
            return false;
        }
        var instruction = compiler.Code[slot];
        var offset = ContextField.OffsetInBuff(instruction.Offset);
        if (offset < 0)
        {
            throw compiler.Code.Error(slot, $"no such field of xdp_md: offset {instruction.Offset}");
        }
        LoadPacket();
        IL.Emit(OpCodes.Ldc_I4, offset);
        IL.Emit(OpCodes.Add);
        if (ContextField.IsPointer(instruction.Offset))
        {
            IL.Emit(OpCodes.Ldind_I8);
            return true;
        }
        var isSigned = instruction.MemoryMode == MemoryMode.MemSx;
        IL.Emit(
            (instruction.AccessSize, isSigned) switch
            {
                (1, false) => OpCodes.Ldind_U1,
                (2, false) => OpCodes.Ldind_U2,
                (4, false) => OpCodes.Ldind_U4,
                (1, true) => OpCodes.Ldind_I1,
                (2, true) => OpCodes.Ldind_I2,
                (4, true) => OpCodes.Ldind_I4,
                var (size, _) => throw compiler.Code.Error(slot, $"a field of xdp_md has 4 bytes, not {size}"),
            }
        );
        IL.Emit(isSigned ? OpCodes.Conv_I8 : OpCodes.Conv_U8);
        return true;
    }

    /// <inheritdoc/>
    public override void Call(int slot, Instruction call, Registers registers) =>
        new CallEmitter(IL, compiler, this, registers).Emit(slot, call);
}

/// <summary>A function of its own: <c>ulong F(XdpBuff* packet, BpfRuntime* runtime, ulong …)</c>.</summary>
internal sealed class FunctionFrame(ILGenerator il, ProgramCompiler compiler, LocalStack stack)
    : VerifiedFrame(il, compiler)
{
    /// <inheritdoc/>
    public override void LoadPacket() => IL.Emit(OpCodes.Ldarg_0);

    /// <inheritdoc/>
    public override void LoadRuntime() => IL.Emit(OpCodes.Ldarg_1);

    /// <inheritdoc/>
    public override void LoadStack(int offset) => stack.Load(offset);

    /// <inheritdoc/>
    public override void Exit() => IL.Emit(OpCodes.Ret);
}

/// <summary>The inside of the loop over a vector; see <see cref="ProgramCompiler.VectorParameters"/>.</summary>
internal sealed class VectorFrame(
    ILGenerator il,
    ProgramCompiler compiler,
    LocalStack stack,
    LocalBuilder packet,
    LocalBuilder result,
    Label done
) : VerifiedFrame(il, compiler)
{
    /// <inheritdoc/>
    public override void LoadPacket() => IL.Emit(OpCodes.Ldloc, packet);

    /// <inheritdoc/>
    public override void LoadRuntime() => IL.Emit(OpCodes.Ldarg, 4);

    /// <inheritdoc/>
    public override void LoadStack(int offset) => stack.Load(offset);

    /// <inheritdoc/>
    public override bool IsResult32Bit => true;

    /// <inheritdoc/>
    public override void Exit()
    {
        IL.Emit(OpCodes.Conv_U4);
        IL.Emit(OpCodes.Stloc, result);
        IL.Emit(OpCodes.Br, done);
    }
}

/// <summary>A part of a function; see <see cref="ChunkedFunction"/>.</summary>
internal sealed class ChunkFrame(ILGenerator il, ProgramCompiler compiler, ChunkedFunction function)
    : VerifiedFrame(il, compiler)
{
    /// <inheritdoc/>
    public override void LoadPacket() => IL.Emit(OpCodes.Ldarg_0);

    /// <inheritdoc/>
    public override void LoadRuntime() => IL.Emit(OpCodes.Ldarg_1);

    /// <inheritdoc/>
    public override void LoadStack(int offset)
    {
        IL.Emit(OpCodes.Ldarg_3);
        if (offset != 0)
        {
            IL.Emit(OpCodes.Ldc_I4, offset);
            IL.Emit(OpCodes.Add);
        }
        IL.Emit(OpCodes.Conv_U8);
    }

    /// <inheritdoc/>
    public override void Exit()
    {
        var result = IL.DeclareLocal(typeof(ulong));
        IL.Emit(OpCodes.Stloc, result);
        IL.Emit(OpCodes.Ldarg_2);
        IL.Emit(OpCodes.Ldloc, result);
        IL.Emit(OpCodes.Stind_I8);
        IL.Emit(OpCodes.Ldc_I4, ChunkedFunction.Finished);
        IL.Emit(OpCodes.Ret);
    }

    /// <inheritdoc/>
    public override void MayGoto(Label target)
    {
        ChunkedFunction.LoadRegisterAddress(IL, ChunkedFunction.MayGotoRounds);
        IL.Emit(OpCodes.Ldind_I8);
        IL.Emit(OpCodes.Brfalse, target);
        ChunkedFunction.LoadRegisterAddress(IL, ChunkedFunction.MayGotoRounds);
        IL.Emit(OpCodes.Dup);
        IL.Emit(OpCodes.Ldind_I8);
        IL.Emit(OpCodes.Ldc_I8, 1L);
        IL.Emit(OpCodes.Sub);
        IL.Emit(OpCodes.Stind_I8);
    }

    /// <inheritdoc/>
    public override void Leave(int target, Registers registers, int live)
    {
        for (var register = 0; register < RegisterSet.FramePointer; register++)
        {
            if ((live & (1 << register)) != 0)
            {
                ChunkedFunction.LoadRegisterAddress(IL, register);
                registers.Load64(register);
                IL.Emit(OpCodes.Stind_I8);
            }
        }
        IL.Emit(OpCodes.Ldc_I4, function.NumberOf(target));
        IL.Emit(OpCodes.Ret);
    }
}

/// <summary>The local variable of a method that is the eBPF stack.</summary>
internal sealed class LocalStack
{
    private readonly ILGenerator _il;
    private readonly LocalBuilder _local;
    private readonly int _size;

    /// <summary>Declares the variable.</summary>
    /// <param name="il">The method.</param>
    /// <param name="depth">Bytes needed below r10.</param>
    public LocalStack(ILGenerator il, int depth)
    {
        _il = il;
        (var type, _size) = StackSpace.Of(depth);
        _local = il.DeclareLocal(type);
    }

    /// <summary>Pushes the address <paramref name="offset"/> bytes from r10.</summary>
    public void Load(int offset)
    {
        _il.Emit(OpCodes.Ldloca, _local);
        _il.Emit(OpCodes.Conv_U);
        if (_size + offset != 0)
        {
            _il.Emit(OpCodes.Ldc_I4, _size + offset);
            _il.Emit(OpCodes.Add);
        }
        _il.Emit(OpCodes.Conv_U8);
    }

    /// <summary>Makes it all zero.</summary>
    public void Clear()
    {
        _il.Emit(OpCodes.Ldloca, _local);
        _il.Emit(OpCodes.Initobj, _local.LocalType);
    }
}
