using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Tests.Isa;

/// <summary>Arithmetic against definitions over unbounded integers.</summary>
public class ArithmeticTests
{
    private static readonly ulong[] Corners =
    [
        0,
        1,
        2,
        31,
        32,
        63,
        64,
        0x7f,
        0x80,
        0x7fff,
        0x8000,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xffffffff80000000,
        0xfffffffffffffffe,
        0xffffffffffffffff,
    ];

    public static TheoryData<AluOperation> Operations => [.. Enum.GetValues<AluOperation>().Except([AluOperation.End])];

    public static TheoryData<JumpOperation> Comparisons =>
        [
            .. Enum.GetValues<JumpOperation>()
                .Except([JumpOperation.Ja, JumpOperation.Call, JumpOperation.Exit, JumpOperation.Jcond]),
        ];

    [Theory]
    [MemberData(nameof(Operations))]
    public void AnOperationIsThatOfTheIntegersReducedToItsWidth(AluOperation operation)
    {
        int[] offsets = operation switch
        {
            AluOperation.Div or AluOperation.Mod => [0, 1],
            AluOperation.Mov => [0, 8, 16],
            _ => [0],
        };
        foreach (var width in new[] { 64, 32 })
        {
            foreach (var offset in operation == AluOperation.Mov && width == 64 ? [.. offsets, 32] : offsets)
            {
                var @class = (int)(width == 64 ? InstructionClass.Alu64 : InstructionClass.Alu);
                var instruction = new Instruction((int)operation | @class | Opcode.SourceRegister, 1, 2, offset, 0);
                Check(
                    (left, right) =>
                    {
                        var expected = Define(operation, offset, width, left, right);
                        return Arithmetic.Compute(instruction, left, right) == (ulong)Unsigned(expected, width);
                    }
                );
            }
        }
    }

    [Theory]
    [MemberData(nameof(Comparisons))]
    public void AComparisonIsThatOfTheIntegers(JumpOperation operation)
    {
        foreach (var width in new[] { 64, 32 })
        {
            var @class = (int)(width == 64 ? InstructionClass.Jmp : InstructionClass.Jmp32);
            var instruction = new Instruction((int)operation | @class | Opcode.SourceRegister, 1, 2, 0, 0);
            Check(
                (left, right) =>
                    Arithmetic.IsTaken(instruction, left, right)
                    == operation switch
                    {
                        JumpOperation.Jeq => Unsigned(left, width) == Unsigned(right, width),
                        JumpOperation.Jne => Unsigned(left, width) != Unsigned(right, width),
                        JumpOperation.Jgt => Unsigned(left, width) > Unsigned(right, width),
                        JumpOperation.Jge => Unsigned(left, width) >= Unsigned(right, width),
                        JumpOperation.Jlt => Unsigned(left, width) < Unsigned(right, width),
                        JumpOperation.Jle => Unsigned(left, width) <= Unsigned(right, width),
                        JumpOperation.Jsgt => Signed(left, width) > Signed(right, width),
                        JumpOperation.Jsge => Signed(left, width) >= Signed(right, width),
                        JumpOperation.Jslt => Signed(left, width) < Signed(right, width),
                        JumpOperation.Jsle => Signed(left, width) <= Signed(right, width),
                        _ => !Unsigned(new BigInteger(left) & right, width).IsZero,
                    }
            );
        }
    }

    [Theory]
    [InlineData(0xd4, false)]
    [InlineData(0xdc, true)]
    [InlineData(0xd7, true)]
    public void AByteSwapReversesTheLowBytesAndCutsOffTheOthers(int opcode, bool reverses)
    {
        foreach (var width in new[] { 16, 32, 64 })
        {
            var instruction = new Instruction(opcode, 1, 0, 0, width);
            Check(
                (value, _) =>
                {
                    var bytes = BitConverter.GetBytes(value)[..(width / 8)];
                    var expected = new BigInteger(reverses ? [.. bytes.Reverse()] : bytes, isUnsigned: true);
                    return Arithmetic.Compute(instruction, value, (ulong)width) == (ulong)expected;
                }
            );
        }
    }

    private static BigInteger Define(AluOperation operation, int offset, int width, ulong left, ulong right)
    {
        var (a, b) =
            offset == 1 ? (Signed(left, width), Signed(right, width)) : (Unsigned(left, width), Unsigned(right, width));
        var count = (int)(right & (ulong)(width - 1));
        return operation switch
        {
            AluOperation.Add => a + b,
            AluOperation.Sub => a - b,
            AluOperation.Mul => a * b,
            AluOperation.Div => b.IsZero ? 0 : BigInteger.Divide(a, b),
            AluOperation.Mod => b.IsZero ? a : BigInteger.Remainder(a, b),
            AluOperation.Or => a | b,
            AluOperation.And => a & b,
            AluOperation.Xor => a ^ b,
            AluOperation.Neg => -a,
            AluOperation.Lsh => a << count,
            AluOperation.Rsh => a >> count,
            AluOperation.Arsh => Signed(left, width) >> count,
            _ => offset == 0 ? b : Signed(right, offset),
        };
    }

    private static BigInteger Unsigned(BigInteger value, int width) => value & ((BigInteger.One << width) - 1);

    private static BigInteger Signed(BigInteger value, int width)
    {
        var unsigned = Unsigned(value, width);
        return unsigned >> (width - 1) == 0 ? unsigned : unsigned - (BigInteger.One << width);
    }

    private static void Check(Func<ulong, ulong, bool> holds)
    {
        foreach (var left in Corners)
        {
            foreach (var right in Corners)
            {
                Assert.True(holds(left, right), $"0x{left:x}, 0x{right:x}");
            }
        }
        Prop.ForAll(ArbMap.Default.GeneratorFor<ulong>().Two().ToArbitrary(), pair => holds(pair.Item1, pair.Item2))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(9669, 1).WithQuietOnSuccess(true));
    }
}
