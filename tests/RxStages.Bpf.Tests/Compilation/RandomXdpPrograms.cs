using System.Globalization;
using System.Text;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>Programs of random arithmetic, stack traffic and branches, the same for the same seed.</summary>
internal static class RandomXdpPrograms
{
    private static readonly string[] Operations = ["+=", "-=", "*=", "/=", "%=", "s/=", "s%=", "&=", "|=", "^="];
    private static readonly string[] Shifts = ["<<=", ">>=", "s>>="];
    private static readonly string[] Comparisons = ["==", "!=", ">", "<", ">=", "<=", "s>", "s<", "s>=", "s<=", "&"];
    private static readonly long[] Constants =
    [
        0,
        1,
        -1,
        2,
        7,
        31,
        255,
        65535,
        int.MaxValue,
        int.MinValue,
        -128,
        12345678,
    ];

    /// <summary>
    /// An XDP program: takes seeds from packet length and queue, then <paramref name="length"/> random instructions with
    /// forward branches, and returns a mixture of all registers.
    /// </summary>
    public static string Next(int seed, int length)
    {
        var prologue = """
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r3 -= r2
            r2 = *(u32 *)(r1 + 16)
            """;
        var random = new Random(seed);
        var text = new StringBuilder(prologue + "\n");
        foreach (var register in (int[])[0, 1, 4, 5, 6, 7, 8, 9])
        {
            var value = ((long)random.Next() << 33) ^ random.Next();
            text.Append(CultureInfo.InvariantCulture, $"r{register} = {value:d} ll\n");
            text.Append(CultureInfo.InvariantCulture, $"r{register} ^= r{(register & 1) + 2}\n");
        }
        for (var slot = 1; slot <= 8; slot++)
        {
            text.Append(CultureInfo.InvariantCulture, $"*(u64 *)(r10 - {slot * 8}) = r{slot % 10}\n");
        }
        var labels = new List<(int At, string Name)>();
        for (var i = 0; i < length; i++)
        {
            foreach (var label in labels.Where(l => l.At == i))
            {
                text.Append(label.Name + ":\n");
            }
            text.Append(Instruction(random, i, length, labels) + "\n");
        }
        foreach (var label in labels.Where(l => l.At >= length))
        {
            text.Append(label.Name + ":\n");
        }
        for (var register = 1; register < 10; register++)
        {
            text.Append(CultureInfo.InvariantCulture, $"r0 *= 31\nr0 ^= r{register}\n");
        }
        for (var slot = 1; slot <= 8; slot++)
        {
            text.Append(CultureInfo.InvariantCulture, $"r1 = *(u64 *)(r10 - {slot * 8})\nr0 *= 31\nr0 ^= r1\n");
        }
        // Verdicts have 32 bits: fold.
        text.Append("r1 = r0\nr1 >>= 32\nr0 ^= r1\nexit\n");
        return text.ToString();
    }

    private static string Instruction(Random random, int index, int length, List<(int At, string Name)> labels)
    {
        var half = random.Next(2) == 0;
        var destination = (half ? "w" : "r") + random.Next(10);
        var wide = "r" + destination[1];
        var source = (half ? "w" : "r") + random.Next(10);
        var operand = random.Next(2) == 0 ? source : Constants[random.Next(Constants.Length)].ToString("d");
        switch (random.Next(12))
        {
            case 0:
                return $"{destination} = {operand}";
            case 1:
                var shift = random.Next(2) == 0 ? source : random.Next(half ? 32 : 64).ToString("d");
                return $"{destination} {Shifts[random.Next(3)]} {shift}";
            case 2:
                return $"{wide} = {(string[])["be16", "be32", "be64", "le16", "le32", "bswap16", "bswap32", "bswap64"] switch { var all => all[random.Next(all.Length)] }} {wide}";
            case 3:
                return half
                    ? $"{destination} = (s{8 << random.Next(2)}){source}"
                    : $"{destination} = (s{8 << random.Next(3)}){source}";
            case 4:
                return $"{destination} = -{destination}";
            case 5:
            {
                var size = 8 << random.Next(4);
                return $"*(u{size} *)(r10 - {size / 8 * random.Next(1, 64 / (size / 8) + 1)}) = {wide}";
            }
            case 6:
            {
                var size = 8 << random.Next(4);
                var sign = size < 64 && random.Next(2) == 0 ? "s" : "u";
                return $"{wide} = *({sign}{size} *)(r10 - {size / 8 * random.Next(1, 64 / (size / 8) + 1)})";
            }
            case 7 or 8:
            {
                var name = $"l{index}";
                labels.Add((Math.Min(length, index + 1 + random.Next(1, 12)), name));
                return $"if {destination} {Comparisons[random.Next(Comparisons.Length)]} {operand} goto {name}";
            }
            case 9:
            {
                // The idiom of compilers without 32-bit moves.
                var bits = (int[])[32, 48, 56] switch
                {
                    var all => all[random.Next(3)],
                };
                return $"{wide} <<= {bits}\n{wide} {(random.Next(2) == 0 ? "s>>=" : ">>=")} {bits}";
            }
            default:
                // Division by a constant 0 is not valid in the kernel.
                var operation = Operations[random.Next(Operations.Length)];
                return operation.Contains('/') || operation.Contains('%')
                    ? $"{destination} {operation} {(operand == "0" ? "3" : operand)}"
                    : $"{destination} {operation} {operand}";
        }
    }
}
