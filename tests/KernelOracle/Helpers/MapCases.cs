using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Maps of every type as programs use them, at their limits: full, absent keys, wrong flags.</summary>
internal static class MapCases
{
    // A key on the stack, and the map under test, which is the first behind those that every case has.
    private const string Key = "r2 = r10\nr2 += -8";
    private const string Map = "r1 = map[3] ll";

    private static readonly ulong[] s_flags = [0, 1, 2, 3, 4, 5, 6, 8, 1ul << 32, 1ul << 63];

    /// <summary>Look-ups, updates and deletions.</summary>
    public static IEnumerable<CallCase> Storage =>
        from spec in new[]
        {
            Spec(MapType.Array, 4, 8, 2),
            Spec(MapType.PercpuArray, 4, 8, 2),
            Spec(MapType.Hash, 4, 8, 2),
            Spec(MapType.Hash, 4, 8, 2, MapFlags.NoPrealloc),
            Spec(MapType.PercpuHash, 4, 8, 2),
            Spec(MapType.LruHash, 4, 8, 64),
            Spec(MapType.LruPercpuHash, 4, 8, 64),
            Spec(MapType.LpmTrie, 8, 8, 2, MapFlags.NoPrealloc),
        }
        select new CallCase(
            $"{spec.Type}, flags {spec.Flags}",
            string.Join(
                '\n',
                (string[])
                    [
                        .. s_flags.Select(flags => Update(key: 0, flags)),
                        Update(1, 0),
                        Update(2, 0),
                        Update(3, 0),
                        Look(1),
                        Look(9),
                        Delete(1),
                        Delete(1),
                        .. s_flags.Skip(1).Select(flags => Update(key: 7, flags)),
                        Look(1),
                        Look(0),
                    ]
            )
        )
        {
            Maps = [spec],
        };

    /// <summary>Look-ups of the values of other CPUs.</summary>
    public static IEnumerable<CallCase> PerCpu =>
        from type in new[] { MapType.PercpuArray, MapType.PercpuHash, MapType.LruPercpuHash }
        select new CallCase(
            $"values per CPU of {type}",
            string.Join(
                '\n',
                new (int Key, ulong Cpu)[]
                {
                    (0, 0),
                    (0, 1),
                    (0, 100_000),
                    (0, uint.MaxValue),
                    (0, 1ul << 32),
                    (1, 0),
                    (5, 0),
                }.Select(of =>
                    $"""
                        {SetKey(of.Key)}
                        {Map}
                        {Key}
                        r3 = {(long)of.Cpu} ll
                        call 195
                        if r0 == 0 goto +2
                        r1 = r0
                        r0 = *(u64 *)(r1 + 0)
                        record
                        """
                )
            )
        )
        {
            Maps = [Spec(type, 4, 8, 2)],
        };

    /// <summary>Maps of maps that are empty.</summary>
    public static IEnumerable<CallCase> OfMaps =>
        from type in new[] { MapType.ArrayOfMaps, MapType.HashOfMaps }
        select new CallCase($"{type} without maps", $"{Look(0)}\n{Look(9)}")
        {
            Maps = [Spec(type, 4, 4, 2) with { Inner = Spec(MapType.Hash, 4, 8, 2) }],
        };

    /// <summary>Queues, stacks and Bloom filters.</summary>
    public static IEnumerable<CallCase> Queues =>
        [
            .. from type in new[] { MapType.Queue, MapType.Stack }
            select new CallCase(
                $"{type}",
                string.Join(
                    '\n',
                    (string[])
                        [
                            Pop(88),
                            Pop(89),
                            .. s_flags.SelectMany((flags, i) => new[] { Push((uint)i, flags), Pop(89) }),
                            Pop(88),
                            Pop(88),
                            Pop(88),
                            Push(77, 0),
                            Pop(88),
                            Pop(88),
                        ]
                )
            )
            {
                Maps = [Spec(type, 0, 8, 2)],
            },
            new(
                "Bloom filter",
                string.Join(
                    '\n',
                    (string[])
                        [
                            Ask(5),
                            .. s_flags.Select((flags, i) => Push((uint)i, flags)),
                            .. Enumerable.Range(0, 12).Select(i => Ask((uint)i)),
                        ]
                )
            )
            {
                Maps = [Spec(MapType.BloomFilter, 0, 8, 100_000, MapFlags.ZeroSeed)],
            },
        ];

    /// <summary>Ring buffers: records reserved, submitted, discarded and copied, until it is full.</summary>
    public static IEnumerable<CallCase> Ringbufs =>
        [
            new(
                "records of all lengths",
                string.Join(
                    '\n',
                    (string[])
                        [
                            .. new ulong[] { 0, 1, 2, 3, 4, 1ul << 32, 1ul << 63 }.Select(flags => Output(16, flags)),
                            .. new[] { 0, 1, 7, 8, 9, 255, 512 }.Select(size => Output(size, 0) + Query()),
                            .. Enumerable.Range(0, 8).Select(_ => Output(512, 0)),
                            Query(),
                        ]
                )
            )
            {
                Maps = [Spec(MapType.Ringbuf, 0, 0, 4096)],
            },
            .. new[] { 0, 8, 100, 4079, 4080, 4081, 4088, 4096, 1 << 20, (1 << 30) - 1, 1 << 30, int.MaxValue }.Select(
                size => new CallCase(
                    $"records of {size} bytes",
                    $"{Reserve(size, 0, "132")}{Query()}{Reserve(size, 1, "132")}{Reserve(size, 0, "133")}{Query()}"
                )
                {
                    Maps = [Spec(MapType.Ringbuf, 0, 0, 4096)],
                }
            ),
        ];

    /// <summary>Records as dynptrs.</summary>
    public static IEnumerable<CallCase> RingbufDynptrs =>
        new ulong[] { 0, 8, 100, 4080, 4088, (1 << 24) - 1, 1 << 24, uint.MaxValue, (1ul << 32) | 8 }.Select(
            size => new CallCase(
                $"a record of {size} bytes as a dynptr",
                string.Join(
                    '\n',
                    from flags in new[] { 0, 1 }
                    from release in new[] { 199, 200 }
                    select $"""
                    {Map}
                    r2 = {size} ll
                    r3 = {flags}
                    r4 = r10
                    r4 += -32
                    call 198
                    record
                    r1 = r10
                    r1 += -32
                    r2 = 0
                    r3 = r7
                    r4 = 8
                    r5 = 0
                    call 202
                    record
                    r1 = r10
                    r1 += -32
                    r2 = 0
                    call {release}
                    {Query()}
                    """
                )
            )
            {
                Maps = [Spec(MapType.Ringbuf, 0, 0, 4096)],
            }
        );

    /// <summary>Events for which nobody has opened a ring.</summary>
    public static IEnumerable<CallCase> PerfEvents =>
        [
            new(
                "events without a reader",
                string.Join(
                    '\n',
                    new ulong[]
                    {
                        0,
                        1,
                        2,
                        uint.MaxValue,
                        uint.MaxValue | (64ul << 32),
                        uint.MaxValue | (65ul << 32),
                        2 | (65ul << 32),
                        1ul << 52,
                        1ul << 63,
                    }.Select(flags =>
                        $"""
                            r1 = r6
                            r2 = map[3] ll
                            r3 = {(long)flags} ll
                            r4 = r7
                            r5 = 16
                            call 25
                            record
                            """
                    )
                )
            )
            {
                Maps = [Spec(MapType.PerfEventArray, 4, 4, 2)],
            },
            new(
                "counters that there are not",
                string.Join(
                    '\n',
                    from flags in new ulong[] { 0, 1, 2, uint.MaxValue, 1ul << 32, 1ul << 63 }
                    select $"""
                    r1 = map[3] ll
                    r2 = {(long)flags} ll
                    call 22
                    record
                    r1 = map[3] ll
                    r2 = {(long)flags} ll
                    r3 = r7
                    r4 = 24
                    call 55
                    record
                    r1 = map[3] ll
                    r2 = {(long)flags} ll
                    r3 = r7
                    r4 = 8
                    call 55
                    record
                    """
                )
            )
            {
                Maps = [Spec(MapType.PerfEventArray, 4, 4, 2)],
            },
        ];

    /// <summary>Maps of sockets that hold none.</summary>
    public static IEnumerable<CallCase> Sockets =>
        from type in new[] { MapType.Sockmap, MapType.Sockhash }
        select new CallCase(
            $"{type} without sockets",
            $"""
            {SetKey(1)}
            {Map}
            {Key}
            call 1
            r9 = 0
            if r0 == 0 goto +3
            r1 = r0
            call 86
            r9 = 1
            r0 = r9
            record
            {Delete(1)}
            {Delete(9)}
            """
        )
        {
            Maps = [Spec(type, 4, 4, 2)],
        };

    private static string SetKey(int key) => $"r1 = {key}\n*(u64 *)(r10 - 8) = r1";

    private static string Update(int key, ulong flags) =>
        $"""
            {SetKey(key)}
            {Map}
            {Key}
            r3 = r7
            r4 = {(long)flags} ll
            call 2
            record
            """;

    // Whether it is there.
    private static string Look(int key) =>
        $"""
            {SetKey(key)}
            {Map}
            {Key}
            call 1
            if r0 == 0 goto +1
            r0 = 1
            record
            """;

    private static string Delete(int key) => $"{SetKey(key)}\n{Map}\n{Key}\ncall 3\nrecord";

    private static string Push(uint value, ulong flags) =>
        $"""
            {SetKey((int)value)}
            {Map}
            {Key}
            r3 = {(long)flags} ll
            call 87
            record
            """;

    private static string Pop(int helper) =>
        $"""
            {SetKey(0x5555)}
            {Map}
            {Key}
            call {helper}
            record
            r0 = *(u64 *)(r10 - 8)
            record
            """;

    private static string Ask(uint value) => $"{SetKey((int)value)}\n{Map}\n{Key}\ncall 89\nrecord";

    private static string Output(int size, ulong flags) =>
        $"""
            {Map}
            r2 = r7
            r3 = {size}
            r4 = {(long)flags} ll
            call 130
            record

            """;

    // Reserves a record and says whether there was room.
    private static string Reserve(int size, int flags, string release) =>
        $"""
            {Map}
            r2 = {size}
            r3 = {flags}
            call 131
            r9 = 0
            if r0 == 0 goto +4
            r9 = 1
            r1 = r0
            r2 = 0
            call {release}
            r0 = r9
            record

            """;

    private static string Query() =>
        string.Concat(new[] { 0, 1, 2, 3, 4 }.Select(what => $"{Map}\nr2 = {what}\ncall 134\nrecord\n"));

    private static MapSpec Spec(MapType type, uint key, uint value, uint entries, MapFlags flags = MapFlags.None) =>
        new()
        {
            Name = "tested",
            Type = type,
            KeySize = key,
            ValueSize = value,
            MaxEntries = entries,
            Flags = flags,
        };
}
