using System.Runtime.CompilerServices;
using RxStages.Bpf.Network;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// Memory at an address that nobody has proved to be readable. The kernel reads it and survives the fault
/// (<c>copy_from_kernel_nofault</c>); here only what is known to be a program's is read: its stack, packets of its worker,
/// values of its maps, what the network gave it.
/// </summary>
internal static unsafe class ProbedMemory
{
    // Where the kernel's half of the address space begins on x86-64; below are user space and addresses that cannot be.
    private const ulong KernelStart = 0xffff_8000_0000_0000;

    /// <summary>What may be read from an address on; empty when nothing may.</summary>
    internal static ReadOnlySpan<byte> At(BpfRuntime* runtime, ulong address)
    {
        byte stackTop;
        if (address >= (ulong)&stackTop && address < (ulong)runtime->StackEnd)
        {
            return new ReadOnlySpan<byte>((byte*)address, (int)((ulong)runtime->StackEnd - address));
        }
        var offset = (nuint)address - (nuint)runtime->Frames;
        if (offset < runtime->FramesLength)
        {
            return new ReadOnlySpan<byte>((byte*)address, (int)Math.Min(runtime->FramesLength - offset, int.MaxValue));
        }
        offset = (nuint)address - (nuint)runtime->Structures;
        if (offset < runtime->StructuresLength)
        {
            return new ReadOnlySpan<byte>((byte*)address, (int)(runtime->StructuresLength - offset));
        }
        var services = runtime->GetServices();
        var count = services.ReadableBytes?.Invoke((nint)address) ?? 0;
        if (count == 0)
        {
            count = (services.Network as NetworkEnvironment)?.ReadableBytes((nint)address) ?? 0;
        }
        return count > 0 ? new ReadOnlySpan<byte>((byte*)address, count) : [];
    }

    /// <summary>What a load through a pointer gives that need not be valid: 0 where nothing can be read (<c>BPF_PROBE_MEM</c>).</summary>
    /// <param name="runtime">The worker's state.</param>
    /// <param name="address">Where.</param>
    /// <param name="size">1, 2, 4 or 8 bytes.</param>
    public static ulong Load(BpfRuntime* runtime, ulong address, int size)
    {
        if (At(runtime, address).Length < size)
        {
            return 0;
        }
        return size switch
        {
            1 => *(byte*)address,
            2 => Unsafe.ReadUnaligned<ushort>((byte*)address),
            4 => Unsafe.ReadUnaligned<uint>((byte*)address),
            _ => Unsafe.ReadUnaligned<ulong>((byte*)address),
        };
    }

    /// <summary>
    /// A store in a structure of the kernel: does nothing where programs may not write, since the layout that the verifier
    /// knows need not be the one that the network was made with.
    /// </summary>
    /// <param name="address">Where.</param>
    /// <param name="value">The number whose low bytes are stored.</param>
    /// <param name="size">1, 2 or 4 bytes.</param>
    /// <param name="runtime">The worker's state.</param>
    public static void Store(ulong address, ulong value, int size, BpfRuntime* runtime)
    {
        if (!NetworkEnvironment.Of(runtime).IsWritable((nint)address, size))
        {
            return;
        }
        switch (size)
        {
            case 1:
                *(byte*)address = (byte)value;
                break;
            case 2:
                Unsafe.WriteUnaligned((byte*)address, (ushort)value);
                break;
            default:
                Unsafe.WriteUnaligned((byte*)address, (uint)value);
                break;
        }
    }

    /// <summary>
    /// The kernel's answer where nothing can be read, a negated error number: ERANGE where its memory cannot be, else EFAULT.
    /// </summary>
    internal static int ErrorAt(ulong address) => address < KernelStart ? -Errno.ERANGE : -Errno.EFAULT;
}
