using System.Buffers.Binary;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Objects;

/// <summary>A section of instructions: its functions, and the relocations of its instructions. Slots count from its start.</summary>
internal sealed class CodeSection
{
    private readonly Instruction[] _instructions;
    private readonly Dictionary<int, ElfRelocation> _relocations = [];
    private readonly Dictionary<int, CodeFunction> _functionsByStart = [];

    /// <summary>Reads a section.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="section">The section.</param>
    /// <param name="relocationSections">The sections with its relocations.</param>
    /// <exception cref="InputException">Instructions, functions or relocations are broken.</exception>
    public CodeSection(ElfFile elf, ElfSection section, IEnumerable<ElfSection> relocationSections)
    {
        Name = section.Name;
        _instructions = ReadInstructions(elf, section);
        Functions = FindFunctions(elf, section);
        foreach (var function in Functions)
        {
            _functionsByStart.TryAdd(function.Start, function);
        }
        foreach (var relocation in relocationSections.SelectMany(elf.ReadRelocations))
        {
            if (
                relocation.Offset % Instruction.Size != 0
                || relocation.Offset >= (ulong)section.Data.Length
                || !_relocations.TryAdd((int)(relocation.Offset / Instruction.Size), relocation)
            )
            {
                throw elf.Broken(section.Name, $"a relocation for byte {relocation.Offset}, or a second one");
            }
        }
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The functions that its symbols name, in order of their first slot.</summary>
    public CodeFunction[] Functions { get; }

    /// <summary>All its instruction slots.</summary>
    public ReadOnlySpan<Instruction> Instructions => _instructions;

    /// <summary>The function that begins at a slot, or null.</summary>
    public CodeFunction? FunctionAt(long slot) =>
        slot is >= 0 and <= int.MaxValue ? _functionsByStart.GetValueOrDefault((int)slot) : null;

    /// <summary>The relocation of the instruction at a slot, or null.</summary>
    public ElfRelocation? RelocationAt(int slot) =>
        _relocations.TryGetValue(slot, out var relocation) ? relocation : null;

    /// <summary>
    /// The functions that are programs: the global ones, and static ones that nothing in the section calls.
    /// </summary>
    public IEnumerable<CodeFunction> EntryFunctions()
    {
        if (Functions.All(function => function.Symbol.Binding != ElfBinding.Local))
        {
            return Functions;
        }
        var called = new HashSet<int>();
        for (var slot = 0; slot < _instructions.Length; slot += _instructions[slot].IsWide ? 2 : 1)
        {
            if (_instructions[slot].IsLocalCall)
            {
                // With a relocation the target counts from the section's start, which its symbol stands for.
                called.Add(
                    RelocationAt(slot) is null
                        ? _instructions[slot].CallTarget(slot)
                        : _instructions[slot].Immediate + 1
                );
            }
        }
        return Functions.Where(function =>
            function.Symbol.Binding != ElfBinding.Local || !called.Contains(function.Start)
        );
    }

    private static Instruction[] ReadInstructions(ElfFile elf, ElfSection section)
    {
        if (section.Data.Length % Instruction.Size != 0)
        {
            throw elf.Broken(section.Name, $"{section.Data.Length} bytes are no whole number of instructions");
        }
        var instructions = new Instruction[section.Data.Length / Instruction.Size];
        for (var i = 0; i < instructions.Length; i++)
        {
            var bytes = section.Data.Span.Slice(i * Instruction.Size, Instruction.Size);
            instructions[i] = new Instruction(
                bytes[0],
                bytes[1],
                BinaryPrimitives.ReadInt16LittleEndian(bytes[2..]),
                BinaryPrimitives.ReadInt32LittleEndian(bytes[4..])
            );
        }
        return instructions;
    }

    // Local labels of compilers: LBB0_1, Ltmp3, .Lfoo.
    private static bool IsLabel(string name) =>
        name.Length == 0
        || name.StartsWith("LBB", StringComparison.Ordinal)
        || name.StartsWith("Ltmp", StringComparison.Ordinal)
        || name.StartsWith(".L", StringComparison.Ordinal);

    private CodeFunction[] FindFunctions(ElfFile elf, ElfSection section)
    {
        var symbols = elf.SymbolsOf(section).ToArray();
        // Compilers of the first years gave functions no type and no size, and local labels have none to this day.
        var named = symbols.Where(symbol => symbol.Type == ElfSymbolType.Function).ToArray();
        if (named.Length == 0)
        {
            named = [.. symbols.Where(symbol => symbol.Type == ElfSymbolType.NoType && !IsLabel(elf.NameOf(symbol)))];
        }
        if (named.Length == 0)
        {
            // The first of them did not even name programs.
            return [new CodeFunction(this, section.Name, 0, _instructions.Length, default)];
        }
        var order = named.OrderBy(symbol => symbol.Value).ToArray();
        var functions = new CodeFunction[order.Length];
        var end = (ulong)section.Data.Length;
        for (var i = order.Length - 1; i >= 0; i--)
        {
            var symbol = order[i];
            if (i + 1 < order.Length && order[i + 1].Value > symbol.Value)
            {
                end = order[i + 1].Value;
            }
            var size = symbol.Size != 0 ? symbol.Size : end - symbol.Value;
            if (
                symbol.Value >= (ulong)section.Data.Length
                || size > (ulong)section.Data.Length - symbol.Value
                || symbol.Value % Instruction.Size != 0
                || size % Instruction.Size != 0
            )
            {
                throw elf.Broken(
                    section.Name,
                    $"function '{elf.NameOf(symbol)}' ({size} bytes at {symbol.Value}) is not made of its instructions"
                );
            }
            functions[i] = new CodeFunction(
                this,
                elf.NameOf(symbol),
                (int)(symbol.Value / Instruction.Size),
                (int)(size / Instruction.Size),
                symbol
            );
        }
        return functions;
    }
}

/// <summary>A function as it stands in its section.</summary>
/// <param name="Section">The section.</param>
/// <param name="Name">Its name.</param>
/// <param name="Start">Its first slot.</param>
/// <param name="Length">How many slots it has.</param>
/// <param name="Symbol">The symbol that names it.</param>
internal sealed record CodeFunction(CodeSection Section, string Name, int Start, int Length, ElfSymbol Symbol);
