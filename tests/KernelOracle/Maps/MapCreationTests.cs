using System.Text.RegularExpressions;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Maps;

/// <summary>Definitions of maps, sound and odd: both sides make the map, or refuse with the same error number.</summary>
public sealed partial class MapCreationTests
{
    private static readonly uint[] s_sizes = [0, 1, 3, 4, 5, 8, 12, 16, 260, 261, 512, 1024];
    private static readonly uint[] s_entries = [0, 1, 3, 4096, 8192];

    // Every flag that there is, one that there is not, and pairs that exclude each other.
    private static readonly uint[] s_flags =
    [
        .. Enumerable.Range(0, 20).Select(bit => 1u << bit),
        0,
        1u << 31,
        (1 << 3) | (1 << 4),
        (1 << 7) | (1 << 8),
        (1 << 0) | (1 << 1),
        (1 << 0) | (1 << 6),
    ];

    public static TheoryData<MapType> Types => [.. MapTypeTable.All.Select(type => type.Type)];

    [Theory]
    [MemberData(nameof(Types))]
    public void DefinitionsAreTakenOrRefusedAsByTheKernel(MapType type)
    {
        Kernel.Require();
        var differences = new List<string>();
        // The kernel's limit for cpumaps is the number of CPUs that it was built for, which others choose otherwise.
        foreach (var spec in Definitions(type).Where(spec => type != MapType.Cpumap || spec.MaxEntries < 64))
        {
            var (kernel, engine) = (AskKernel(spec), AskEngine(spec));
            if (kernel != engine)
            {
                differences.Add(
                    $"key {spec.KeySize} value {spec.ValueSize} entries {spec.MaxEntries} flags {(uint)spec.Flags:x} extra {spec.Extra} inner {spec.Inner?.Type}: kernel {kernel}, ours {engine}"
                );
            }
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    /// <summary>One thing odd at a time, and then two, around a definition that is sound.</summary>
    private static IEnumerable<MapSpec> Definitions(MapType type)
    {
        var sound = Sound(type);
        yield return sound;
        foreach (var flags in s_flags)
        {
            yield return sound with
            {
                Flags = sound.Flags | (MapFlags)flags,
            };
            yield return sound with
            {
                Flags = (MapFlags)flags,
            };
        }
        foreach (var size in s_sizes)
        {
            yield return sound with
            {
                KeySize = size,
            };
            yield return sound with
            {
                ValueSize = size,
            };
            foreach (var other in s_sizes)
            {
                yield return sound with
                {
                    KeySize = size,
                    ValueSize = other,
                };
            }
        }
        foreach (
            var size in (uint[])[32768, 32776, 65536, (4 << 20) - 64, (4 << 20) - 7, 4 << 20, (4 << 20) + 1, 1u << 31]
        )
        {
            // Sizes at the limits are taken with a few entries.
            yield return sound with
            {
                ValueSize = size,
                MaxEntries = Math.Min(sound.MaxEntries, 4096),
            };
            yield return sound with
            {
                KeySize = size,
            };
        }
        foreach (var entries in s_entries)
        {
            yield return sound with
            {
                MaxEntries = entries,
            };
            yield return sound with
            {
                MaxEntries = entries,
                ValueSize = 0,
            };
        }
        foreach (var extra in (ulong[])[1, 15, 16, 1ul << 32])
        {
            yield return sound with
            {
                Extra = extra,
            };
        }
        if (sound.Inner is not null)
        {
            yield return sound with
            {
                Inner = null,
            };
            foreach (var inner in MapTypeTable.All)
            {
                yield return sound with
                {
                    Inner = Sound(inner.Type),
                };
            }
        }
    }

    internal static MapSpec Sound(MapType type)
    {
        var (key, value, entries, flags) = type switch
        {
            MapType.Ringbuf or MapType.UserRingbuf => (0u, 0u, 4096u, MapFlags.None),
            MapType.Queue or MapType.Stack or MapType.BloomFilter => (0u, 8u, 4u, MapFlags.None),
            MapType.LpmTrie => (8u, 4u, 4u, MapFlags.NoPrealloc),
            _ => (4u, 4u, 4u, MapFlags.None),
        };
        return new MapSpec
        {
            Name = "odd",
            Type = type,
            KeySize = key,
            ValueSize = value,
            MaxEntries = entries,
            Flags = flags,
            Inner = type is MapType.ArrayOfMaps or MapType.HashOfMaps ? Sound(MapType.Hash) : null,
        };
    }

    private static string AskKernel(MapSpec spec)
    {
        try
        {
            using var inner = spec.Inner is { } template ? KernelMap.Create(template, MakeInner(template)) : null;
            using var map = KernelMap.Create(spec, inner);
            return "taken";
        }
        catch (KernelBpfException exception)
        {
            return NameOf(exception.ErrorNumber);
        }
    }

    private static string NameOf(int error) =>
        typeof(Errno).GetFields().FirstOrDefault(field => (int)field.GetRawConstantValue()! == error)?.Name
        ?? $"error {error}";

    private static KernelMap? MakeInner(MapSpec spec) => spec.Inner is { } inner ? KernelMap.Create(inner) : null;

    private static string AskEngine(MapSpec spec)
    {
        try
        {
            using var map = MapFactory.Create(spec, new MapOptions { CpuCount = KernelMap.PossibleCpus });
            return "taken";
        }
        catch (InputException exception)
        {
            return Answer().Match(exception.Message) is { Success: true } match
                ? match.Groups["error"].Value
                : exception.Message;
        }
    }

    [GeneratedRegex(
        @"the kernel answers (?<error>\w+)\)$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Answer();
}
