using static RxStages.TestKit.CaseParts;

namespace RxStages.TestKit;

/// <summary>The cases of ALU and ALU64 instructions and of the wide load of a constant.</summary>
internal static class ArithmeticCases
{
    public static IEnumerable<InstructionCase> All =>
        [.. Arithmetic(), .. SignedDivision(), .. Shifts(), .. Moves(), .. ByteSwaps()];

    private static IEnumerable<InstructionCase> Arithmetic() =>
        [
            .. Alu("+=", 1, 2, 3, 3),
            .. Alu("+=", MinusOne, 1, 0, 0),
            .. Alu("+=", 0xffffffff, 1, 0x100000000, 0),
            .. Alu("+=", Max64, 1, Min64, 0),
            .. Alu("+=", 5, MinusOne - 6, MinusOne - 1, 0xfffffffe),
            .. Alu("+=", 0x1122334455667788, 0x8877665544332211, 0x9999999999999999, 0x99999999),
            .. Alu("-=", 3, 2, 1, 1),
            .. Alu("-=", 0, 1, MinusOne, 0xffffffff),
            .. Alu("-=", 0x100000000, 1, 0xffffffff, 0xffffffff),
            .. Alu("-=", Min64, 1, Max64, 0xffffffff),
            .. Alu("-=", 5, MinusOne, 6, 6),
            .. Alu("*=", 3, 7, 21, 21),
            .. Alu("*=", MinusOne, MinusOne, 1, 1),
            .. Alu("*=", 0x100000000, 0x100000000, 0, 0),
            .. Alu("*=", 0x123456789abcdef, 0x10, 0x123456789abcdef0, 0x9abcdef0),
            .. Alu("*=", 0xffffffff, 2, 0x1fffffffe, 0xfffffffe),
            .. Alu("*=", 2, MinusOne - 2, MinusOne - 5, 0xfffffffa),
            .. Alu("*=", Min64, MinusOne, Min64, 0),
            .. Alu("*=", Min32, MinusOne, Negative(Min32), Min32),
            .. Alu("/=", 10, 3, 3, 3),
            .. Alu("/=", 10, 0, 0, 0),
            .. Alu("/=", 0, 0, 0, 0),
            .. Alu("/=", MinusOne, 2, Max64, 0x7fffffff),
            .. Alu("/=", MinusOne, MinusOne, 1, 1),
            .. Alu("/=", 7, MinusOne, 0, 0),
            .. Alu("/=", 0x100000007, 0x100000000, 1, 0),
            .. Alu("/=", 0x700000006, 2, 0x380000003, 3),
            .. Alu("/=", Min64, MinusOne, 0, 0),
            .. Alu("%=", 10, 3, 1, 1),
            .. Alu("%=", 10, 0, 10, 10),
            .. Alu("%=", 0x1122334455667788, 0, 0x1122334455667788, 0x55667788),
            .. Alu("%=", 0x100000007, 0x100000000, 7, 7),
            .. Alu("%=", MinusOne, 16, 15, 15),
            .. Alu("%=", MinusOne, MinusOne, 0, 0),
            .. Alu("%=", 7, MinusOne, 7, 7),
            .. Alu("|=", 0x00ff00ff00ff00ff, 0xff00000000000000, 0xffff00ff00ff00ff, 0x00ff00ff),
            .. Alu("|=", 0x10, MinusOne - 0xff, 0xffffffffffffff10, 0xffffff10),
            .. Alu("&=", 0x1122334455667788, 0xff00ff00ff00ff00, 0x1100330055007700, 0x55007700),
            .. Alu("&=", 0x1122334455667788, MinusOne - 0xff, 0x1122334455667700, 0x55667700),
            .. Alu("&=", 0x1122334455667788, 0x7fffffff, 0x55667788, 0x55667788),
            .. Alu("^=", 0x1122334455667788, 0x1122334455667788, 0, 0),
            .. Alu("^=", 0x0f0f0f0f0f0f0f0f, MinusOne, 0xf0f0f0f0f0f0f0f0, 0xf0f0f0f0),
            Case("r0 = -r0 of 1", "r0 = 1\nr0 = -r0\nexit", MinusOne),
            Case("r0 = -r0 of 0", "r0 = 0\nr0 = -r0\nexit", 0),
            Case("r0 = -r0 of the minimum", $"r0 = 0x{Min64:x} ll\nr0 = -r0\nexit", Min64),
            Case("w0 = -w0 of 1 clears the high half", "r0 = 0xffffffff00000001 ll\nw0 = -w0\nexit", 0xffffffff),
            Case("w0 = -w0 of the minimum", "r0 = 0xff80000000 ll\nw0 = -w0\nexit", Min32),
        ];

    private static IEnumerable<InstructionCase> SignedDivision() =>
        [
            .. Alu("s/=", 13, 3, 4, 4),
            .. Alu("s/=", Negative(13), 3, Negative(4), 0xfffffffc),
            .. Alu("s/=", 13, Negative(3), Negative(4), 0xfffffffc),
            .. Alu("s/=", Negative(13), Negative(3), 4, 4),
            .. Alu("s/=", Negative(13), 0, 0, 0),
            .. Alu("s/=", Min64, MinusOne, Min64, 0),
            .. Alu("s/=", Min32, MinusOne, Negative(Min32), Min32),
            .. Alu("s/=", Negative(Min32), MinusOne, Min32, Min32),
            .. Alu("s/=", 0x100000007, 0x100000000, 1, 0),
            .. Alu("s%=", 13, 3, 1, 1),
            .. Alu("s%=", Negative(13), 3, MinusOne, 0xffffffff),
            .. Alu("s%=", 13, Negative(3), 1, 1),
            .. Alu("s%=", Negative(13), Negative(3), MinusOne, 0xffffffff),
            .. Alu("s%=", Negative(13), 0, Negative(13), 0xfffffff3),
            .. Alu("s%=", 0x1122334455667788, 0, 0x1122334455667788, 0x55667788),
            .. Alu("s%=", Min64, MinusOne, 0, 0),
            .. Alu("s%=", Min32, MinusOne, 0, 0),
        ];

    private static IEnumerable<InstructionCase> Shifts() =>
        [
            .. Alu("<<=", 1, 0, 1, 1),
            .. Alu("<<=", 1, 4, 0x10, 0x10),
            .. Alu("<<=", 1, 31, Min32, Min32),
            .. Alu("<<=", 1, 32, 0x100000000, 1),
            .. Alu("<<=", 1, 63, Min64, Min32),
            .. Alu("<<=", 1, 64, 1, 1),
            .. Alu("<<=", 3, 0xffffffff00000001, 6, 6),
            .. Alu("<<=", 1, MinusOne, Min64, Min32),
            .. Alu(">>=", 0x8877665544332211, 0, 0x8877665544332211, 0x44332211),
            .. Alu(">>=", 0x8877665544332211, 8, 0x0088776655443322, 0x443322),
            .. Alu(">>=", 0x80000000ffffffff, 31, 0x100000001, 1),
            .. Alu(">>=", 0x8877665544332211, 32, 0x88776655, 0x44332211),
            .. Alu(">>=", Min64, 63, 1, 0),
            .. Alu(">>=", Min64, 64, Min64, 0),
            .. Alu(">>=", 0x8877665544332211, Negative(24), 0x887766, 0x443322),
            .. Alu("s>>=", 0x8877665544332211, 8, 0xff88776655443322, 0x443322),
            .. Alu("s>>=", Min32, 4, 0x08000000, 0xf8000000),
            .. Alu("s>>=", Min64, 63, MinusOne, 0),
            .. Alu("s>>=", 0x80000000, 31, 1, 0xffffffff),
            .. Alu("s>>=", 0xffffffff80000000, 32, MinusOne, Min32),
            .. Alu("s>>=", Min64, 64, Min64, 0),
            .. Alu("s>>=", 0x88776655c4332211, Negative(24), 0xffffffffff887766, 0xffc43322),
        ];

    private static IEnumerable<InstructionCase> Moves() =>
        [
            .. Alu("=", 1, 0x1122334455667788, 0x1122334455667788, 0x55667788),
            .. Alu("=", MinusOne, 5, 5, 5),
            .. Alu("=", 0, MinusOne, MinusOne, 0xffffffff),
            .. Alu("=", 0, Negative(Min32), Negative(Min32), Min32),
            .. Extension("s8", 0x7f, 0x7f, 0x7f),
            .. Extension("s8", 0x1180, Negative(0x80), 0xffffff80),
            .. Extension("s16", 0xff7fff, 0x7fff, 0x7fff),
            .. Extension("s16", 0x8000, Negative(0x8000), 0xffff8000),
            .. Extension("s32", 0x17fffffff, 0x7fffffff, null),
            .. Extension("s32", 0x180000000, Negative(Min32), null),
            Case("a wide load gives all 64 bits", "r0 = 0x8877665544332211 ll\nexit", 0x8877665544332211),
            Case("a wide load of -1", "r0 = -1 ll\nexit", MinusOne),
            Case("a wide load does not sign-extend", "r0 = 0x80000000 ll\nexit", Min32),
            Case("w moves of a register onto itself clear the high half", "r0 = -1\nw0 = w0\nexit", 0xffffffff),
        ];

    private static IEnumerable<InstructionCase> ByteSwaps() =>
        [
            Swap("be16", 0x8877),
            Swap("be32", 0x88776655),
            Swap("be64", 0x8877665544332211),
            Swap("le16", 0x7788),
            Swap("le32", 0x55667788),
            Swap("le64", 0x1122334455667788),
            Swap("bswap16", 0x8877),
            Swap("bswap32", 0x88776655),
            Swap("bswap64", 0x8877665544332211),
        ];

    /// <summary>An ALU operation in its four forms: 64 and 32 bits, with a register and (where it fits) an immediate.</summary>
    private static IEnumerable<InstructionCase> Alu(
        string symbol,
        ulong left,
        ulong right,
        ulong result64,
        ulong result32
    )
    {
        var name = $"{{0}}0 {symbol} {{1}} of 0x{left:x} and 0x{right:x}";
        var start = $"r0 = 0x{left:x} ll\n";
        yield return Case(
            string.Format(null, name, "r", "r3"),
            $"{start}r3 = 0x{right:x} ll\nr0 {symbol} r3\nexit",
            result64
        );
        yield return Case(
            string.Format(null, name, "w", "w3"),
            $"{start}r3 = 0x{right:x} ll\nw0 {symbol} w3\nexit",
            result32
        );
        if (right == (ulong)(int)right)
        {
            yield return Case(
                string.Format(null, name, "r", "immediate"),
                $"{start}r0 {symbol} {(int)right}\nexit",
                result64
            );
        }
        yield return Case(
            string.Format(null, name, "w", "immediate"),
            $"{start}w0 {symbol} {(int)right}\nexit",
            result32
        );
    }

    private static IEnumerable<InstructionCase> Extension(string type, ulong value, ulong result64, ulong? result32)
    {
        yield return Case($"r0 = ({type})r3 of 0x{value:x}", $"r3 = 0x{value:x} ll\nr0 = ({type})r3\nexit", result64);
        if (result32 is { } result)
        {
            yield return Case(
                $"w0 = ({type})w3 of 0x{value:x}",
                $"r0 = -1\nr3 = 0x{value:x} ll\nw0 = ({type})w3\nexit",
                result
            );
        }
    }

    private static InstructionCase Swap(string name, ulong result) =>
        Case($"r0 = {name} r0", $"r0 = 0x1122334455667788 ll\nr0 = {name} r0\nexit", result);
}
