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
        var configs = RunConfig.Read(btf, source);
        var programs = new ProgramLists();
        foreach (var code in elf.Sections.Where(candidate => candidate is { IsCode: true, Data.IsEmpty: false }))
        {
            AddPrograms(programs, elf, code, linker, maps);
        }
        return new ObjectSpec
        {
            Source = source,
            License = ReadLicense(elf),
            Programs =
            [
                .. programs.Xdp.Select(program =>
                    configs.TryGetValue(program.Name, out var config) ? program with { RunConfig = config } : program
                ),
            ],
            UntypedPrograms = [.. programs.Untyped],
            Extensions = [.. programs.Extensions],
            Maps = maps.Maps,
            Btf = btf,
            Kernel = kernel,
            OtherSections = [.. programs.Others],
        };
    }

    private static void AddPrograms(ProgramLists lists, ElfFile elf, ElfSection code, Linker linker, MapTable maps)
    {
        if (XdpSection.Parse(code.Name) is { } kind)
        {
            foreach (var program in linker.LinkSection(code, kind))
            {
                if (lists.Xdp.Count == MaxPrograms)
                {
                    throw elf.Broken(code.Name, $"more than {MaxPrograms} programs");
                }
                lists.Xdp.Add(program);
            }
            return;
        }
        var replaced = XdpSection.ReplacedFunction(code.Name);
        if (code.Name == ".text" || (replaced is null && !XdpSection.IsUnknown(code.Name)))
        {
            if (code.Name != ".text")
            {
                lists.Others.Add(code.Name);
            }
            return;
        }
        try
        {
            foreach (var program in linker.LinkSection(code, default).Take(MaxPrograms))
            {
                if (replaced is not null)
                {
                    lists.Extensions.Add(program with { Replaces = replaced });
                    continue;
                }
                maps.AddToProgArray(code.Name, program.Name);
                lists.Untyped.Add(program);
            }
        }
        catch (InputException)
        {
            // Programs that may be for anything need not link: nobody asked for them.
            lists.Others.Add(code.Name);
        }
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
            LegacyMapReader.Read(elf, btf, section, maps);
        }
        MapReader.Read(elf, btf, maps);
        GlobalData.Read(elf, btf, maps);
        return maps;
    }

    /// <summary>A file's programs by what their sections say.</summary>
    private sealed class ProgramLists
    {
        public List<ProgramSpec> Xdp { get; } = [];

        public List<ProgramSpec> Untyped { get; } = [];

        public List<ProgramSpec> Extensions { get; } = [];

        public List<string> Others { get; } = [];
    }

    private static string ReadLicense(ElfFile elf)
    {
        var bytes = elf.Find("license") is { } section ? section.Data.Span : [];
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
