using System.Buffers.Binary;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>
/// The ground that soundness stands on: what is computed of sets of numbers holds every result of computing with numbers
/// from the sets. Random sets, biased to the values where carries, signs and halves turn over.
/// </summary>
public class ScalarTests
{
    private const int Rounds = 2_000;

    private static readonly AluOperation[] Binary =
    [
        AluOperation.Add,
        AluOperation.Sub,
        AluOperation.Mul,
        AluOperation.Div,
        AluOperation.Mod,
        AluOperation.And,
        AluOperation.Or,
        AluOperation.Xor,
        AluOperation.Lsh,
        AluOperation.Rsh,
        AluOperation.Arsh,
        AluOperation.Neg,
    ];

    private static readonly JumpOperation[] Comparisons =
    [
        JumpOperation.Jeq,
        JumpOperation.Jne,
        JumpOperation.Jgt,
        JumpOperation.Jge,
        JumpOperation.Jlt,
        JumpOperation.Jle,
        JumpOperation.Jsgt,
        JumpOperation.Jsge,
        JumpOperation.Jslt,
        JumpOperation.Jsle,
        JumpOperation.Jset,
    ];

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public void AnOperationOnSetsHoldsTheResultsOfItsMembers(bool is32, int seed)
    {
        var random = new Random(seed);
        foreach (var operation in Binary)
        {
            for (var round = 0; round < Rounds; round++)
            {
                var (a, numbersA) = Some(random);
                var (b, numbersB) =
                    operation is AluOperation.Lsh or AluOperation.Rsh or AluOperation.Arsh && random.Next(4) > 0
                        ? One((ulong)random.Next(is32 ? 32 : 64))
                        : Some(random);
                var result = a;
                ScalarArithmetic.Apply(operation, is32, ref result, b);
                foreach (var x in numbersA)
                {
                    foreach (var y in numbersB)
                    {
                        var exact = Compute(operation, is32, x, y);
                        if (!result.Contains(exact))
                        {
                            Assert.Fail(
                                $"{operation} {(is32 ? 32 : 64)}: 0x{x:x}, 0x{y:x} gives 0x{exact:x}, not in {result} {result.Bits}"
                            );
                        }
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 4)]
    public void AComparisonIsDecidedOnlyIfAllMembersAgreeAndLeavesThoseThatDo(bool is32, int seed)
    {
        var random = new Random(seed);
        foreach (var operation in Comparisons)
        {
            for (var round = 0; round < Rounds; round++)
            {
                var (a, numbersA) = Some(random);
                var (b, numbersB) = random.Next(3) == 0 ? One(Edge(random)) : Some(random);
                var decided = ScalarComparison.Decide(operation, is32, a, b);
                var (trueA, trueB, falseA, falseB) = (a, b, a, b);
                var canHold = ScalarComparison.TryAssume(operation, holds: true, is32, ref trueA, ref trueB);
                var canFail = ScalarComparison.TryAssume(operation, holds: false, is32, ref falseA, ref falseB);
                foreach (var x in numbersA)
                {
                    foreach (var y in numbersB)
                    {
                        var exact = Compare(operation, is32, x, y);
                        var isRight =
                            (decided is null || decided == exact)
                            && (exact ? canHold : canFail)
                            && (exact ? trueA.Contains(x) : falseA.Contains(x))
                            && (exact ? trueB.Contains(y) : falseB.Contains(y));
                        if (!isRight)
                        {
                            Assert.Fail($"0x{x:x} {operation} 0x{y:x} in {(is32 ? 32 : 64)} bits, of {a} and {b}");
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public void ExtensionAndByteOrderHoldTheResultsOfTheMembers()
    {
        var random = new Random(5);
        for (var round = 0; round < Rounds * 5; round++)
        {
            var (a, numbers) = Some(random);
            var bytes = 1 << random.Next(4);
            var (zero, sign, big, little) = (a, a, a, a);
            zero.ZeroExtend(bytes);
            sign.SignExtend(bytes);
            ScalarArithmetic.ConvertEndian(ref big, bytes, reverse: true);
            ScalarArithmetic.ConvertEndian(ref little, bytes, reverse: false);
            var shift = 64 - (bytes * 8);
            foreach (var x in numbers)
            {
                var truncated = x << shift >> shift;
                Assert.True(zero.Contains(truncated), $"0x{x:x} of {a}, {bytes} bytes: {zero}");
                Assert.True(little.Contains(truncated), $"0x{x:x} of {a}, {bytes} bytes: {little}");
                Assert.True(
                    sign.Contains((ulong)((long)(x << shift) >> shift)),
                    $"0x{x:x} of {a}, {bytes} bytes: {sign}"
                );
                Assert.True(
                    big.Contains(BinaryPrimitives.ReverseEndianness(x << shift)),
                    $"0x{x:x} of {a}, {bytes} bytes: {big}"
                );
            }
        }
    }

    [Fact]
    public void WhatIsDeducedOfARangeIsAsTightAsTheKernels()
    {
        var bounds = ScalarBounds.Unknown;
        var limit = ScalarBounds.Constant(100);
        Assert.True(ScalarComparison.TryAssume(JumpOperation.Jlt, true, false, ref bounds, ref limit));
        Assert.Equal((0ul, 99ul, 0L, 99L), (bounds.Min, bounds.Max, bounds.SignedMin, bounds.SignedMax));
        Assert.Equal((0u, 99u, 0, 99), (bounds.Min32, bounds.Max32, bounds.SignedMin32, bounds.SignedMax32));
        Assert.Equal(new Tnum(0, 127), bounds.Bits);

        ScalarArithmetic.Apply(AluOperation.Lsh, false, ref bounds, ScalarBounds.Constant(2));
        ScalarArithmetic.Apply(AluOperation.Add, false, ref bounds, ScalarBounds.Constant(20));
        Assert.Equal((20ul, 416ul), (bounds.Min, bounds.Max));
        Assert.True(bounds.Bits.IsAligned(4));
    }

    [Fact]
    public void A32BitComparisonBoundsTheWholeOfAZeroExtendedNumber()
    {
        var bounds = ScalarBounds.OfSize(4);
        var limit = ScalarBounds.Constant(7);
        Assert.True(ScalarComparison.TryAssume(JumpOperation.Jle, true, true, ref bounds, ref limit));
        Assert.Equal((0ul, 7ul), (bounds.Min, bounds.Max));
    }

    [Fact]
    public void SignExtensionByShiftsKeepsTheRange()
    {
        var bounds = ScalarBounds.OfSize(4);
        var limit = ScalarBounds.Constant(5);
        Assert.True(ScalarComparison.TryAssume(JumpOperation.Jslt, true, true, ref bounds, ref limit));
        limit = ScalarBounds.Constant(unchecked((ulong)-3));
        Assert.True(ScalarComparison.TryAssume(JumpOperation.Jsgt, true, true, ref bounds, ref limit));
        ScalarArithmetic.Apply(AluOperation.Lsh, false, ref bounds, ScalarBounds.Constant(32));
        ScalarArithmetic.Apply(AluOperation.Arsh, false, ref bounds, ScalarBounds.Constant(32));
        Assert.Equal((-2L, 4L), (bounds.SignedMin, bounds.SignedMax));
    }

    private static ulong Edge(Random random)
    {
        var turn = random.Next(8) switch
        {
            0 => 0ul,
            1 => 1ul << random.Next(64),
            2 => ulong.MaxValue,
            3 => 0x7fff_fffful,
            4 => 0x8000_0000ul,
            5 => 1ul << 32,
            6 => 1ul << 63,
            _ => (ulong)random.NextInt64(),
        };
        return turn + unchecked((ulong)random.Next(-3, 4));
    }

    private static (ScalarBounds, ulong[]) One(ulong number) => (ScalarBounds.Constant(number), [number]);

    /// <summary>A set that some path could lead to, and some of its members.</summary>
    private static (ScalarBounds, ulong[]) Some(Random random)
    {
        var first = Edge(random);
        var numbers = Enumerable
            .Range(0, 4)
            .Select(index =>
                index == 0 ? first
                : random.Next(3) == 0 ? Edge(random)
                : first + (ulong)random.Next(-40, 40)
            )
            .ToArray();
        var bounds = ScalarBounds.Unknown;
        var mask = numbers.Aggregate(0ul, (mask, number) => mask | (number ^ first));
        if (random.Next(2) == 0)
        {
            bounds.Bits = new Tnum(first & ~mask, mask);
        }
        if (random.Next(2) == 0)
        {
            (bounds.Min, bounds.Max) = (numbers.Min(), numbers.Max());
        }
        if (random.Next(2) == 0)
        {
            (bounds.SignedMin, bounds.SignedMax) = (numbers.Min(n => (long)n), numbers.Max(n => (long)n));
        }
        if (random.Next(2) == 0)
        {
            (bounds.Min32, bounds.Max32) = (numbers.Min(n => (uint)n), numbers.Max(n => (uint)n));
        }
        if (random.Next(2) == 0)
        {
            (bounds.SignedMin32, bounds.SignedMax32) = (numbers.Min(n => (int)n), numbers.Max(n => (int)n));
        }
        bounds.Deduce();
        foreach (var number in numbers)
        {
            if (!bounds.Contains(number))
            {
                Assert.Fail($"0x{number:x} was deduced away: {bounds} {bounds.Bits}");
            }
        }
        return (bounds, numbers);
    }

    private static ulong Compute(AluOperation operation, bool is32, ulong x, ulong y)
    {
        if (is32)
        {
            var (a, b) = ((uint)x, (uint)y);
            return operation switch
            {
                AluOperation.Add => a + b,
                AluOperation.Sub => a - b,
                AluOperation.Mul => a * b,
                AluOperation.Div => b == 0 ? 0 : a / b,
                AluOperation.Mod => b == 0 ? a : a % b,
                AluOperation.And => a & b,
                AluOperation.Or => a | b,
                AluOperation.Xor => a ^ b,
                AluOperation.Lsh => a << (int)(b & 31),
                AluOperation.Rsh => a >> (int)(b & 31),
                AluOperation.Arsh => (uint)((int)a >> (int)(b & 31)),
                _ => 0u - a,
            };
        }
        return operation switch
        {
            AluOperation.Add => x + y,
            AluOperation.Sub => x - y,
            AluOperation.Mul => x * y,
            AluOperation.Div => y == 0 ? 0 : x / y,
            AluOperation.Mod => y == 0 ? x : x % y,
            AluOperation.And => x & y,
            AluOperation.Or => x | y,
            AluOperation.Xor => x ^ y,
            AluOperation.Lsh => x << (int)(y & 63),
            AluOperation.Rsh => x >> (int)(y & 63),
            AluOperation.Arsh => (ulong)((long)x >> (int)(y & 63)),
            _ => 0ul - x,
        };
    }

    private static bool Compare(JumpOperation operation, bool is32, ulong x, ulong y)
    {
        if (is32)
        {
            (x, y) = ((uint)x, (uint)y);
        }
        var (signedX, signedY) = is32 ? ((int)x, (int)y) : ((long)x, (long)y);
        return operation switch
        {
            JumpOperation.Jeq => x == y,
            JumpOperation.Jne => x != y,
            JumpOperation.Jgt => x > y,
            JumpOperation.Jge => x >= y,
            JumpOperation.Jlt => x < y,
            JumpOperation.Jle => x <= y,
            JumpOperation.Jsgt => signedX > signedY,
            JumpOperation.Jsge => signedX >= signedY,
            JumpOperation.Jslt => signedX < signedY,
            JumpOperation.Jsle => signedX <= signedY,
            _ => (x & y) != 0,
        };
    }
}
