namespace RxStages.TestKit;

/// <summary>
/// The instruction set of RFC 9669 as a table of cases, instruction by instruction, with the corner values of each. The
/// results are written down, not computed. Interpreter and compiler run the same table.
/// </summary>
public static class InstructionCases
{
    private const ulong Min64 = 0x8000000000000000;
    private const ulong Max64 = 0x7fffffffffffffff;
    private const ulong Min32 = 0x80000000;
    private const ulong MinusOne = ulong.MaxValue;

    /// <summary>All cases.</summary>
    public static IReadOnlyList<InstructionCase> All { get; } =
    [
        .. Arithmetic(),
        .. SignedDivision(),
        .. Shifts(),
        .. Moves(),
        .. ByteSwaps(),
        .. Jumps(),
        .. MemoryAccesses(),
        .. Atomics(),
        .. Calls(),
        .. Faults(),
    ];

    /// <summary>The case of that name.</summary>
    public static InstructionCase Find(string name) => All.Single(@case => @case.Name == name);

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
            .. Alu("s>>=", 0x8877665544332211, 8, 0xff88776655443322, 0x443322),
            .. Alu("s>>=", Min32, 4, 0x08000000, 0xf8000000),
            .. Alu("s>>=", Min64, 63, MinusOne, 0),
            .. Alu("s>>=", 0x80000000, 31, 1, 0xffffffff),
            .. Alu("s>>=", 0xffffffff80000000, 32, MinusOne, Min32),
            .. Alu("s>>=", Min64, 64, Min64, 0),
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

    private static IEnumerable<InstructionCase> Jumps() =>
        [
            .. Jump("==", 5, 5, true, true),
            .. Jump("==", 5, 6, false, false),
            .. Jump("==", 0x100000005, 5, false, true),
            .. Jump("==", MinusOne, MinusOne, true, true),
            .. Jump("==", 0xffffffff, MinusOne, false, true),
            .. Jump("!=", 5, 5, false, false),
            .. Jump("!=", 5, 6, true, true),
            .. Jump("!=", 0x100000005, 5, true, false),
            .. Jump(">", 5, 5, false, false),
            .. Jump(">", 6, 5, true, true),
            .. Jump(">", 0x100000004, 5, true, false),
            .. Jump(">", MinusOne, 5, true, true),
            .. Jump(">", 5, MinusOne, false, false),
            .. Jump(">=", 5, 5, true, true),
            .. Jump(">=", 4, 5, false, false),
            .. Jump(">=", 0x100000004, 5, true, false),
            .. Jump("<", 5, 5, false, false),
            .. Jump("<", 4, 5, true, true),
            .. Jump("<", 0x100000004, 5, false, true),
            .. Jump("<", 5, MinusOne, true, true),
            .. Jump("<=", 5, 5, true, true),
            .. Jump("<=", 6, 5, false, false),
            .. Jump("<=", 0x100000004, 5, false, true),
            .. Jump("s>", 5, MinusOne, true, true),
            .. Jump("s>", MinusOne, 5, false, false),
            .. Jump("s>", 0x80000000, 5, true, false),
            .. Jump("s>", 5, 5, false, false),
            .. Jump("s>=", 5, 5, true, true),
            .. Jump("s>=", Negative(2), MinusOne, false, false),
            .. Jump("s>=", 0x80000000, 0, true, false),
            .. Jump("s<", MinusOne, 5, true, true),
            .. Jump("s<", 5, MinusOne, false, false),
            .. Jump("s<", 0x80000000, 5, false, true),
            .. Jump("s<", 5, 5, false, false),
            .. Jump("s<=", 5, 5, true, true),
            .. Jump("s<=", MinusOne, Negative(2), false, false),
            .. Jump("s<=", 0x80000000, 0, false, true),
            .. Jump("&", 5, 4, true, true),
            .. Jump("&", 5, 2, false, false),
            .. Jump("&", 0x100000000, 0x100000000, true, false),
            .. Jump("&", 0x100000000, Negative(0x80000000), true, false),
            Case("goto skips", "r0 = 1\nif r1 != 0 goto a\ngoto +1\na: r0 = 2\nexit", 1),
            Case("goto goes back", "r0 = 1\ngoto b\na: r0 = 2\nexit\nb: goto a", 2),
            Case("gotol skips", "r0 = 1\nif r1 != 0 goto a\ngotol +1\na: r0 = 2\nexit", 1),
            Case("gotol goes back", "r0 = 1\ngotol b\na: r0 = 2\nexit\nb: gotol a", 2),
            Case("a jump over a wide load counts two slots", "r0 = 1\nif r1 == 0 goto +2\nr0 = 2 ll\nexit", 1),
            Case("a loop sums 1 to 100", "r0 = 0\nr1 = 100\na: r0 += r1\nr1 -= 1\nif r1 != 0 goto a\nexit", 5050),
            Case("exit not at the end", "r0 = 1\ngoto b\na: exit\nb: r0 = 3\ngoto a", 3),
        ];

    private static IEnumerable<InstructionCase> MemoryAccesses()
    {
        var memory = Hex("8877665544332211f0e1d2c3b4a59687");
        return
        [
            Case("load u8", "r0 = *(u8 *)(r1 + 0)\nexit", 0x88, memory),
            Case("load u16", "r0 = *(u16 *)(r1 + 0)\nexit", 0x7788, memory),
            Case("load u32", "r0 = *(u32 *)(r1 + 0)\nexit", 0x55667788, memory),
            Case("load u64", "r0 = *(u64 *)(r1 + 0)\nexit", 0x1122334455667788, memory),
            Case("load s8", "r0 = *(s8 *)(r1 + 0)\nexit", Negative(0x78), memory),
            Case("load s8 of a positive", "r0 = *(s8 *)(r1 + 1)\nexit", 0x77, memory),
            Case("load s16", "r0 = *(s16 *)(r1 + 8)\nexit", Negative(0x1e10), memory),
            Case("load s16 of a positive", "r0 = *(s16 *)(r1 + 0)\nexit", 0x7788, memory),
            Case("load s32", "r0 = *(s32 *)(r1 + 8)\nexit", 0xffffffffc3d2e1f0, memory),
            Case("load s32 of a positive", "r0 = *(s32 *)(r1 + 0)\nexit", 0x55667788, memory),
            Case("load the last byte", "r0 = *(u8 *)(r1 + 15)\nexit", 0x87, memory),
            Case("load unaligned", "r0 = *(u32 *)(r1 + 3)\nexit", 0x22334455, memory),
            Case("load with a negative offset", "r1 += 8\nr0 = *(u64 *)(r1 - 8)\nexit", 0x1122334455667788, memory),
            Case("load into its own address register", "r1 = *(u16 *)(r1 + 0)\nr0 = r1\nexit", 0x7788, memory),
            Case("a narrow load clears the rest", "r0 = -1\nr0 = *(u8 *)(r1 + 0)\nexit", 0x88, memory),
            Case("r2 is the memory's length", "r0 = r2\nexit", 16, memory),
            Case("no memory: r1 and r2 are 0", "r0 = r1\nr0 |= r2\nexit", 0),
            Case("store u8", "w2 = -1\n*(u8 *)(r1 + 1) = w2\nr0 = *(u64 *)(r1 + 0)\nexit", 0x112233445566ff88, memory),
            Case(
                "store u16",
                "r2 = -1\n*(u16 *)(r1 + 1) = r2\nr0 = *(u64 *)(r1 + 0)\nexit",
                0x1122334455ffff88,
                memory
            ),
            Case(
                "store u32",
                "r2 = -1\n*(u32 *)(r1 + 1) = r2\nr0 = *(u64 *)(r1 + 0)\nexit",
                0x112233ffffffff88,
                memory
            ),
            Case("store u64", "r2 = -2\n*(u64 *)(r1 + 8) = r2\nr0 = *(u64 *)(r1 + 8)\nexit", MinusOne - 1, memory),
            Case(
                "store takes the low bytes",
                "r2 = 0x1234 ll\n*(u8 *)(r1 + 0) = r2\nr0 = *(u16 *)(r1 + 0)\nexit",
                0x7734,
                memory
            ),
            Case(
                "store immediate u8",
                "*(u8 *)(r1 + 0) = 0x1ff\nr0 = *(u64 *)(r1 + 0)\nexit",
                0x11223344556677ff,
                memory
            ),
            Case(
                "store immediate u16",
                "*(u16 *)(r1 + 0) = -2\nr0 = *(u64 *)(r1 + 0)\nexit",
                0x112233445566fffe,
                memory
            ),
            Case(
                "store immediate u32",
                "*(u32 *)(r1 + 0) = -2\nr0 = *(u64 *)(r1 + 0)\nexit",
                0x11223344fffffffe,
                memory
            ),
            Case(
                "store immediate u64 sign-extends",
                "*(u64 *)(r1 + 0) = -2\nr0 = *(u64 *)(r1 + 0)\nexit",
                MinusOne - 1,
                memory
            ),
            Case(
                "store immediate u64 of a positive",
                "*(u64 *)(r1 + 0) = 0x7fffffff\nr0 = *(u64 *)(r1 + 0)\nexit",
                0x7fffffff,
                memory
            ),
            Case(
                "the stack holds 512 bytes",
                "r1 = 7\n*(u64 *)(r10 - 512) = r1\n*(u64 *)(r10 - 8) = 1\nr0 = *(u64 *)(r10 - 512)\nexit",
                7
            ),
            Case(
                "the stack through a copy of r10",
                "r3 = r10\nr3 += -16\n*(u64 *)(r3 + 8) = 9\nr0 = *(u64 *)(r10 - 8)\nexit",
                9
            ),
            Case(
                "stack bytes overlap",
                "*(u64 *)(r10 - 8) = 0\n*(u8 *)(r10 - 5) = 0xab\nr0 = *(u32 *)(r10 - 8)\nexit",
                0xab000000
            ),
        ];
    }

    private static IEnumerable<InstructionCase> Atomics()
    {
        var memory = Hex("f0ffffffffffffff0102030405060708");
        return
        [
            .. Atomic("add", "+=", 0x20, 0x0000000000000010, 0xffffffff00000010),
            .. Atomic("or", "|=", 0x05, 0xfffffffffffffff5, 0xfffffffffffffff5),
            .. Atomic("and", "&=", 0x30, 0x30, 0xffffffff00000030),
            .. Atomic("xor", "^=", 0xff, 0xffffffffffffff0f, 0xffffffffffffff0f),
            Case(
                "xchg_64 gives the old value",
                "r2 = 5\nr2 = xchg_64(r1 + 0, r2)\nr0 = r2\nexit",
                Negative(0x10),
                memory
            ),
            Case("xchg_64 stores", "r2 = 5\nr2 = xchg_64(r1 + 0, r2)\nr0 = *(u64 *)(r1 + 0)\nexit", 5, memory),
            Case(
                "xchg32_32 gives the old value, zero-extended",
                "r2 = -5\nw2 = xchg32_32(r1 + 0, w2)\nr0 = r2\nexit",
                0xfffffff0,
                memory
            ),
            Case(
                "xchg32_32 stores the low half only",
                "r2 = 5\nw2 = xchg32_32(r1 + 0, w2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                0xffffffff00000005,
                memory
            ),
            Case(
                "cmpxchg_64 that matches gives the old value",
                "r2 = 7\nr0 = -16\nr0 = cmpxchg_64(r1 + 0, r0, r2)\nexit",
                Negative(0x10),
                memory
            ),
            Case(
                "cmpxchg_64 that matches stores",
                "r2 = 7\nr0 = -16\nr0 = cmpxchg_64(r1 + 0, r0, r2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                7,
                memory
            ),
            Case(
                "cmpxchg_64 that differs gives the old value",
                "r2 = 7\nr0 = 3\nr0 = cmpxchg_64(r1 + 0, r0, r2)\nexit",
                Negative(0x10),
                memory
            ),
            Case(
                "cmpxchg_64 that differs does not store",
                "r2 = 7\nr0 = 3\nr0 = cmpxchg_64(r1 + 0, r0, r2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                Negative(0x10),
                memory
            ),
            Case(
                "cmpxchg_64 leaves its source alone",
                "r2 = 7\nr0 = -16\nr0 = cmpxchg_64(r1 + 0, r0, r2)\nr0 = r2\nexit",
                7,
                memory
            ),
            Case(
                "cmpxchg32_32 compares the low half",
                "r2 = 7\nr0 = 0xfffffff0 ll\nw0 = cmpxchg32_32(r1 + 0, w0, w2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                0xffffffff00000007,
                memory
            ),
            Case(
                "cmpxchg32_32 ignores the high half of r0",
                "r2 = 7\nr0 = 0x12fffffff0 ll\nw0 = cmpxchg32_32(r1 + 0, w0, w2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                0xffffffff00000007,
                memory
            ),
            Case(
                "cmpxchg32_32 that matches zero-extends",
                "r2 = 7\nr0 = -16\nw0 = cmpxchg32_32(r1 + 0, w0, w2)\nexit",
                0xfffffff0,
                memory
            ),
            Case(
                "cmpxchg32_32 that differs zero-extends",
                "r2 = 7\nr0 = -1\nw0 = cmpxchg32_32(r1 + 0, w0, w2)\nexit",
                0xfffffff0,
                memory
            ),
            Case(
                "atomics on the stack",
                "*(u64 *)(r10 - 8) = 40\nr1 = 2\nlock *(u64 *)(r10 - 8) += r1\nr0 = *(u64 *)(r10 - 8)\nexit",
                42
            ),
            Case("load_acquire u64", "r0 = load_acquire((u64 *)(r1 + 8))\nexit", 0x0807060504030201, memory),
            Case("load_acquire u32", "w0 = load_acquire((u32 *)(r1 + 0))\nexit", 0xfffffff0, memory),
            Case("load_acquire u16", "w0 = load_acquire((u16 *)(r1 + 8))\nexit", 0x0201, memory),
            Case("load_acquire u8", "w0 = load_acquire((u8 *)(r1 + 15))\nexit", 8, memory),
            Case(
                "store_release u64",
                "r2 = 6\nstore_release((u64 *)(r1 + 8), r2)\nr0 = *(u64 *)(r1 + 8)\nexit",
                6,
                memory
            ),
            Case(
                "store_release u32",
                "r2 = 6\nstore_release((u32 *)(r1 + 0), w2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                0xffffffff00000006,
                memory
            ),
            Case(
                "store_release u16",
                "r2 = 6\nstore_release((u16 *)(r1 + 0), w2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                0xffffffffffff0006,
                memory
            ),
            Case(
                "store_release u8",
                "r2 = 6\nstore_release((u8 *)(r1 + 0), w2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                0xffffffffffffff06,
                memory
            ),
        ];

        IEnumerable<InstructionCase> Atomic(
            string name,
            string symbol,
            ulong operand,
            ulong result64,
            ulong result32
        ) =>
            [
                Case(
                    $"lock u64 {symbol}",
                    $"r2 = {operand}\nlock *(u64 *)(r1 + 0) {symbol} r2\nr0 = *(u64 *)(r1 + 0)\nexit",
                    result64,
                    memory
                ),
                Case(
                    $"lock u64 {symbol} leaves its source alone",
                    $"r2 = {operand}\nlock *(u64 *)(r1 + 0) {symbol} r2\nr0 = r2\nexit",
                    operand,
                    memory
                ),
                Case(
                    $"lock u32 {symbol}",
                    $"r2 = {operand}\nlock *(u32 *)(r1 + 0) {symbol} w2\nr0 = *(u64 *)(r1 + 0)\nexit",
                    result32,
                    memory
                ),
                Case(
                    $"lock u32 {symbol} ignores the high half of its source",
                    $"r2 = 0x{0x7700000000 + operand:x} ll\nlock *(u32 *)(r1 + 0) {symbol} w2\nr0 = *(u64 *)(r1 + 0)\nexit",
                    result32,
                    memory
                ),
                Case(
                    $"atomic_fetch_{name} u64 gives the old value",
                    $"r2 = {operand}\nr2 = atomic_fetch_{name}((u64 *)(r1 + 0), r2)\nr0 = r2\nexit",
                    Negative(0x10),
                    memory
                ),
                Case(
                    $"atomic_fetch_{name} u64 stores",
                    $"r2 = {operand}\nr2 = atomic_fetch_{name}((u64 *)(r1 + 0), r2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                    result64,
                    memory
                ),
                Case(
                    $"atomic_fetch_{name} u32 gives the old value, zero-extended",
                    $"r2 = {operand}\nw2 = atomic_fetch_{name}((u32 *)(r1 + 0), w2)\nr0 = r2\nexit",
                    0xfffffff0,
                    memory
                ),
                Case(
                    $"atomic_fetch_{name} u32 stores",
                    $"r2 = {operand}\nw2 = atomic_fetch_{name}((u32 *)(r1 + 0), w2)\nr0 = *(u64 *)(r1 + 0)\nexit",
                    result32,
                    memory
                ),
            ];
    }

    private static IEnumerable<InstructionCase> Calls() =>
        [
            Case("a function returns r0", "r1 = 5\ncall f\nr0 += 1\nexit\nf: r0 = r1\nr0 *= 2\nexit", 11),
            Case(
                "all five arguments arrive",
                "r1 = 1\nr2 = 2\nr3 = 4\nr4 = 8\nr5 = 16\ncall f\nexit\nf: r0 = r1\nr0 += r2\nr0 += r3\nr0 += r4\nr0 += r5\nexit",
                31
            ),
            Case(
                "r6 to r9 survive a call",
                "r6 = 1\nr7 = 2\nr8 = 4\nr9 = 8\ncall f\nr0 = r6\nr0 += r7\nr0 += r8\nr0 += r9\nexit\nf: r6 = 0\nr7 = 0\nr8 = 0\nr9 = 0\nr0 = 0\nexit",
                15
            ),
            Case(
                "a function has a stack frame of its own",
                "*(u64 *)(r10 - 8) = 1\ncall f\nr0 = *(u64 *)(r10 - 8)\nexit\nf: *(u64 *)(r10 - 8) = 2\nr0 = 0\nexit",
                1
            ),
            Case(
                "a function may use its caller's stack",
                "*(u64 *)(r10 - 8) = 1\nr1 = r10\nr1 += -8\ncall f\nr0 = *(u64 *)(r10 - 8)\nexit\nf: *(u64 *)(r1 + 0) = 7\nr0 = 0\nexit",
                7
            ),
            Case("r10 is back after a call", "r6 = r10\ncall f\nr0 = r10\nr0 -= r6\nexit\nf: r0 = 0\nexit", 0),
            Case("eight frames are allowed", Nested(8), 8),
            Case(
                "functions may be called again",
                "r6 = 0\ncall f\nr6 += r0\ncall f\nr6 += r0\nr0 = r6\nexit\nf: r0 = 3\nexit",
                6
            ),
            Case(
                "a call back to a function that stands before",
                "goto main\nmain: r1 = 1\ncall g\nexit\nf: r0 = r1\nr0 += 10\nexit\ng: r1 += 100\ncall f\nexit",
                111
            ),
        ];

    private static IEnumerable<InstructionCase> Faults()
    {
        var memory = Hex("00112233445566778899aabbccddeeff");
        return
        [
            Fault("a load behind the memory", "r0 = *(u8 *)(r1 + 16)\nexit", memory),
            Fault("a load that ends behind the memory", "r0 = *(u64 *)(r1 + 9)\nexit", memory),
            Fault("a load before the memory", "r0 = *(u8 *)(r1 - 1)\nexit", memory),
            Fault("a load from address 0", "r1 = 0\nr0 = *(u8 *)(r1 + 0)\nexit", memory),
            Fault("a load from memory that is empty", "r0 = *(u8 *)(r1 + 0)\nexit", []),
            Fault("a load that wraps around the address space", "r1 = -4\nr0 = *(u64 *)(r1 + 0)\nexit", memory),
            Fault("a store behind the memory", "*(u32 *)(r1 + 13) = 0\nr0 = 0\nexit", memory),
            Fault("an atomic behind the memory", "r2 = 0\nlock *(u64 *)(r1 + 16) += r2\nr0 = 0\nexit", memory),
            Fault("a load below the stack", "r0 = *(u8 *)(r10 - 513)\nexit", memory),
            Fault("a load above the stack", "r0 = *(u8 *)(r10 + 0)\nexit", memory),
            Fault("a store over the stack's end", "*(u64 *)(r10 - 4) = 0\nr0 = 0\nexit", memory),
            Fault("a store below the stack", "*(u64 *)(r10 - 520) = 0\nr0 = 0\nexit", memory),
            Fault("nine frames", Nested(9), memory),
            Fault("endless recursion", "call f\nexit\nf: call f\nexit", memory),
            Fault("an endless loop", "a: r0 = 0\ngoto a", memory),
            Fault("a helper that there is none of", "call 0x7ffffff\nexit", memory),
            Fault(
                "a caller's stack after the function returned",
                "call f\nr0 = *(u64 *)(r0 + 0)\nexit\nf: r0 = r10\nr0 += -8\n*(u64 *)(r10 - 8) = 0\nexit",
                memory
            ),
        ];
    }

    /// <summary>A chain of functions, each with its own frame, that returns how many frames it had.</summary>
    private static string Nested(int frames)
    {
        var text = "call f2\nexit\n";
        for (var frame = 2; frame < frames; frame++)
        {
            text += $"f{frame}: call f{frame + 1}\nr0 += 1\nexit\n";
        }
        return text + $"f{frames}: r0 = 2\nexit";
    }

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

    /// <summary>A conditional jump in its four forms, like <see cref="Alu"/>.</summary>
    private static IEnumerable<InstructionCase> Jump(string symbol, ulong left, ulong right, bool taken64, bool taken32)
    {
        foreach (var width in "rw")
        {
            var result = (width == 'r' ? taken64 : taken32) ? 1UL : 0;
            var name = $"if {width}3 {symbol} {{0}} of 0x{left:x} and 0x{right:x}";
            var start = $"r0 = 1\nr3 = 0x{left:x} ll\n";
            const string End = " goto +1\nr0 = 0\nexit";
            yield return Case(
                string.Format(null, name, $"{width}4"),
                $"{start}r4 = 0x{right:x} ll\nif {width}3 {symbol} {width}4{End}",
                result
            );
            if (width == 'w' || right == (ulong)(int)right)
            {
                yield return Case(
                    string.Format(null, name, "immediate"),
                    $"{start}if {width}3 {symbol} {(int)right}{End}",
                    result
                );
            }
        }
    }

    private static ulong Negative(ulong value) => unchecked(0 - value);

    private static byte[] Hex(string text) => Convert.FromHexString(text);

    private static InstructionCase Case(string name, string text, ulong result, byte[]? memory = null) =>
        new(name, text, memory ?? [], result);

    private static InstructionCase Fault(string name, string text, byte[] memory) => new(name, text, memory, null);
}
