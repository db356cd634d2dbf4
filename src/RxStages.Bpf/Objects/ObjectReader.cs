using System.Collections.Immutable;
using System.Text;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Reads eBPF object files as compilers write them. This room turns bytes that may be hostile into specs: it allocates in
/// proportion to the file, touches no map and no kernel, and throws <see cref="InputException"/> for all that is broken.
/// What is in order but not supported yet is noted per program (<see cref="ProgramSpec.Unsupported"/>).
/// </summary>
public static class ObjectReader
{
    /// <summary>The largest file that is read, in bytes.</summary>
    public const int MaxFileSize = 64 << 20;

    /// <summary>The most programs that a file may have.</summary>
    public const int MaxPrograms = 10_000;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file's path.</param>
    /// <exception cref="InputException">It cannot be read, or is broken.</exception>
    public static ObjectSpec Read(string path) => Read(path, TargetKernel.Running);

    /// <summary>Reads a file, and fits its programs to a kernel.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="kernel">The kernel.</param>
    /// <exception cref="InputException">It cannot be read, or is broken.</exception>
    public static ObjectSpec Read(string path, TargetKernel kernel) => Read(ReadFile(path), path, kernel);

    /// <summary>Reads the bytes of a file of at most <see cref="MaxFileSize"/>; one more when it is larger.</summary>
    internal static ReadOnlyMemory<byte> ReadFile(string path)
    {
        using var bytes = new MemoryStream();
        try
        {
            using var file = File.OpenRead(path);
            bytes.Capacity = file.CanSeek ? (int)Math.Min(file.Length, MaxFileSize + 1) : 0;
            var buffer = new byte[1 << 16];
            for (int count; bytes.Length <= MaxFileSize && (count = file.Read(buffer)) > 0; )
            {
                bytes.Write(buffer, 0, count);
            }
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be read", error);
        }
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    /// <summary>Reads a file's bytes.</summary>
    /// <param name="bytes">The bytes; not kept.</param>
    /// <param name="source">What they are called in errors.</param>
    /// <exception cref="InputException">They are broken.</exception>
    public static ObjectSpec Read(ReadOnlyMemory<byte> bytes, string source) =>
        Read(bytes, source, TargetKernel.Running);

    /// <summary>Reads a file's bytes, and fits its programs to a kernel.</summary>
    /// <param name="bytes">The bytes; not kept.</param>
    /// <param name="source">What they are called in errors.</param>
    /// <param name="kernel">The kernel.</param>
    /// <exception cref="InputException">They are broken.</exception>
    public static ObjectSpec Read(ReadOnlyMemory<byte> bytes, string source, TargetKernel kernel)
    {
        if (bytes.Length > MaxFileSize)
        {
            throw new InputException(source, place: null, $"larger than {MaxFileSize} bytes");
        }
        var elf = ElfFile.Read(bytes, source);
        var btf = ReadBtf(elf);
        var ext =
            btf is not null && elf.Find(".BTF.ext") is { Data.IsEmpty: false } section
                ? BtfExt.Read(section.Data, btf, source)
                : BtfExt.Empty;
        var maps = ReadMaps(elf, btf);
        var externs = Externs.Read(elf, ref btf, kernel, maps);
        var linker = new Linker(elf, maps, externs, kernel, btf, ext);
        var programs = ImmutableArray.CreateBuilder<ProgramSpec>();
        var others = ImmutableArray.CreateBuilder<string>();
        foreach (var code in elf.Sections.Where(candidate => candidate is { IsCode: true, Data.IsEmpty: false }))
        {
            if (XdpSection.Parse(code.Name) is { } kind)
            {
                foreach (var program in linker.LinkSection(code, kind))
                {
                    if (programs.Count == MaxPrograms)
                    {
                        throw elf.Broken(code.Name, $"more than {MaxPrograms} programs");
                    }
                    programs.Add(program);
                }
            }
            else if (code.Name != ".text")
            {
                others.Add(code.Name);
            }
        }
        return new ObjectSpec
        {
            Source = source,
            License = ReadLicense(elf),
            Programs = programs.ToImmutable(),
            Maps = maps.Maps,
            Btf = btf,
            Kernel = kernel,
            OtherSections = others.ToImmutable(),
        };
    }

    private static Btf? ReadBtf(ElfFile elf) =>
        elf.Find(".BTF") is { Data.IsEmpty: false } section
            ? GlobalData.LayOut(Btf.Read(section.Data.Span, elf.Source), elf)
            : null;

    private static MapTable ReadMaps(ElfFile elf, Btf? btf)
    {
        var maps = new MapTable();
        foreach (var section in elf.Sections.Where(LegacyMapReader.Reads))
        {
            LegacyMapReader.Read(elf, section, maps);
        }
        MapReader.Read(elf, btf, maps);
        GlobalData.Read(elf, btf, maps);
        return maps;
    }

    private static string ReadLicense(ElfFile elf)
    {
        var bytes = elf.Find("license") is { } section ? section.Data.Span : [];
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
