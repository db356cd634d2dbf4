using System.Collections.Immutable;

namespace RxStages.Bpf.Objects;

/// <summary>
/// What a file names but does not define: options of the kernel (<c>__kconfig</c>), and its functions and variables
/// (<c>__ksym</c>). The options become a map of their own, <c>.kconfig</c>, laid out as libbpf does it.
/// </summary>
internal sealed class Externs
{
    /// <summary>The name of the section of options, and of the map that holds them.</summary>
    public const string KconfigSection = ".kconfig";

    private const string KsymsSection = ".ksyms";

    private readonly Dictionary<string, Extern> _externs = new(StringComparer.Ordinal);

    private Externs() { }

    /// <summary>Reads a file's externs, gives options their values, and adds the map that holds them.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="btf">Its types; gets the offsets of the options. Null if it has none, and thus no externs.</param>
    /// <param name="kernel">Where the options' values come from.</param>
    /// <param name="maps">Takes the map.</param>
    public static Externs Read(ElfFile elf, ref Btf? btf, TargetKernel kernel, MapTable maps)
    {
        var externs = new Externs();
        if (btf is null)
        {
            return externs;
        }
        var sections = SectionsOf(btf);
        foreach (var symbol in elf.Symbols)
        {
            if (!symbol.IsExtern || symbol.Binding == ElfBinding.Local)
            {
                continue;
            }
            var name = elf.NameOf(symbol);
            if (sections.TryGetValue(name, out var place))
            {
                externs._externs.TryAdd(
                    name,
                    new Extern(name, place.Kind, place.Type, symbol.Binding == ElfBinding.Weak)
                );
            }
        }
        externs.AddKconfig(elf, ref btf, kernel, maps);
        return externs;
    }

    /// <summary>The extern of that name, or null.</summary>
    public Extern? Find(string name) => _externs.GetValueOrDefault(name);

    /// <summary>
    /// A name as the kernel knows it: declarations of one function may differ by a suffix <c>___flavor</c>.
    /// </summary>
    public static string WithoutFlavor(string name)
    {
        var length = EssentialLength(name.AsSpan(), '_');
        return length == name.Length ? name : name[..length];
    }

    /// <summary>How much of a name, in UTF-8, stands before its <c>___flavor</c>.</summary>
    public static int EssentialLength(ReadOnlySpan<byte> name) => EssentialLength(name, (byte)'_');

    // As libbpf: three underscores with something other than an underscore before and behind.
    private static int EssentialLength<T>(ReadOnlySpan<T> name, T underscore)
        where T : IEquatable<T>
    {
        for (var i = name.Length - 5; i >= 0; i--)
        {
            if (
                name[i + 2].Equals(underscore)
                && name[i + 1].Equals(underscore)
                && name[i + 3].Equals(underscore)
                && !name[i].Equals(underscore)
                && !name[i + 4].Equals(underscore)
            )
            {
                return i + 1;
            }
        }
        return name.Length;
    }

    private static Dictionary<string, (ExternKind Kind, int Type)> SectionsOf(Btf btf)
    {
        var result = new Dictionary<string, (ExternKind Kind, int Type)>(StringComparer.Ordinal);
        for (var id = 1; id < btf.Count; id++)
        {
            var section = btf[id];
            if (section.Kind != BtfKind.DataSection || section.Name is not (KconfigSection or KsymsSection))
            {
                continue;
            }
            var isKconfig = section.Name == KconfigSection;
            for (var i = 0; i < section.Count; i++)
            {
                var type = btf[section.SectionVariable(i).Type];
                if (type is { Kind: BtfKind.Variable or BtfKind.Function, Linkage: BtfLinkage.Extern })
                {
                    result.TryAdd(
                        type.Name,
                        (
                            isKconfig ? ExternKind.Kconfig
                            : type.Kind == BtfKind.Function ? ExternKind.Function
                            : btf.SkipModifiers(type.Target) == 0 ? ExternKind.Symbol
                            : ExternKind.Variable,
                            type.Id
                        )
                    );
                }
            }
        }
        return result;
    }

    private void AddKconfig(ElfFile elf, ref Btf? btf, TargetKernel kernel, MapTable maps)
    {
        var types = btf!;
        var options = _externs
            .Values.Where(item => item.Kind == ExternKind.Kconfig)
            .Select(item =>
                (
                    Option: item,
                    Size: types.SizeOf(item.BtfType)
                        ?? throw elf.Broken(KconfigSection, $"'{item.Name}' is of a type that has no size"),
                    Alignment: types.AlignmentOf(item.BtfType)
                )
            )
            .OrderByDescending(item => item.Alignment)
            .ThenBy(item => item.Size)
            .ThenBy(item => item.Option.Name, StringComparer.Ordinal)
            .ToArray();
        if (options.Length == 0)
        {
            return;
        }
        ulong size = 0;
        foreach (var (option, optionSize, alignment) in options)
        {
            size = (size + alignment - 1) / alignment * alignment;
            option.Offset = (int)Math.Min(size, int.MaxValue);
            size += optionSize;
            if (size > ObjectReader.MaxFileSize)
            {
                throw elf.Broken(KconfigSection, $"the options have more than {ObjectReader.MaxFileSize} bytes");
            }
        }
        var value = new byte[size];
        foreach (var (option, optionSize, _) in options)
        {
            option.Problem = KconfigValue.Write(types, option, kernel, value.AsSpan(option.Offset, (int)optionSize));
        }
        var section = types.Find(KconfigSection, BtfKind.DataSection);
        var offsets = options.ToDictionary(item => item.Option.BtfType, item => (uint)item.Option.Offset);
        btf = types.WithDataSections(
            new Dictionary<int, (uint Size, uint[] Offsets)>
            {
                [section] = (
                    (uint)size,
                    [
                        .. Enumerable
                            .Range(0, types[section].Count)
                            .Select(i => offsets.GetValueOrDefault(types[section].SectionVariable(i).Type)),
                    ]
                ),
            }
        );
        KconfigMap = maps.Add(
            new MapSpec
            {
                Name = KconfigSection,
                Type = MapType.Array,
                KeySize = 4,
                ValueSize = (uint)size,
                MaxEntries = 1,
                Flags = MapFlags.ReadOnlyProgram,
                InitialValue = ImmutableArray.Create(value),
                IsFrozen = true,
                IsGlobalData = true,
                BtfValueType = section,
            }
        );
    }

    /// <summary>The index of the map of options; only with one.</summary>
    public int KconfigMap { get; private set; } = -1;
}

/// <summary>What an extern is.</summary>
internal enum ExternKind
{
    /// <summary>An option or fact of the kernel, by its value.</summary>
    Kconfig,

    /// <summary>A function of the kernel's.</summary>
    Function,

    /// <summary>A variable of the kernel's, with its type.</summary>
    Variable,

    /// <summary>A symbol of the kernel's without a type (<c>void</c>): its address is all there is.</summary>
    Symbol,
}

/// <summary>Something that a file names but does not define.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it is.</param>
/// <param name="BtfType">The id of its <c>VAR</c> or <c>FUNC</c>.</param>
/// <param name="IsWeak">True when programs can do without it.</param>
internal sealed record Extern(string Name, ExternKind Kind, int BtfType, bool IsWeak)
{
    /// <summary>For an option: its offset in the map of options.</summary>
    public int Offset { get; set; }

    /// <summary>For an option: why it has no value; null when it has one.</summary>
    public string? Problem { get; set; }
}
