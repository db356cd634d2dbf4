using System.Reflection.Emit;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// The variables that hold eBPF registers while a region is emitted, one per web. Follows the code slot by slot, as
/// <see cref="RegisterWebs"/> does.
/// </summary>
internal sealed class Registers(ILGenerator il, RegisterWebs webs, MethodFrame frame)
{
    private readonly Dictionary<int, LocalBuilder> _locals = [];

    /// <summary>Comes to a slot.</summary>
    public void Enter(int slot) => webs.Enter(slot);

    /// <summary>The webs that the registers are in now.</summary>
    public int[] Snapshot() => webs.Snapshot();

    /// <summary>Goes back to where a snapshot was taken.</summary>
    public void Restore(int[] snapshot) => webs.Restore(snapshot);

    /// <summary>True when a register's value now has its upper 32 bits clear.</summary>
    public bool Is32Bit(int register) => register != RegisterSet.FramePointer && webs.Is32Bit[webs.Of(register)];

    /// <summary>Pushes all 64 bits of a register (of one whose upper half nobody reads: 0 there).</summary>
    public void Load64(int register)
    {
        if (register == RegisterSet.FramePointer)
        {
            frame.LoadStack(0);
            return;
        }
        var local = LocalOf(webs.Of(register));
        il.Emit(OpCodes.Ldloc, local);
        if (local.LocalType == typeof(uint))
        {
            il.Emit(OpCodes.Conv_U8);
        }
    }

    /// <summary>Pushes the low 32 bits of a register.</summary>
    public void Load32(int register)
    {
        if (register == RegisterSet.FramePointer)
        {
            frame.LoadStack(0);
            il.Emit(OpCodes.Conv_U4);
            return;
        }
        var local = LocalOf(webs.Of(register));
        il.Emit(OpCodes.Ldloc, local);
        if (local.LocalType == typeof(ulong))
        {
            il.Emit(OpCodes.Conv_U4);
        }
    }

    /// <summary>Pops a 64-bit value into a register that the slot writes.</summary>
    public void Store64(int slot, int register)
    {
        var local = LocalOf(webs.Write(slot, register));
        if (local.LocalType == typeof(uint))
        {
            il.Emit(OpCodes.Conv_U4);
        }
        il.Emit(OpCodes.Stloc, local);
    }

    /// <summary>Pops a 32-bit value into a register that the slot writes; the upper 32 bits become 0.</summary>
    public void Store32(int slot, int register)
    {
        var local = LocalOf(webs.Write(slot, register));
        if (local.LocalType == typeof(ulong))
        {
            il.Emit(OpCodes.Conv_U8);
        }
        il.Emit(OpCodes.Stloc, local);
    }

    /// <summary>Pops a 64-bit value into a register where the region is entered.</summary>
    public void StoreAtEntry(int entry, int register)
    {
        var local = LocalOf(webs.AtJoin(entry, register));
        if (local.LocalType == typeof(uint))
        {
            il.Emit(OpCodes.Conv_U4);
        }
        il.Emit(OpCodes.Stloc, local);
    }

    /// <summary>True when only the low 32 bits of what a slot writes are kept.</summary>
    public bool Keeps32Bits(int slot) => webs.Fits32Bits(webs.OfWrite(slot));

    private LocalBuilder LocalOf(int web)
    {
        if (!_locals.TryGetValue(web, out var local))
        {
            local = il.DeclareLocal(webs.Fits32Bits(web) ? typeof(uint) : typeof(ulong));
            _locals.Add(web, local);
        }
        return local;
    }
}
