using System.Collections.Immutable;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that read memory at any address, if it can be read.</summary>
internal static unsafe class ProbeHelpers
{
    private const string OnlyOwnMemory =
        "Only a program's own memory is readable: its stack, its packet in the frame, values of its maps.";

    private const string NoUserMemory = "There is no user space to read from: every address is a fault.";

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            112,
            "probe_read_user",
            ReturnType.Integer,
            [ArgumentType.WritableMemory, ArgumentType.SizeOrZero, ArgumentType.Anything],
            ProbeReadUser,
            "kernel/trace/bpf_trace.c: bpf_probe_read_user",
            "Copies memory of the current process; EFAULT, and zeros, where there is none."
        )
        {
            ReadsAnyAddress = true,
            IsGplOnly = true,
            Difference = NoUserMemory,
        },
        new(
            113,
            "probe_read_kernel",
            ReturnType.Integer,
            [ArgumentType.WritableMemory, ArgumentType.SizeOrZero, ArgumentType.Anything],
            ProbeReadKernel,
            "kernel/trace/bpf_trace.c: bpf_probe_read_kernel",
            "Copies memory from any address. Where it cannot be read: zeros, and EFAULT, or ERANGE outside the kernel's half of the addresses."
        )
        {
            ReadsAnyAddress = true,
            IsGplOnly = true,
            Difference = OnlyOwnMemory,
        },
        new(
            114,
            "probe_read_user_str",
            ReturnType.LengthOrError,
            [ArgumentType.WritableMemory, ArgumentType.SizeOrZero, ArgumentType.Anything],
            ProbeReadUserString,
            "kernel/trace/bpf_trace.c: bpf_probe_read_user_str",
            "Copies a string of the current process; EFAULT, and zeros, where there is none."
        )
        {
            ReadsAnyAddress = true,
            IsGplOnly = true,
            Difference = NoUserMemory,
        },
        new(
            115,
            "probe_read_kernel_str",
            ReturnType.LengthOrError,
            [ArgumentType.WritableMemory, ArgumentType.SizeOrZero, ArgumentType.Anything],
            ProbeReadKernelString,
            "kernel/trace/bpf_trace.c: bpf_probe_read_kernel_str",
            "Copies a string from any address, cut to the size and always terminated; its length with the zero. Errors are those of probe_read_kernel."
        )
        {
            ReadsAnyAddress = true,
            IsGplOnly = true,
            Difference = OnlyOwnMemory,
        },
    ];

    private static ulong ProbeReadUser(BpfRuntime* runtime, ulong to, ulong size, ulong from, ulong r4, ulong r5)
    {
        // Nothing to copy is copied from anywhere that user space could be.
        return (uint)size == 0 && from < 1ul << 47 ? 0 : Fail(to, size, -Errno.EFAULT);
    }

    private static ulong ProbeReadUserString(
        BpfRuntime* runtime,
        ulong to,
        ulong size,
        ulong from,
        ulong r4,
        ulong r5
    ) => (uint)size == 0 ? 0 : Fail(to, size, -Errno.EFAULT);

    private static ulong ProbeReadKernel(BpfRuntime* runtime, ulong to, ulong size, ulong from, ulong r4, ulong r5)
    {
        var memory = ProbedMemory.At(runtime, from);
        if (memory.IsEmpty || memory.Length < (int)(uint)size)
        {
            return (uint)size == 0 && ProbedMemory.ErrorAt(from) == -Errno.EFAULT
                ? 0
                : Fail(to, size, memory.IsEmpty ? ProbedMemory.ErrorAt(from) : -Errno.EFAULT);
        }
        memory[..(int)(uint)size].CopyTo(new Span<byte>((byte*)to, (int)(uint)size));
        return 0;
    }

    private static ulong ProbeReadKernelString(
        BpfRuntime* runtime,
        ulong to,
        ulong size,
        ulong from,
        ulong r4,
        ulong r5
    )
    {
        var target = new Span<byte>((byte*)to, (int)(uint)size);
        if (target.IsEmpty)
        {
            return 0;
        }
        var memory = ProbedMemory.At(runtime, from);
        if (memory.IsEmpty)
        {
            return Fail(to, size, ProbedMemory.ErrorAt(from));
        }
        var length = memory[..Math.Min(memory.Length, target.Length - 1)].IndexOf((byte)0);
        if (length < 0)
        {
            length = target.Length - 1;
            if (memory.Length < length || (memory.Length == length && memory.Length < target.Length))
            {
                return Fail(to, size, -Errno.EFAULT);
            }
        }
        memory[..length].CopyTo(target);
        target[length] = 0;
        return (ulong)length + 1;
    }

    private static ulong Fail(ulong to, ulong size, int error)
    {
        new Span<byte>((byte*)to, (int)(uint)size).Clear();
        return (ulong)error;
    }
}
