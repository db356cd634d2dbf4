using FsCheck;
using FsCheck.Fluent;

namespace RxStages.Bpf.Tests.Helpers;

public unsafe class ChecksumHelperTests
{
    private static readonly uint[] A = [0x01020304, 0xffffffff, 0, 0xdeadbeef];
    private static readonly uint[] B = [0xffff0000, 0x0000ffff];
    private static readonly uint[] Zero = [0, 0];

    // Results of the same calls on Linux 6.18.
    public static TheoryData<uint[], uint, uint[], uint, uint, long> Recorded =>
        new()
        {
            { A, 16, B, 8, 0, 24156 },
            { A, 16, B, 0, 0, 24156 },
            { A, 0, B, 8, 0, 65535 },
            { A, 0, B, 0, 0x12345678, 26796 },
            { A, 3, B, 8, 0, 64761 },
            { Zero, 8, Zero, 8, 0, 65535 },
            { Zero, 8, B, 0, 0, 0 },
            { A, 0, Zero, 8, 0, 0 },
            { A, 16, A, 16, 0, 65535 },
            { A, 16, B, 8, 0xffffffff, 24156 },
            { B, 8, A, 16, 0x8001, 8613 },
            { A, 0, B, 0, 0xffffffff, 65535 },
            { A, 4, A, 6, 1, 1 },
        };

    [Theory]
    [MemberData(nameof(Recorded))]
    public void DifferencesAreTheKernels(uint[] from, uint fromSize, uint[] to, uint toSize, uint seed, long expected)
    {
        using var bench = new HelperBench();
        // Spans, since the analyser does not count an address taken as a use of the parameter.
        ReadOnlySpan<uint> before = from;
        ReadOnlySpan<uint> after = to;
        fixed (
            uint* f = before,
                t = after
        )
        {
            Assert.Equal(
                expected,
                bench.Call(
                    "csum_diff",
                    fromSize == 0 ? 0 : (ulong)f,
                    fromSize,
                    toSize == 0 ? 0 : (ulong)t,
                    toSize,
                    seed
                )
            );
        }
    }

    /// <summary>What the helper is for: an Internet checksum kept right while words change.</summary>
    [Fact]
    public void ADifferenceCorrectsAChecksum()
    {
        Prop.ForAll(
                Gen.Choose(0, 0xffff).Select(value => (ushort)value).ArrayOf(10).ToArbitrary(),
                Gen.Choose(0, 0xffff).Select(value => (ushort)value).ArrayOf(2).ToArbitrary(),
                (header, replacement) =>
                {
                    using var bench = new HelperBench();
                    var before = Checksum(header);
                    long difference;
                    fixed (
                        ushort* from = &header[4],
                            to = replacement
                    )
                    {
                        difference = bench.Call("csum_diff", (ulong)from, 4, (ulong)to, 4, (ushort)~before);
                    }
                    replacement.CopyTo(header, 4);
                    // 0 and 0xffff are the same number in one's complement.
                    return (ushort)~difference % 0xffff == Checksum(header) % 0xffff;
                }
            )
            .QuickCheckThrowOnFailure();
    }

    private static ushort Checksum(ushort[] words)
    {
        var sum = words.Aggregate(0u, (total, word) => total + word);
        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return (ushort)~sum;
    }
}
