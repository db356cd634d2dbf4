namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Checksum differences of memory of any size and alignment.</summary>
internal static class ChecksumCases
{
    private static readonly int[] s_sizes = [0, 1, 2, 3, 4, 5, 7, 8, 13, 20, 63, 64, 200];

    /// <summary>Every size with every other, with some seeds.</summary>
    public static IEnumerable<CallCase> All =>
        from seed in new[] { 0L, 1, 0xffff, 0x12345678, uint.MaxValue, -1, 0x1_0000_0001 }
        from content in new[] { "random", "zeros", "ones" }
        from part in s_sizes.Chunk(4)
        select new CallCase(
            $"csum_diff of {content}, seed {seed}, {string.Join(' ', part)} bytes and others",
            string.Join('\n', part.SelectMany(old => s_sizes.Select(@new => Call(old, @new, seed))))
        )
        {
            Memory = Content(content),
        };

    private static string Call(int from, int to, long seed) =>
        $"""
            {(from == 0 ? "r1 = 0" : "r1 = r7\nr1 += 1")}
            r2 = {from}
            {(to == 0 ? "r3 = 0" : "r3 = r7\nr3 += 256")}
            r4 = {to}
            r5 = {seed} ll
            call 28
            record
            """;

    private static byte[] Content(string kind)
    {
        var memory = new byte[CallCase.MemorySize];
        switch (kind)
        {
            case "random":
                new Random(28).NextBytes(memory);
                break;
            case "ones":
                memory.AsSpan().Fill(0xff);
                break;
        }
        return memory;
    }
}
