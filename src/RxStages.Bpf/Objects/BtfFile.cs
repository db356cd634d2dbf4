using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>Reads types from a file: raw BTF, as the kernel shows its own, or an ELF file's <c>.BTF</c> section.</summary>
public static class BtfFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">It cannot be read, or holds no types.</exception>
    public static Btf Read(string path)
    {
        var bytes = ObjectReader.ReadFile(path);
        if (!bytes.Span.StartsWith("\u007fELF"u8))
        {
            return Btf.Read(bytes.Span, path);
        }
        return ElfFile.ReadAny(bytes, path).Find(".BTF") is { Data.IsEmpty: false } section
            ? Btf.Read(section.Data.Span, path)
            : throw new InputException(path, ".BTF", "there is no such section");
    }
}
