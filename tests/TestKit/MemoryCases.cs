using static RxStages.TestKit.CaseParts;

namespace RxStages.TestKit;

/// <summary>The cases of loads, stores and atomic instructions.</summary>
internal static class MemoryCases
{
    public static IEnumerable<InstructionCase> All => [.. MemoryAccesses(), .. Atomics()];

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
}
