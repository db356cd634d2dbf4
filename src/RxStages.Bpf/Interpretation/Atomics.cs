using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Interpretation;

/// <summary>
/// The atomic instructions (RFC 9669, section 5.3, and the kernel's load-acquire and store-release). They are atomic
/// between threads: map values are shared.
/// </summary>
internal static unsafe class Atomics
{
    /// <summary>Carries out an atomic instruction.</summary>
    public static void Execute(ref Machine machine, Instruction instruction)
    {
        var operation = (AtomicOperation)instruction.Immediate;
        var isLoad = operation == AtomicOperation.LoadAcquire;
        var baseRegister = isLoad ? instruction.Source : instruction.Destination;
        var address = machine[baseRegister] + (ulong)instruction.Offset;
        machine.CheckNotContext(address);
        var access = operation switch
        {
            AtomicOperation.LoadAcquire => Access.Read,
            AtomicOperation.StoreRelease => Access.Write,
            _ => Access.Atomic,
        };
        var memory = machine.Memory.Check(address, (ulong)instruction.AccessSize, access);
        // Only x86 has atomics at any address.
        if (!X86Base.IsSupported && address % (ulong)instruction.AccessSize != 0)
        {
            throw new MachineFault($"an atomic operation of {instruction.AccessSize} bytes is not aligned");
        }
        switch (operation)
        {
            case AtomicOperation.LoadAcquire:
                machine[instruction.Destination] = LoadAcquire(memory, instruction.AccessSize);
                break;
            case AtomicOperation.StoreRelease:
                StoreRelease(memory, instruction.AccessSize, machine[instruction.Source]);
                break;
            case AtomicOperation.CompareExchange:
                machine[0] = CompareExchange(memory, instruction.AccessSize, machine[0], machine[instruction.Source]);
                break;
            default:
                var old = Change(memory, instruction.AccessSize, operation, machine[instruction.Source]);
                if (operation.HasFlag(AtomicOperation.Fetch))
                {
                    machine[instruction.Source] = old;
                }
                break;
        }
    }

    private static ulong LoadAcquire(byte* memory, int size) =>
        size switch
        {
            1 => Volatile.Read(ref *memory),
            2 => Volatile.Read(ref *(ushort*)memory),
            4 => Volatile.Read(ref *(uint*)memory),
            _ => Volatile.Read(ref *(ulong*)memory),
        };

    private static void StoreRelease(byte* memory, int size, ulong value)
    {
        switch (size)
        {
            case 1:
                Volatile.Write(ref *memory, (byte)value);
                break;
            case 2:
                Volatile.Write(ref *(ushort*)memory, (ushort)value);
                break;
            case 4:
                Volatile.Write(ref *(uint*)memory, (uint)value);
                break;
            default:
                Volatile.Write(ref *(ulong*)memory, value);
                break;
        }
    }

    private static ulong CompareExchange(byte* memory, int size, ulong expected, ulong value) =>
        size == 4
            ? Interlocked.CompareExchange(ref *(uint*)memory, (uint)value, (uint)expected)
            : Interlocked.CompareExchange(ref *(ulong*)memory, value, expected);

    /// <summary>Changes memory and gives its old value.</summary>
    private static ulong Change(byte* memory, int size, AtomicOperation operation, ulong operand)
    {
        while (true)
        {
            var old = size == 4 ? Unsafe.ReadUnaligned<uint>(memory) : Unsafe.ReadUnaligned<ulong>(memory);
            var changed = (operation & ~AtomicOperation.Fetch) switch
            {
                AtomicOperation.Add => old + operand,
                AtomicOperation.Or => old | operand,
                AtomicOperation.And => old & operand,
                AtomicOperation.Xor => old ^ operand,
                _ => operand,
            };
            if (CompareExchange(memory, size, old, changed) == old)
            {
                return old;
            }
        }
    }
}
