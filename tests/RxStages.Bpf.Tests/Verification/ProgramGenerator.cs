using System.Text;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>
/// Makes random programs that are nearly valid: arithmetic, branches that join again, spills, bounds that are sometimes
/// too wide, and accesses that rely on them. r6 is the context, r7 and r8 the packet, r9 a value of map 0 (48 bytes), r0
/// to r5 numbers.
/// </summary>
internal sealed class ProgramGenerator(Random random)
{
    private static readonly string[] Operations = ["+=", "-=", "*=", "&=", "|=", "^=", "/=", "%="];
    private static readonly string[] Shifts = ["<<=", ">>=", "s>>="];
    private static readonly string[] Comparisons = ["==", "!=", ">", ">=", "<", "<=", "s>", "s>=", "s<", "s<=", "&"];

    private readonly StringBuilder _text = new();
    private readonly List<(string Label, int Step)> _joins = [];
    private bool _calls;

    /// <summary>A program of some number of steps.</summary>
    public string Make(int steps)
    {
        Add(
            """
            r6 = r1
            r7 = *(u32 *)(r1 + 0)
            r8 = *(u32 *)(r1 + 4)
            *(u32 *)(r10 - 4) = 1
            r2 = r10
            r2 += -4
            r1 = map[0] ll
            call 1
            if r0 == 0 goto out
            r9 = r0
            r0 = *(u32 *)(r6 + 12)
            r1 = *(u32 *)(r6 + 16)
            r2 = *(u64 *)(r9 + 0)
            r3 = *(s16 *)(r9 + 8)
            r4 = 5
            r5 = r1
            """
        );
        for (var step = 0; step < steps; step++)
        {
            Join(step);
            AddStep(step);
        }
        Join(int.MaxValue);
        AddMapAccess(Scalar());
        Add("out:\nr0 = 1\nexit");
        if (_calls)
        {
            Add("f:\nr0 = r1\nif r2 > 7 goto big\nr0 &= 15\nr0 += r2\nbig:\nexit");
        }
        return _text.ToString();
    }

    private int Scalar() => random.Next(6);

    private void Add(string lines) => _text.AppendLine(lines);

    private void Join(int step)
    {
        foreach (var (label, _) in _joins.Where(join => join.Step <= step))
        {
            Add($"{label}:");
        }
        _joins.RemoveAll(join => join.Step <= step);
    }

    private void AddStep(int step)
    {
        var (a, b) = (Scalar(), Scalar());
        var width = random.Next(3) == 0 ? 'w' : 'r';
        var slot = 8 * random.Next(2, 5);
        switch (random.Next(14))
        {
            case 0:
                Add($"{width}{a} {Operations[random.Next(Operations.Length)]} {width}{b}");
                break;
            case 1:
                Add($"{width}{a} {Operations[random.Next(Operations.Length)]} {Immediate(isNotZero: true)}");
                break;
            case 2:
                Add($"{width}{a} {Shifts[random.Next(Shifts.Length)]} {random.Next(width == 'w' ? 32 : 64)}");
                break;
            case 3 or 4 or 5:
                _joins.Add(($"join{step}", step + 1 + random.Next(5)));
                var operand = random.Next(3) == 0 ? $"{width}{b}" : Immediate();
                Add($"if {width}{a} {Comparisons[random.Next(Comparisons.Length)]} {operand} goto join{step}");
                break;
            case 6:
                Bound(a);
                break;
            case 7:
                Add($"*(u{8 << random.Next(4)} *)(r10 - {slot}) = {(random.Next(3) == 0 ? Immediate() : $"r{a}")}");
                break;
            case 8:
                Add($"r{a} = *(u{8 << random.Next(4)} *)(r10 - {slot})");
                break;
            case 9:
                AddMapAccess(a);
                break;
            case 10:
                Bound(a);
                Add($"r{b} = r10\nr{b} += {-8 * random.Next(1, 9)}\nr{b} += r{a}\nr{b} = *(u8 *)(r{b} + 0)");
                break;
            case 11:
                AddPacketAccess(a);
                break;
            case 12:
                Add(random.Next(2) == 0 ? $"{width}{a} = {width}{b}" : $"r{a} = {Immediate()}");
                break;
            default:
                AddCall(a, b);
                break;
        }
    }

    private string Immediate(bool isNotZero = false) =>
        random.Next(4) switch
        {
            0 => random.Next(1, 8).ToString(),
            1 => random.Next(1, 64).ToString(),
            2 => (1 << random.Next(31)).ToString(),
            _ => random.Next(isNotZero ? 1 : -16, 17).ToString(),
        };

    private void Bound(int register)
    {
        var limit = random.Next(12) == 0 ? 60 : random.Next(1, 40);
        Add(
            random.Next(6) switch
            {
                0 => $"r{register} &= {(1 << random.Next(1, 6)) - 1}",
                1 or 2 => $"if r{register} > {limit} goto out",
                3 => $"if w{register} > {limit} goto out\nw{register} = w{register}",
                4 => $"if r{register} s> {limit} goto out\nif r{register} s< 0 goto out",
                _ => $"r{register} >>= {random.Next(58, 63)}",
            }
        );
    }

    private void AddMapAccess(int index)
    {
        Bound(index);
        var pointer = (index + 1 + random.Next(5)) % 6;
        Add($"r{pointer} = r9\nr{pointer} += r{index}\nr{pointer} = *(u{8 << random.Next(4)} *)(r{pointer} + 0)");
    }

    private void AddPacketAccess(int index)
    {
        Bound(index);
        var pointer = (index + 1 + random.Next(5)) % 6;
        var length = random.Next(1, 20);
        Add(
            $"""
            r{pointer} = r7
            r{pointer} += r{index}
            r{index} = r{pointer}
            r{index} += {length}
            if r{index} > r8 goto out
            r{pointer} = *(u8 *)(r{pointer} + {(random.Next(10) == 0 ? length : length - 1)})
            r{index} = 2
            """
        );
    }

    private void AddCall(int a, int b)
    {
        if (random.Next(3) > 0)
        {
            return;
        }
        _calls = true;
        Add(
            $"""
            *(u64 *)(r10 - 40) = r{a}
            r1 = r{b}
            r2 = r{a}
            call f
            r1 = r0
            r2 = *(u64 *)(r10 - 40)
            r3 = 3
            r4 = *(u32 *)(r6 + 16)
            r5 = r4
            """
        );
    }
}
