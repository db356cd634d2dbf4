using System.Text;
using RxStages.Bpf.Objects;

namespace RxStages.Linux.KernelBpf;

/// <summary>An object's types in the kernel (<c>BPF_BTF_LOAD</c>): maps with special fields, kfuncs and global functions need them.</summary>
internal sealed unsafe class KernelBtf : IDisposable
{
    private const int LogSize = 1 << 16;

    private KernelBtf(FileDescriptor descriptor) => Descriptor = descriptor;

    public FileDescriptor Descriptor { get; }

    /// <summary>
    /// Loads an object's types. Null when it has none, or the kernel does not take them: as with libbpf the object is then
    /// loaded without, which the kernel complains about where they are needed.
    /// </summary>
    /// <param name="spec">The object.</param>
    /// <param name="complaint">What the kernel said against the types; null when it took them.</param>
    public static KernelBtf? TryLoad(ObjectSpec spec, out string? complaint)
    {
        complaint = null;
        if (spec.Btf is null)
        {
            return null;
        }
        var hidden = spec
            .Programs.Concat(spec.UntypedPrograms)
            .Concat(spec.Extensions)
            .SelectMany(program => program.Functions.Skip(1))
            .Where(function => function is { IsGlobal: false, BtfType: not 0 })
            .Select(function => function.BtfType)
            .ToHashSet();
        var log = new byte[LogSize];
        var bytes = BtfSection.ForKernel(spec.Btf, hidden);
        fixed (
            byte* section = bytes,
                logBuffer = log
        )
        {
            var attributes = new BtfLoadAttributes { Btf = (ulong)section, Size = (uint)bytes.Length };
            var result = BpfSystemCall.Invoke(BpfCommand.BtfLoad, ref attributes);
            if (result >= 0)
            {
                return new KernelBtf(new FileDescriptor(result));
            }
            attributes.LogBuffer = (ulong)logBuffer;
            attributes.LogSize = LogSize;
            attributes.LogLevel = 1;
            BpfSystemCall.Invoke(BpfCommand.BtfLoad, ref attributes);
            complaint = $"types refused ({-result}): " + Encoding.UTF8.GetString(log).TrimEnd('\0', '\n');
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Descriptor.Dispose();
}
