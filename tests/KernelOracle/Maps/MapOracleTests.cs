using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Maps;

public class MapOracleTests
{
    private const int Steps = 600;

    // The highest bit of the ulong, an unknown low bit, and the defined ones with their combinations.
    private static readonly ulong[] s_flags = [0, 0, 0, 1, 2, 3, 4, 8, 1ul << 32, 1ul << 63];

    public static TheoryData<string, int> Cases()
    {
        var cases = new TheoryData<string, int>();
        foreach (var name in s_maps.Keys)
        {
            for (var seed = 1; seed <= 3; seed++)
            {
                cases.Add(name, seed);
            }
        }
        return cases;
    }

    private static readonly Dictionary<string, MapSpec> s_maps = new(StringComparer.Ordinal)
    {
        ["array"] = Spec(MapType.Array, 4, 12, 7),
        ["array of odd values"] = Spec(MapType.Array, 4, 3, 5),
        ["read-only array"] = Spec(MapType.Array, 4, 8, 3, MapFlags.ReadOnly),
        ["write-only array"] = Spec(MapType.Array, 4, 8, 3, MapFlags.WriteOnly),
        ["per-CPU array"] = Spec(MapType.PercpuArray, 4, 12, 5),
        ["hash"] = Spec(MapType.Hash, 4, 8, 16),
        ["hash of one"] = Spec(MapType.Hash, 1, 1, 1),
        ["hash with odd sizes"] = Spec(MapType.Hash, 7, 13, 20),
        ["hash with long keys"] = Spec(MapType.Hash, 40, 5, 9),
        ["hash without preallocation"] = Spec(MapType.Hash, 16, 24, 12, MapFlags.NoPrealloc),
        ["per-CPU hash"] = Spec(MapType.PercpuHash, 8, 12, 10),
        ["per-CPU hash without preallocation"] = Spec(MapType.PercpuHash, 2, 4, 6, MapFlags.NoPrealloc),
        ["LRU hash"] = Spec(MapType.LruHash, 4, 8, 1024),
        ["LRU hash that is full"] = Spec(MapType.LruHash, 4, 8, 64),
        ["LRU hash with lists per CPU that is full"] = Spec(MapType.LruHash, 4, 8, 64, MapFlags.NoCommonLru),
        ["LRU per-CPU hash"] = Spec(MapType.LruPercpuHash, 4, 6, 1024),
        ["LRU per-CPU hash that is full"] = Spec(MapType.LruPercpuHash, 4, 8, 40),
        ["LPM trie of IPv4 prefixes"] = Spec(MapType.LpmTrie, 8, 4, 24, MapFlags.NoPrealloc),
        ["LPM trie of IPv6 prefixes"] = Spec(MapType.LpmTrie, 20, 8, 24, MapFlags.NoPrealloc),
        ["LPM trie of 11-bit prefixes"] = Spec(MapType.LpmTrie, 6, 1, 24, MapFlags.NoPrealloc),
        ["prog array"] = Spec(MapType.ProgArray, 4, 4, 4),
        ["devmap"] = Spec(MapType.Devmap, 4, 4, 5),
        ["devmap with programs"] = Spec(MapType.Devmap, 4, 8, 5),
        ["devmap hash"] = Spec(MapType.DevmapHash, 4, 4, 5),
        ["cpumap"] = Spec(MapType.Cpumap, 4, 4, 3),
        ["xskmap"] = Spec(MapType.Xskmap, 4, 4, 4),
        ["perf event array"] = Spec(MapType.PerfEventArray, 4, 4, 4),
        ["array of maps"] = Spec(MapType.ArrayOfMaps, 4, 4, 4),
        ["hash of maps"] = Spec(MapType.HashOfMaps, 4, 4, 4),
        ["hash of maps without preallocation"] = Spec(MapType.HashOfMaps, 6, 4, 4, MapFlags.NoPrealloc),
        ["queue"] = Spec(MapType.Queue, 0, 12, 5),
        ["stack"] = Spec(MapType.Stack, 0, 3, 5),
        ["read-only queue"] = Spec(MapType.Queue, 0, 4, 2, MapFlags.ReadOnly),
        ["write-only stack"] = Spec(MapType.Stack, 0, 4, 2, MapFlags.WriteOnly),
        ["ring buffer"] = Spec(MapType.Ringbuf, 0, 0, 4096),
        // Large and with a fixed seed, so that what was not added is not found either.
        ["Bloom filter"] = Spec(MapType.BloomFilter, 0, 8, 100_000, MapFlags.ZeroSeed),
        ["Bloom filter of odd values"] = Spec(MapType.BloomFilter, 0, 7, 100_000, MapFlags.ZeroSeed) with { Extra = 3 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void RandomOperationsAnswerAsTheKernelDoes(string name, int seed)
    {
        Kernel.Require();
        var spec = s_maps[name];
        using var affinity = ThreadAffinity.Pin(0);
        using var kernelInner = new DisposableList<KernelMap>(s_inner.Select(inner => KernelMap.Create(inner)));
        using var engineInner = new DisposableList<NativeMap>(s_inner.Select(inner => MapFactory.Create(inner)));
        using var kernelMap = KernelMap.Create(spec, kernelInner[0]);
        using var engineMap = MapFactory.Create(
            spec with
            {
                Inner = s_inner[0],
            },
            new MapOptions { CpuCount = KernelMap.PossibleCpus }
        );
        var (kernel, engine) = (
            new KernelMapCommands(kernelMap, kernelInner),
            new EngineMapCommands(engineMap, engineInner)
        );
        Assert.Equal(kernel.SyscallValueSize, engine.SyscallValueSize);
        var operations = new MapOperations(spec, kernel.SyscallValueSize, new Random(seed));
        for (var step = 0; step < Steps; step++)
        {
            var operation = operations.Next(s_flags);
            var (expected, actual) = (operation(kernel), operation(engine));
            Assert.True(expected == actual, $"step {step}: kernel: {expected}; ours: {actual}");
        }
        // The numbers of maps differ.
        var withValues = spec.Type is not (MapType.ArrayOfMaps or MapType.HashOfMaps);
        Assert.Equal(MapDump.Entries(kernel, withValues), MapDump.Entries(engine, withValues));
        if (spec.Type is MapType.LpmTrie)
        {
            Assert.Equal(MapDump.Keys(kernel), MapDump.Keys(engine));
        }
    }

    // For maps of maps: the template, a map like it but for its size, and two unlike it.
    private static readonly MapSpec[] s_inner =
    [
        Spec(MapType.Hash, 4, 8, 2),
        Spec(MapType.Hash, 4, 8, 3),
        Spec(MapType.Hash, 4, 4, 2),
        Spec(MapType.Hash, 4, 8, 2, MapFlags.NoPrealloc),
    ];

    private sealed class DisposableList<T>(IEnumerable<T> items) : List<T>(items), IDisposable
        where T : IDisposable
    {
        public void Dispose() => ForEach(item => item.Dispose());
    }

    private static MapSpec Spec(MapType type, uint key, uint value, uint entries, MapFlags flags = MapFlags.None) =>
        new()
        {
            Name = "oracle",
            Type = type,
            KeySize = key,
            ValueSize = value,
            MaxEntries = entries,
            Flags = flags,
        };
}
