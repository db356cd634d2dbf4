using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Linux.KernelBpf;

/// <summary>Commands of the <c>bpf()</c> system call (<c>enum bpf_cmd</c>).</summary>
internal enum BpfCommand
{
    MapCreate = 0,
    MapLookupElement = 1,
    MapUpdateElement = 2,
    MapDeleteElement = 3,
    MapGetNextKey = 4,
    ProgramLoad = 5,
    ProgramTestRun = 10,
    BtfLoad = 18,
    MapLookupAndDeleteElement = 21,
    MapFreeze = 22,
    LinkCreate = 28,
}

/// <summary>
/// The <c>bpf()</c> system call, which the C library does not wrap. Its argument is one of the structures in
/// <c>BpfAttributes.cs</c>; the kernel takes what is behind a shorter one as zero.
/// </summary>
internal static unsafe partial class BpfSystemCall
{
    private const int EINTR = 4;

    // A load that a signal interrupts answers EAGAIN; so does one that meets a lack of memory, hence the limit.
    private const int MaxAttempts = 10;

    // asm/unistd.h: every architecture has a number of its own.
    private static nint Number =>
        RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 321,
            Architecture.Arm64 => 280,
            var other => throw new PlatformNotSupportedException($"no number known for bpf() on {other}"),
        };

    /// <summary>Calls it.</summary>
    /// <returns>What the kernel returned (a descriptor or 0), or a negated error number.</returns>
    public static int Invoke<T>(BpfCommand command, ref T attributes)
        where T : unmanaged
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("bpf() is a system call of Linux");
        }
        fixed (T* pointer = &attributes)
        {
            for (var attempt = 1; ; attempt++)
            {
                var result = SystemCall(Number, (nint)command, (nint)pointer, sizeof(T));
                if (result >= 0)
                {
                    return (int)result;
                }
                var errno = Marshal.GetLastPInvokeError();
                if (errno is not (EINTR or Errno.EAGAIN) || attempt == MaxAttempts)
                {
                    return -errno;
                }
            }
        }
    }

    /// <summary>Calls it for a command that makes something.</summary>
    /// <param name="command">The command.</param>
    /// <param name="attributes">Its argument.</param>
    /// <param name="action">What is being done, for the message: <c>create map x</c>.</param>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public static FileDescriptor Open<T>(BpfCommand command, ref T attributes, string action)
        where T : unmanaged
    {
        var result = Invoke(command, ref attributes);
        return result >= 0 ? new FileDescriptor(result) : throw new KernelBpfException(action, -result);
    }

    /// <summary>Writes an object's name as the kernel takes it: at most 15 characters of <c>[A-Za-z0-9_.]</c>, then zeros.</summary>
    public static void WriteName(ref NameBuffer buffer, string name)
    {
        Span<byte> bytes = buffer;
        bytes.Clear();
        for (var i = 0; i < Math.Min(name.Length, NameBuffer.Size - 1); i++)
        {
            bytes[i] = char.IsAsciiLetterOrDigit(name[i]) || name[i] is '_' or '.' ? (byte)name[i] : (byte)'_';
        }
    }

    // Variadic in C; for integers the calling conventions of both architectures are those of a plain function.
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint command, nint attributes, nint size);
}

/// <summary>A name in the kernel's structures (<c>BPF_OBJ_NAME_LEN</c>).</summary>
[InlineArray(Size)]
internal struct NameBuffer
{
    public const int Size = 16;
    private byte _first;
}
