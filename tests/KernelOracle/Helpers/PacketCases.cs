using System.Globalization;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Helpers on packets, linear ones and such as have fragments.</summary>
internal static class PacketCases
{
    private const int LinearCapacity = 3520;
    private const int Page = 4096;

    // Linear packets, packets that just have a fragment, several, and as many as there may be.
    private static readonly int[] s_lengths =
    [
        14,
        64,
        LinearCapacity,
        LinearCapacity + 1,
        LinearCapacity + Page,
        LinearCapacity + Page + 1,
        9000,
        65536,
        LinearCapacity + (17 * Page),
    ];

    /// <summary>Bytes copied out of packets and into them.</summary>
    public static IEnumerable<CallCase> Bytes =>
        from length in s_lengths
        from isFrags in new[] { false, true }
        select new CallCase(
            $"load and store, {length} bytes, {(isFrags ? "" : "not ")}frags",
            string.Join('\n', Ranges(length).Select(range => LoadAndStore(range.Offset, range.Size)))
        )
        {
            PacketLength = length,
            IsFrags = isFrags,
        };

    /// <summary>The tail moved, and what grows and shrinks with it.</summary>
    public static IEnumerable<CallCase> Tail =>
        from length in s_lengths
        from moves in s_moves
        select new CallCase(
            $"adjust_tail {string.Join(' ', moves)}, {length} bytes",
            string.Join('\n', moves.Select(move => Adjust(65, move)))
        )
        {
            PacketLength = length,
            IsFrags = true,
        };

    /// <summary>Fragments pulled into the linear part, and what can be done with the rest.</summary>
    public static IEnumerable<CallCase> Pulled =>
        from length in s_lengths
        from wanted in new[] { 0, 14, 3500, LinearCapacity, LinearCapacity + 1, 3736, 3737, 65535, 80000, -1 }
        select new CallCase(
            $"pull_data {wanted}, {length} bytes",
            $"""
            r1 = r6
            r2 = {wanted}
            kfunc bpf_xdp_pull_data
            record
            r2 = *(u32 *)(r6 + 0)
            r0 = *(u32 *)(r6 + 4)
            r0 -= r2
            record
            {LoadAndStore(LinearCapacity + Page - 5, 100)}
            {Adjust(65, 1)}
            {Adjust(65, -2)}
            {Adjust(65, 2)}
            {Adjust(65, -Page)}
            {Adjust(65, 100)}
            {Adjust(65, -2 * Page)}
            {Adjust(65, 1)}
            """
        )
        {
            PacketLength = length,
            IsFrags = true,
        };

    private static readonly long[][] s_moves =
    [
        [0, -1, 1, 1, -1, -1],
        [1],
        [Page, Page - 1, -Page, 100, -Page, 300],
        [-3000, 2999, 2, -600, 599, 2],
        [-65536, -20000, 1, 2000, -20000, 1, 4000],
        [int.MinValue, int.MaxValue, 1L << 32, 0x1_0000_0001, -1L << 32],
    ];

    private static IEnumerable<(long Offset, int Size)> Ranges(int length) =>
        [
            (0, 1),
            (0, 14),
            (length - 14, 14),
            (length - 13, 14),
            (length - 1, 1),
            (length, 1),
            (LinearCapacity - 5, 10),
            (LinearCapacity, 10),
            (LinearCapacity + Page - 5, 10),
            (LinearCapacity - 5, 250),
            (-1, 8),
            (0xffff, 1),
            (0x10000, 1),
            (0xfff0, 32),
            (1L << 32, 4),
            (uint.MaxValue, 4),
        ];

    private static string LoadAndStore(long offset, int size) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            r1 = r6
            r2 = {offset} ll
            r3 = r7
            r4 = {size}
            call 189
            record
            r1 = r6
            r2 = {offset} ll
            r3 = r7
            r3 += 3
            r4 = {size}
            call 190
            record
            """
        );

    private static string Adjust(int helper, long move) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            r1 = r6
            r2 = {move} ll
            call {helper}
            record
            r1 = r6
            call 188
            record
            """
        );
}
