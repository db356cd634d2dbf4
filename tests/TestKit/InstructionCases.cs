using static RxStages.TestKit.CaseParts;

namespace RxStages.TestKit;

/// <summary>
/// The instruction set of RFC 9669 as a table of cases, instruction by instruction, with the corner values of each. The
/// results are written down, not computed. Interpreter and compiler run the same table.
/// </summary>
public static class InstructionCases
{
    /// <summary>All cases.</summary>
    public static IReadOnlyList<InstructionCase> All { get; } =
    [.. ArithmeticCases.All, .. Jumps(), .. MemoryCases.All, .. Calls(), .. Faults()];

    /// <summary>The case of that name.</summary>
    public static InstructionCase Find(string name) => All.Single(@case => @case.Name == name);

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

    /// <summary>A conditional jump in its four forms, like arithmetic.</summary>
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
}
