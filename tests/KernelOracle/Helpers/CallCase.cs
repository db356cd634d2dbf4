using System.Collections.Immutable;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>
/// Calls of helpers whose answers the kernel is asked for: assembler text that finds the context in r6 and 512 bytes of
/// memory in r7. A line <c>record</c> writes r0 down, a line <c>kfunc NAME</c> calls a kfunc; memory and packet are compared
/// too.
/// </summary>
/// <param name="Name">Says what is asked; unique.</param>
/// <param name="Text">The calls.</param>
internal sealed record CallCase(string Name, string Text)
{
    /// <summary>The map that r7 points into: one value of <see cref="MemorySize"/> bytes.</summary>
    public const int MemoryMap = 0;

    /// <summary>The map of what was recorded: one value of <see cref="MaxResults"/> numbers.</summary>
    public const int ResultMap = 1;

    /// <summary>The map that holds <see cref="Constant"/>, frozen: <c>map_value[2]</c>.</summary>
    public const int ConstantMap = 2;

    /// <summary>Bytes of memory.</summary>
    public const int MemorySize = 512;

    /// <summary>How many results a case may record.</summary>
    public const int MaxResults = 64;

    // In place of a kfunc in the text: a helper that is none.
    private const int KfuncPlaceholder = 1 << 20;

    // What the results are before anything is recorded.
    private const byte Unrecorded = 0x5a;

    /// <summary>What is in memory before.</summary>
    public byte[] Memory { get; init; } = [];

    /// <summary>Read-only data that the verifier knows: format strings.</summary>
    public byte[] Constant { get; init; } = [];

    /// <summary>Maps behind those that every case has: <c>map[3]</c> is the first.</summary>
    public ImmutableArray<MapSpec> Maps { get; init; } = [];

    /// <summary>Entries of maps: the map's number, key, value.</summary>
    public (int Map, byte[] Key, byte[] Value)[] Entries { get; init; } = [];

    /// <summary>The packet's length; its bytes are a pattern.</summary>
    public int PacketLength { get; init; } = 64;

    /// <summary>Whether the program says that it can deal with fragments.</summary>
    public bool IsFrags { get; init; }

    /// <summary>The packet.</summary>
    public byte[] MakePacket() => [.. Enumerable.Range(0, PacketLength).Select(i => (byte)((i * 7) + (i >> 8)))];

    /// <summary>The program with its maps.</summary>
    public ObjectSpec ToObject()
    {
        var recorded = 0;
        var kfuncs = new List<string>();
        var lines = Text.Split('\n')
            .Select(line => line.Trim())
            .Select(line =>
                line == "record" ? $"*(u64 *)(r8 + {8 * recorded++}) = r0"
                : line.StartsWith("kfunc ", StringComparison.Ordinal) ? $"call {KfuncPlaceholder + IndexOf(line[6..])}"
                : line
            );
        var assembled = Assembler.Assemble(
            $"""
            r6 = r1
            r7 = map_value[{MemoryMap}] ll
            r8 = map_value[{ResultMap}] ll
            {string.Join('\n', lines)}
            r0 = 2
            exit
            """
        );
        ImmutableArray<Instruction> instructions =
        [
            .. assembled.Select(call =>
                call.Opcode == Opcode.Call && call.Source == 0 && call.Immediate >= KfuncPlaceholder
                    ? new Instruction(Opcode.Call, 0, PseudoCall.KernelFunction, 0, call.Immediate - KfuncPlaceholder)
                    : call
            ),
        ];
        return new ObjectSpec
        {
            Source = Name,
            License = "GPL",
            Maps =
            [
                MapOf("memory", MemorySize, Memory),
                MapOf("results", 8 * MaxResults, [.. Enumerable.Repeat(Unrecorded, 8 * MaxResults)]),
                MapOf("constant", Math.Max(Constant.Length, 1), Constant) with
                {
                    Flags = MapFlags.ReadOnlyProgram,
                    IsFrozen = true,
                },
                .. Maps,
            ],
            Programs =
            [
                new ProgramSpec
                {
                    Name = "calls",
                    Section = IsFrags ? "xdp.frags" : "xdp",
                    IsFrags = IsFrags,
                    Instructions = instructions,
                    Functions = [new FunctionSpec("calls", 0, instructions.Length, false, 0)],
                    Kfuncs = [.. kfuncs.Select(name => new KfuncReference(name, 0, false))],
                },
            ],
        };

        int IndexOf(string kfunc)
        {
            if (!kfuncs.Contains(kfunc))
            {
                kfuncs.Add(kfunc);
            }
            return kfuncs.IndexOf(kfunc);
        }
    }

    public override string ToString() => Name;

    private static MapSpec MapOf(string name, int valueSize, byte[] content)
    {
        var value = new byte[valueSize];
        content.CopyTo(value, 0);
        return new MapSpec
        {
            Name = name,
            Type = MapType.Array,
            KeySize = 4,
            ValueSize = (uint)valueSize,
            MaxEntries = 1,
            InitialValue = [.. value],
        };
    }
}
