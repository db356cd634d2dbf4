using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>What redirect_map answers: every flag, on every type of map that holds targets.</summary>
internal static class RedirectCases
{
    // The first map behind those that every case has.
    private const int Targets = CallCase.ConstantMap + 1;
    private const uint Loopback = 1;
    private const uint QueueSize = 64;

    // The low bits say what to return without a target, the others what there is, and what there is not.
    private static readonly ulong[] s_flags =
    [
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        9,
        11,
        16,
        18,
        24,
        26,
        27,
        32,
        1 << 16,
        1ul << 32,
        (1ul << 32) | 1,
        1ul << 63,
        ulong.MaxValue,
    ];

    /// <summary>All of them.</summary>
    public static IEnumerable<CallCase> All =>
        from type in new[] { MapType.Devmap, MapType.DevmapHash, MapType.Cpumap, MapType.Xskmap }
        from key in new[] { 0L, 1, 4, -1, 1L << 32 }
        select new CallCase(
            $"redirect_map, {type}, key {key}",
            string.Join(
                '\n',
                s_flags.Select(flags =>
                    $"""
                        r1 = map[{Targets}] ll
                        r2 = {key} ll
                        r3 = {(long)flags} ll
                        call 51
                        record
                        """
                )
            )
        )
        {
            Maps =
            [
                new MapSpec
                {
                    Name = "targets",
                    Type = type,
                    KeySize = 4,
                    ValueSize = 4,
                    MaxEntries = 4,
                },
            ],
            Entries = type switch
            {
                MapType.Xskmap => [],
                MapType.Cpumap => [(Targets, Word(0), Word(QueueSize))],
                _ => [(Targets, Word(0), Word(Loopback))],
            },
        };

    /// <summary>redirect, which has no flags.</summary>
    public static IEnumerable<CallCase> ToInterfaces =>
        [
            new(
                "redirect",
                string.Join(
                    '\n',
                    from ifindex in new[] { 0L, 1, 77, -1, 1L << 32 }
                    from flags in new[] { 0L, 1, 8, 1L << 32, -1 }
                    select $"""
                    r1 = {ifindex} ll
                    r2 = {flags} ll
                    call 23
                    record
                    """
                )
            ),
        ];

    private static byte[] Word(uint value) => BitConverter.GetBytes(value);
}
