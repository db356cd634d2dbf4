using System.Collections.Immutable;
using System.Text;

namespace RxStages.TestKit;

/// <summary>
/// Makes random programs of what helpers and kfuncs give and take back: records, dynptrs and their slices, inner maps,
/// functions that are called back, open-coded iterators, <c>may_goto</c>, locks. They are nearly right: now and then something is
/// used too late, too far, unchecked, or not given back. r6 is the context, r7 whatever was got last, r8 a number, r9 a
/// value of map 0 (48 bytes); the stack holds a dynptr at -16, another at -32, a buffer at -64, an iterator at -72 and numbers.
/// Keys have 4 bytes. Map 1 is a hash of 16 bytes, <see cref="Ring"/> a ring buffer, <see cref="Outer"/> an array of arrays of 16
/// bytes, <see cref="Locked"/> a hash of 16 bytes with a lock at 4.
/// </summary>
public sealed class FeaturePrograms(Random random)
{
    /// <summary>The index of a map that programs use.</summary>
    public const int Ring = 8,
        Outer = 9,
        Locked = 11;

    /// <summary>The kfuncs that the programs call, by index.</summary>
    public static readonly ImmutableArray<string> Kfuncs =
    [
        "bpf_dynptr_from_xdp",
        "bpf_dynptr_slice",
        "bpf_dynptr_slice_rdwr",
        "bpf_dynptr_clone",
        "bpf_dynptr_adjust",
        "bpf_iter_num_new",
        "bpf_iter_num_next",
        "bpf_iter_num_destroy",
    ];

    private readonly StringBuilder _text = new();
    private readonly StringBuilder _functions = new();
    private int _labels;
    private bool _isNested;

    /// <summary>A program of some number of steps.</summary>
    public string Make(int steps)
    {
        Add("r6 = r1\nr7 = 0\n" + Lookup(0, "r9"));
        Add("r8 = *(u32 *)(r6 + 12)");
        for (var offset = 8; offset <= 128; offset += 8)
        {
            Add($"*(u64 *)(r10 - {offset}) = {(offset == 96 ? 0 : random.Next(3))}");
        }
        for (var step = 0; step < steps; step++)
        {
            AddStep();
        }
        Add("out:\nr0 = 1\nexit");
        return _text.Append(_functions).ToString();
    }

    private void Add(string lines) => _text.AppendLine(lines);

    private string Label() => $"l{_labels++}";

    private bool Rarely() => random.Next(14) == 0;

    private int Pick(params ReadOnlySpan<int> choices) => choices[random.Next(choices.Length)];

    private static string At(string register, int offset) => $"{register} = r10\n{register} += {offset}\n";

    /// <summary>A value of a map in a register; the program ends where there is none.</summary>
    private string Lookup(int map, string register) =>
        $"*(u32 *)(r10 - 104) = {random.Next(3)}\n{At("r2", -104)}r1 = map[{map}] ll\ncall 1\n"
        + (Rarely() ? "" : "if r0 == 0 goto out\n")
        + $"{register} = r0";

    private void AddStep()
    {
        switch (random.Next(_isNested ? 13 : 19))
        {
            case 0:
                AddRecord();
                break;
            case 1 or 2:
                Add($"r1 = r6\nr2 = 0\n{At("r3", Pick(-16, -32))}call kfunc[0]");
                break;
            case 3 or 4:
                AddSlice();
                break;
            case 5:
                Add(At("r1", Pick(-16, -32)) + At("r2", Pick(-16, -32, -48)) + "call kfunc[3]");
                break;
            case 6:
                Add(At("r1", Pick(-16, -32)) + $"r2 = {random.Next(3)}\nr3 = {random.Next(3, 20)}\ncall kfunc[4]");
                break;
            case 7:
                Add($"r1 = r6\nr2 = {random.Next(-4, 5)}\ncall {Pick(44, 65)}");
                break;
            case 8:
                Use();
                break;
            case 9:
                Add(random.Next(2) == 0 ? "*(u64 *)(r10 - 96) = r7" : "r7 = *(u64 *)(r10 - 96)");
                break;
            case 10:
                Add(Lookup(Pick(1, 0), "r7"));
                break;
            case 11:
                Add($"r1 = r6\nr2 = 0\n{At("r3", Pick(-64, -128, -120, -40))}r4 = {Pick(8, 16)}\ncall 189");
                break;
            case 12:
                var store = Pick(-16, -24, -32, -56, -64, -72, -88, -96);
                Add($"*(u{Pick(8, 64)} *)(r10 {store}) = {(Rarely() ? "r7" : "r8")}".Replace("10 -", "10 - "));
                break;
            case 13:
                AddInnerMap();
                break;
            case 14:
                AddCallback();
                break;
            case 15:
                AddIterator();
                break;
            case 16:
                AddMayGoto();
                break;
            case 17:
                AddLock();
                break;
            default:
                AddFunction();
                break;
        }
    }

    private void Use()
    {
        var end = Label();
        if (!Rarely())
        {
            Add($"if r7 == 0 goto {end}");
        }
        Add(
            random.Next(3) == 0
                ? $"*(u8 *)(r7 + {random.Next(9)}) = {random.Next(100)}"
                : $"r0 = *(u8 *)(r7 + {random.Next(9)})\nr8 += r0"
        );
        Add($"{end}:");
    }

    private void AddRecord()
    {
        var (end, size) = (Label(), Pick(0, 1, 8, 16));
        Add($"r1 = map[{Ring}] ll\nr2 = {size}\nr3 = 0\ncall 131\nif r0 == 0 goto {end}\nr7 = r0");
        for (var writes = random.Next(3); writes > 0 && size > 0; writes--)
        {
            Add($"*(u8 *)(r7 + {(Rarely() ? size : random.Next(size))}) = r8");
        }
        if (Rarely())
        {
            Use();
        }
        if (!Rarely())
        {
            Add($"r1 = r7\nr2 = 0\ncall {Pick(132, 133)}");
        }
        Add($"{end}:" + (Rarely() ? "" : "\nr7 = 0"));
    }

    private void AddSlice()
    {
        var (end, length) = (Label(), Pick(1, 4, 8, 16));
        var buffer = random.Next(3) == 0 ? "r3 = 0\n" : At("r3", Pick(-64, -128));
        Add(
            At("r1", Pick(-16, -32))
                + $"r2 = {random.Next(12)}\n{buffer}r4 = {length}\ncall kfunc[{Pick(1, 2)}]\nr7 = r0"
        );
        if (!Rarely())
        {
            Add($"if r7 == 0 goto {end}");
        }
        var place = Rarely() ? length : random.Next(length);
        Add(random.Next(2) == 0 ? $"*(u8 *)(r7 + {place}) = r8" : $"r0 = *(u8 *)(r7 + {place})\nr8 += r0");
        Add($"{end}:");
    }

    private void AddInnerMap()
    {
        Add(Lookup(Outer, "r1") + $"\n*(u32 *)(r10 - 112) = {random.Next(5)}\n{At("r2", -112)}call 1\nr7 = r0");
        Use();
    }

    /// <summary>A function that is called back and changes what its caller knows: a number that then is an index.</summary>
    private void AddCallback()
    {
        var function = Label();
        Add($"*(u64 *)(r10 - 80) = {random.Next(8)}");
        Add(
            random.Next(3) == 0
                ? $"r1 = map[{Pick(0, 1)}] ll\nr2 = function {function} ll\n{At("r3", -80)}r4 = 0\ncall 164"
                : $"r1 = {random.Next(1, 6)}\nr2 = function {function} ll\n{At("r3", -80)}r4 = 0\ncall 181\nr8 = r0"
        );
        Add(
            $"r1 = *(u64 *)(r10 - 80)\n{(random.Next(2) == 0 ? "if r1 > 40 goto out\n" : "")}r2 = r9\nr2 += r1\nr0 = *(u8 *)(r2 + 0)"
        );
        // bpf_loop passes the context in r2, bpf_for_each_map_elem in r4.
        _functions.AppendLine(
            $"{function}:\n"
                + random.Next(5) switch
                {
                    0 => "*(u64 *)(r2 + 0) = 3",
                    1 => "r3 = *(u64 *)(r2 + 0)\nr3 += 1\n*(u64 *)(r2 + 0) = r3",
                    2 => "*(u64 *)(r4 + 0) = 5",
                    3 => "r0 = *(u32 *)(r2 + 0)\nr1 = *(u32 *)(r3 + 0)",
                    _ => "*(u64 *)(r2 + 0) = r1",
                }
                + $"\nr0 = {(Rarely() ? 2 : random.Next(2))}\nexit"
        );
    }

    private void AddIterator()
    {
        var (next, end) = (Label(), Label());
        Add(
            $"{At("r1", -72)}r2 = {random.Next(-2, 3)}\nr3 = {random.Next(6)}\ncall kfunc[5]\n{next}:\n{At("r1", -72)}call kfunc[6]\nif r0 == 0 goto {end}"
        );
        if (random.Next(3) == 0)
        {
            Add("r7 = r0");
        }
        Add($"r8 = *(u32 *)(r0 + {(Rarely() ? 4 : 0)})");
        Nested();
        Add($"goto {next}\n{end}:");
        if (!Rarely())
        {
            Add($"{At("r1", -72)}call kfunc[7]");
        }
    }

    private void AddMayGoto()
    {
        var (next, end) = (Label(), Label());
        Add($"r8 = 0\n{next}:\nmay_goto {end}\nif r8 >= {Pick(3, 40, 41, 48)} goto {end}\nr1 = r9\nr1 += r8");
        Add($"r0 = *(u{Pick(8, 64)} *)(r1 + 0)\nr8 += 1");
        Nested();
        Add($"goto {next}\n{end}:");
    }

    private void Nested()
    {
        if (!_isNested && random.Next(2) == 0)
        {
            _isNested = true;
            AddStep();
            _isNested = false;
        }
    }

    private void AddLock()
    {
        Add(Lookup(Locked, "r7"));
        Add($"r1 = r7\nr1 += 4\ncall 93\n*(u32 *)(r7 + {(Rarely() ? 4 : 8)}) = r8");
        if (!Rarely())
        {
            Add("r1 = r7\nr1 += 4\ncall 94");
        }
        Add("r7 = 0");
    }

    /// <summary>A function that gets the context and stack of its caller's, and may give a slice of it back.</summary>
    private void AddFunction()
    {
        var function = Label();
        Add($"r1 = r6\n{At("r2", Pick(-64, -88, -16))}call {function}\nr7 = r0");
        _functions.AppendLine(
            $"{function}:\nr6 = r1\nr7 = r2\n"
                + random.Next(4) switch
                {
                    0 => "*(u64 *)(r7 + 0) = 9\nr0 = 0",
                    1 =>
                        $"r2 = 0\n{At("r3", -16)}call kfunc[0]\n{At("r1", -16)}r2 = 0\n{(random.Next(3) == 0 ? At("r3", -32) : "r3 = r7\n")}r4 = 8\ncall kfunc[2]",
                    2 => "r1 = r6\nr2 = 1\ncall 44\nr0 = 0",
                    _ => $"r1 = r7\nr2 = 0\nr3 = 0\nr4 = 8\ncall kfunc[{Pick(1, 2)}]",
                }
                + "\nexit"
        );
    }
}
