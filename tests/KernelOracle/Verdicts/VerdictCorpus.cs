using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Verdicts;

/// <summary>A small program and whether the kernel takes it.</summary>
/// <param name="Name">What the program does, as a sentence without its subject.</param>
/// <param name="IsAccepted">The kernel's verdict.</param>
/// <param name="Text">The program, for the assembler.</param>
/// <param name="Kfuncs">The kfuncs that it calls, by index.</param>
/// <param name="Functions">The names of the types that its functions behind the entry have; those not named are static.</param>
internal sealed partial record VerdictCase(
    string Name,
    bool IsAccepted,
    string Text,
    ImmutableArray<string> Kfuncs,
    ImmutableArray<string> Functions
)
{
    /// <summary>The structure whose members' places cases name: <c>nf_conn.mark</c>, <c>nf_conn.mark+1</c>, <c>nf_conn.size</c>.</summary>
    public const string Structure = "nf_conn";

    /// <summary>True when it is about the kernel's structures, of which the kernel must tell the types.</summary>
    public bool NeedsKernelTypes =>
        Kfuncs.Any(kfunc => kfunc.Contains("_ct_", StringComparison.Ordinal))
        || Kfuncs.Any(kfunc => kfunc.Contains("cast", StringComparison.Ordinal))
        || Functions.Any(function => function.Contains("trusted", StringComparison.Ordinal));

    /// <summary>The program, assembled.</summary>
    public ProgramSpec Assemble()
    {
        var instructions = Assembler.Assemble(MemberPlace().Replace(Text, match => $"{PlaceOf(match)}"));
        return new ProgramSpec
        {
            Name = "verdict",
            Section = "xdp",
            Instructions = instructions,
            Functions = FunctionsOf(instructions),
            Kfuncs = [.. Kfuncs.Select(name => new KfuncReference(name, BtfType: 0, IsWeak: false))],
        };
    }

    public override string ToString() => Name;

    [GeneratedRegex(
        Structure + @"\.(?<member>\w+)(\+(?<more>\d+))?",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex MemberPlace();

    private static long PlaceOf(Match match)
    {
        var types = TargetKernel.Running.Types!;
        var structure = types.Find(Structure, BtfKind.Struct);
        var member = match.Groups["member"].Value;
        long? place = member == "size" ? types.SizeOf(structure) : types.OffsetOf(structure, member);
        Assert.SkipWhen(place is null, $"the kernel's struct {Structure} has no member '{member}'");
        return place.Value
            + (
                match.Groups["more"].Success
                    ? int.Parse(match.Groups["more"].ValueSpan, CultureInfo.InvariantCulture)
                    : 0
            );
    }

    private ImmutableArray<FunctionSpec> FunctionsOf(ImmutableArray<Instruction> instructions)
    {
        var starts = InstructionValidator.FindFunctions(instructions.AsSpan());
        var ends = starts.Skip(1).Append(instructions.Length);
        return
        [
            .. starts
                .Zip(ends, Enumerable.Range(-1, starts.Length))
                .Select(f => FunctionOf(f.First, f.Second, f.Third)),
        ];
    }

    private FunctionSpec FunctionOf(int start, int end, int index)
    {
        var type =
            index >= 0 && index < Functions.Length
                ? VerdictTypes.Functions[Functions[index]]
                : VerdictTypes.StaticFunction;
        var isGlobal = VerdictTypes.Btf[type].Linkage == BtfLinkage.Global;
        return new FunctionSpec($"function_{start}", start, end - start, isGlobal, type)
        {
            Prototype = isGlobal ? FunctionPrototype.Read(VerdictTypes.Btf, type) : null,
        };
    }
}

/// <summary>
/// The programs of <c>Corpus/</c>. A file starts with a line that says what it is about; each case starts with
/// <c>== what it does: accept</c> or <c>reject</c>, and the program follows, behind a line <c>kfuncs: name, …</c> where it
/// calls any, and a line <c>functions: name, …</c> where any but the entry are not plain static ones. Maps are those of <see cref="Maps"/>.
/// </summary>
internal static class VerdictCorpus
{
    /// <summary>The licence that all cases have.</summary>
    public const string License = "GPL";

    /// <summary>The maps that cases may use, by index.</summary>
    public static ImmutableArray<MapSpec> Maps { get; } =
    [
        MapOf("array", MapType.Array, 4, 48, 4),
        MapOf("hash", MapType.Hash, 4, 16, 4),
        MapOf("prog_array", MapType.ProgArray, 4, 4, 4),
        MapOf("devmap", MapType.Devmap, 4, 4, 4),
        MapOf("frozen", MapType.Array, 4, 16, 1) with
        {
            Flags = MapFlags.ReadOnlyProgram,
            IsFrozen = true,
            // Little-endian numbers: 40 (which fits the array's value less 8), 41, and two zeros.
            InitialValue = [40, 0, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        },
        MapOf("percpu", MapType.PercpuArray, 4, 16, 4),
        MapOf("trie", MapType.LpmTrie, 8, 8, 4) with
        {
            Flags = MapFlags.NoPrealloc,
        },
        MapOf("xskmap", MapType.Xskmap, 4, 4, 4),
        MapOf("ringbuf", MapType.Ringbuf, 0, 0, 4096),
        MapOf("array_of_maps", MapType.ArrayOfMaps, 4, 4, 4) with
        {
            Inner = MapOf("inner", MapType.Array, 4, 16, 4),
        },
        MapOf("hash_of_maps", MapType.HashOfMaps, 4, 4, 4) with
        {
            Inner = MapOf("inner", MapType.Hash, 4, 8, 4),
        },
        MapOf("locked", MapType.Hash, 4, 16, 4) with
        {
            BtfKeyType = VerdictTypes.Integer,
            BtfValueType = VerdictTypes.LockedValue,
            SpecialFields = [new SpecialField(SpecialFieldKind.SpinLock, VerdictTypes.LockOffset, 4)],
        },
        MapOf("formats", MapType.Array, 4, 56, 1) with
        {
            Flags = MapFlags.ReadOnlyProgram,
            IsFrozen = true,
            InitialValue =
            [
                .. "%d\0\0\0\0\0\0%q\0\0\0\0\0\0%s %pI4\0%\0\0\0\0\0\0\0100%%\0\0\0\t\u007f\0\0\0\0\0\0%5lld%p\0"u8,
            ],
        },
        Timed("timed"),
        Timed("timed_too"),
        MapOf("array_of_timed", MapType.ArrayOfMaps, 4, 4, 4) with
        {
            Inner = Timed("inner"),
        },
    ];

    /// <summary>All cases, by file.</summary>
    public static IEnumerable<VerdictCase> Cases()
    {
        var folder = Repository.PathOf("tests", "KernelOracle", "Verdicts", "Corpus");
        foreach (var file in Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal))
        {
            foreach (var part in File.ReadAllText(file).Split("\n== ").Skip(1))
            {
                yield return Parse(file, part);
            }
        }
    }

    private static VerdictCase Parse(string file, string part)
    {
        var end = part.IndexOf('\n', StringComparison.Ordinal);
        var (title, text) = (part[..end], part[end..]);
        var colon = title.LastIndexOf(": ", StringComparison.Ordinal);
        var isAccepted = title[(colon + 2)..] switch
        {
            "accept" => true,
            "reject" => false,
            var other => throw new InvalidDataException($"{file}: {title}: '{other}' is no verdict"),
        };
        var kfuncs = TakeList(ref text, "\nkfuncs: ");
        var functions = TakeList(ref text, "\nfunctions: ");
        return new VerdictCase(title[..colon], isAccepted, text, kfuncs, functions);
    }

    // The names in a line that the text may begin with, which is taken off.
    private static ImmutableArray<string> TakeList(ref string text, string start)
    {
        if (!text.StartsWith(start, StringComparison.Ordinal))
        {
            return [];
        }
        var end = text.IndexOf('\n', start.Length);
        var list = text[start.Length..end];
        text = text[end..];
        return [.. list.Split(", ")];
    }

    private static MapSpec Timed(string name) =>
        MapOf(name, MapType.Array, 4, 32, 4) with
        {
            BtfKeyType = VerdictTypes.Integer,
            BtfValueType = VerdictTypes.TimedValue,
            SpecialFields = [new SpecialField(SpecialFieldKind.Timer, VerdictTypes.TimerOffset, 16)],
        };

    private static MapSpec MapOf(string name, MapType type, uint key, uint value, uint entries) =>
        new()
        {
            Name = name,
            Type = type,
            KeySize = key,
            ValueSize = value,
            MaxEntries = entries,
        };
}
