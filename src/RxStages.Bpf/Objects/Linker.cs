using System.Collections.Immutable;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Makes whole programs of an object file's functions: the entry first, then every function that it needs, once each, in
/// the order in which calls first reach them (libbpf's order); calls and references to maps and data resolved.
/// </summary>
internal sealed class Linker
{
    /// <summary>The kernel's limit on the slots of a program (<c>BPF_COMPLEXITY_LIMIT_INSNS</c>).</summary>
    private const int MaxProgramSlots = 1_000_000;

    /// <summary>
    /// Limit on the slots of all programs together. Functions that many programs share are copied into each, so that a
    /// small file could ask for any amount.
    /// </summary>
    private const int MaxTotalSlots = 2_000_000;

    private readonly ElfFile _elf;
    private readonly MapTable _maps;
    private readonly Externs _externs;
    private readonly TargetKernel _kernel;
    private readonly Btf? _btf;
    private readonly BtfExt _ext;
    private readonly ILookup<uint, ElfSection> _relocationSections;
    private readonly Dictionary<int, CodeSection> _code = [];
    private CoreRelocator? _core;
    private int _totalSlots;

    /// <summary>Prepares to link a file's programs.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="maps">Its maps.</param>
    /// <param name="externs">What it does not define.</param>
    /// <param name="kernel">The kernel to fit the programs to.</param>
    /// <param name="btf">Its types, or null.</param>
    /// <param name="ext">What is known of its functions and lines.</param>
    public Linker(ElfFile elf, MapTable maps, Externs externs, TargetKernel kernel, Btf? btf, BtfExt ext)
    {
        _elf = elf;
        _maps = maps;
        _externs = externs;
        _kernel = kernel;
        _btf = btf;
        _ext = ext;
        _relocationSections = elf.Sections.Where(section => section.IsRelocations).ToLookup(section => section.Info);
    }

    /// <summary>Links all programs of a section, in order of their offsets.</summary>
    /// <exception cref="InputException">Code, symbols or relocations are broken.</exception>
    public IEnumerable<ProgramSpec> LinkSection(ElfSection section, XdpSection kind) =>
        CodeOf(section).EntryFunctions().Select(function => Link(function, kind));

    private ProgramSpec Link(CodeFunction entry, XdpSection kind)
    {
        var program = new LinkedProgram(this);
        program.Append(entry);
        // Depth first without recursion: each frame is a function and the slot to go on from.
        var frames = new Stack<(CodeFunction Function, int Slot)>();
        frames.Push((entry, 0));
        while (frames.TryPop(out var frame))
        {
            for (var slot = frame.Slot; slot < frame.Function.Length; )
            {
                var isWide = frame.Function.Section.Instructions[frame.Function.Start + slot].IsWide;
                var added = LinkInstruction(program, frame.Function, slot);
                slot += isWide ? 2 : 1;
                if (added is not null)
                {
                    frames.Push((frame.Function, slot));
                    frames.Push((added, 0));
                    break;
                }
            }
        }
        return program.ToSpec(entry, kind);
    }

    /// <summary>Resolves one instruction; returns the function that the program now has because of it, if any.</summary>
    private CodeFunction? LinkInstruction(LinkedProgram program, CodeFunction function, int slot)
    {
        var code = function.Section;
        var instruction = code.Instructions[function.Start + slot];
        var relocation = code.RelocationAt(function.Start + slot);
        if (instruction.IsWide)
        {
            if (slot + 1 == function.Length)
            {
                throw Broken(function, slot, "a wide load without its second half");
            }
            return LinkWideLoad(program, function, slot, relocation);
        }
        if (instruction.Opcode == Opcode.Call)
        {
            return LinkCall(program, function, slot, relocation);
        }
        return relocation is null
            ? null
            : throw Broken(function, slot, "a relocation of what is neither call nor wide load");
    }

    private CodeFunction? LinkCall(LinkedProgram program, CodeFunction function, int slot, ElfRelocation? relocation)
    {
        var instruction = function.Section.Instructions[function.Start + slot];
        if (relocation is null)
        {
            switch (instruction.Source)
            {
                case PseudoCall.Helper:
                    return null;
                case PseudoCall.Local:
                    return LinkCallTo(
                        program,
                        function,
                        slot,
                        function.Section,
                        (long)function.Start + slot + 1 + instruction.Immediate
                    );
                default:
                    throw Broken(function, slot, $"a call of unknown kind {instruction.Source}");
            }
        }
        var symbol = _elf.Symbols[relocation.Value.Symbol];
        if (symbol.IsExtern)
        {
            LinkExternCall(program, program.SlotOf(function) + slot, _elf.NameOf(symbol));
            return null;
        }
        if (
            instruction.Source != PseudoCall.Local
            || relocation.Value.Type != BpfRelocationType.Call
            || SectionOf(symbol) is not { IsCode: true } section
            || symbol.Value > (ulong)section.Data.Length
            || symbol.Value % Instruction.Size != 0
        )
        {
            throw Broken(function, slot, $"a call of '{_elf.NameOf(symbol)}', which is no function");
        }
        // A global function is named by its symbol and the immediate is -1; a static one is an offset into the section.
        var target = (long)(symbol.Value / Instruction.Size) + instruction.Immediate + 1;
        return LinkCallTo(program, function, slot, CodeOf(section), target);
    }

    private static CodeFunction? LinkCallTo(
        LinkedProgram program,
        CodeFunction function,
        int slot,
        CodeSection code,
        long target
    )
    {
        var callee =
            code.FunctionAt(target)
            ?? throw program.Broken(
                function,
                slot,
                $"a call of slot {target} of section '{code.Name}', where no function begins"
            );
        var added = program.Contains(callee) ? null : program.Append(callee);
        var at = program.SlotOf(function) + slot;
        program[at] = program[at] with { Immediate = program.SlotOf(callee) - at - 1 };
        return added;
    }

    private CodeFunction? LinkWideLoad(
        LinkedProgram program,
        CodeFunction function,
        int slot,
        ElfRelocation? relocation
    )
    {
        var at = program.SlotOf(function) + slot;
        var instruction = program[at];
        if (relocation is null)
        {
            return instruction.Source == PseudoLoad.Constant
                ? null
                : throw Broken(function, slot, $"a wide load of kind {instruction.Source} without a relocation");
        }
        var symbol = _elf.Symbols[relocation.Value.Symbol];
        if (symbol.IsExtern)
        {
            LinkExternLoad(program, at, _elf.NameOf(symbol));
            return null;
        }
        if (relocation.Value.Type != BpfRelocationType.WideLoad)
        {
            throw Broken(function, slot, $"a wide load with a relocation of type {relocation.Value.Type}");
        }
        var section =
            SectionOf(symbol)
            ?? throw Broken(function, slot, $"a reference to '{_elf.NameOf(symbol)}', which is in no section");
        // The addend stands in the immediate; for static variables and functions the symbol is the section's.
        var offset = unchecked(symbol.Value + (ulong)instruction.Immediate);
        if (_maps.TryFindDefinition(section.Index, offset, out var map))
        {
            program.SetWideLoad(at, PseudoLoad.MapIndex, map, 0);
            return null;
        }
        if (_maps.TryFindData(section.Index, out map))
        {
            if (offset >= section.Size)
            {
                throw Broken(
                    function,
                    slot,
                    $"a reference to byte {offset} of section '{section.Name}', which has {section.Size}"
                );
            }
            program.SetWideLoad(at, PseudoLoad.MapIndexValue, map, (int)offset);
            return null;
        }
        if (section.IsCode && offset % Instruction.Size == 0 && offset <= (ulong)section.Data.Length)
        {
            program.SetWideLoad(at, PseudoLoad.Function, 0, 0);
            return LinkCallTo(program, function, slot, CodeOf(section), (long)(offset / Instruction.Size));
        }
        throw Broken(
            function,
            slot,
            _maps.HoldsDefinitions(section.Index)
                ? $"a reference to byte {offset} of section '{section.Name}', where no map is defined"
                : $"a reference to section '{section.Name}', which holds neither maps nor variables nor functions"
        );
    }

    private void LinkExternCall(LinkedProgram program, int at, string name)
    {
        if (_externs.Find(name) is not { Kind: ExternKind.Function } kfunc)
        {
            program.Unsupported ??=
                $"it calls '{name}', which neither the file defines nor its BTF as a kernel function";
            return;
        }
        program[at] = new Instruction(Opcode.Call, 0, PseudoCall.KernelFunction, 0, program.IndexOf(kfunc));
    }

    /// <summary>Says what the address of an extern is, as libbpf does: for a weak one that the kernel lacks, 0.</summary>
    private void LinkExternLoad(LinkedProgram program, int at, string name)
    {
        switch (_externs.Find(name))
        {
            case { Kind: ExternKind.Kconfig } option:
                program.Unsupported ??= option.Problem;
                program.SetWideLoad(at, PseudoLoad.MapIndexValue, _externs.KconfigMap, option.Offset);
                break;
            case { Kind: ExternKind.Function } kfunc:
                program.SetWideLoad(at, PseudoLoad.BtfId, program.IndexOf(kfunc), 0);
                break;
            case { Kind: ExternKind.Symbol } symbol:
                var address = _kernel.AddressOf(Externs.WithoutFlavor(name));
                if (address is null && !symbol.IsWeak)
                {
                    program.Unsupported ??=
                        $"it needs the address of '{name}', which is no symbol of the kernel's, or hidden";
                }
                program.SetWideLoad(at, PseudoLoad.Constant, (int)(address ?? 0), (int)((address ?? 0) >> 32));
                break;
            case { Kind: ExternKind.Variable, IsWeak: true }:
                program.SetWideLoad(at, PseudoLoad.Constant, 0, 0);
                break;
            case { Kind: ExternKind.Variable }:
                program.Unsupported ??= $"it needs '{name}', a variable of the kernel's: there is none in user space";
                break;
            default:
                program.Unsupported ??=
                    $"it refers to '{name}', which neither the file defines nor its BTF as an extern";
                break;
        }
    }

    private CodeSection CodeOf(ElfSection section)
    {
        if (!_code.TryGetValue(section.Index, out var code))
        {
            code = new CodeSection(_elf, section, _relocationSections[(uint)section.Index]);
            _code.Add(section.Index, code);
        }
        return code;
    }

    private ElfSection? SectionOf(in ElfSymbol symbol) =>
        symbol.IsInSection(_elf.Sections.Length) ? _elf.Sections[symbol.Section] : null;

    private InputException Broken(CodeFunction function, int slot, string reason) =>
        _elf.Broken($"function '{function.Name}', instruction {slot}", reason);

    /// <summary>A program while it is linked.</summary>
    private sealed class LinkedProgram(Linker linker)
    {
        private readonly List<Instruction> _instructions = [];
        private readonly List<FunctionSpec> _functions = [];
        private readonly List<SourceLine> _lines = [];
        private readonly Dictionary<int, string> _unresolved = [];
        private readonly List<KfuncReference> _kfuncs = [];
        private readonly Dictionary<string, int> _kfuncIndices = new(StringComparer.Ordinal);
        private readonly Dictionary<CodeFunction, int> _slots = [];

        /// <summary>What it needs that is not supported: the first such thing met.</summary>
        public string? Unsupported { get; set; }

        /// <summary>An instruction, by its slot in the program.</summary>
        public Instruction this[int slot]
        {
            get => _instructions[slot];
            set => _instructions[slot] = value;
        }

        /// <summary>True when the function is in the program.</summary>
        public bool Contains(CodeFunction function) => _slots.ContainsKey(function);

        /// <summary>The program's slot at which a function that it contains begins.</summary>
        public int SlotOf(CodeFunction function) => _slots[function];

        /// <summary>Copies a function to the program's end, not linked yet.</summary>
        public CodeFunction Append(CodeFunction function)
        {
            var slot = _instructions.Count;
            linker._totalSlots += function.Length;
            if (slot + function.Length > MaxProgramSlots || linker._totalSlots > MaxTotalSlots)
            {
                throw linker._elf.Broken(
                    $"function '{function.Name}'",
                    $"programs too large: more than {MaxProgramSlots} instructions in one, or {MaxTotalSlots} in all"
                );
            }
            var section = function.Section.Name;
            var type = linker._ext.FunctionTypeAt(section, function.Start);
            var isGlobal = type != 0 && linker._btf![type].Linkage == BtfLinkage.Global && function.Symbol.IsVisible;
            _slots.Add(function, slot);
            _functions.Add(
                new FunctionSpec(function.Name, slot, function.Length, isGlobal, type)
                {
                    Prototype = isGlobal ? FunctionPrototype.Read(linker._btf!, type) : null,
                }
            );
            _instructions.AddRange(function.Section.Instructions.Slice(function.Start, function.Length));
            foreach (var line in linker._ext.LinesOf(section, function.Start, function.Length))
            {
                _lines.Add(line with { Slot = line.Slot - function.Start + slot });
            }
            foreach (var relocation in linker._ext.CoreRelocationsOf(section, function.Start, function.Length))
            {
                Relocate(function, relocation, slot + relocation.Slot - function.Start);
            }
            return function;
        }

        private void Relocate(CodeFunction function, CoreRelocation relocation, int at)
        {
            try
            {
                linker._core ??= new CoreRelocator(linker._btf!, linker._kernel.Types);
                var result = linker._core.Resolve(relocation);
                var first = _instructions[at];
                var second = first.IsWide && at + 1 < _instructions.Count ? _instructions[at + 1] : default;
                if (!CorePatch.Apply(ref first, ref second, result))
                {
                    _unresolved[at] = result.Description;
                }
                if (_instructions[at].IsWide && at + 1 < _instructions.Count)
                {
                    _instructions[at + 1] = second;
                }
                _instructions[at] = first;
            }
            catch (CoreRelocationException error)
            {
                Unsupported ??=
                    $"function '{function.Name}', instruction {relocation.Slot - function.Start}: CO-RE relocation {error.Message}";
            }
        }

        /// <summary>The index of a kfunc among those that the program names.</summary>
        public int IndexOf(Extern kfunc)
        {
            if (!_kfuncIndices.TryGetValue(kfunc.Name, out var index))
            {
                index = _kfuncs.Count;
                _kfuncIndices.Add(kfunc.Name, index);
                _kfuncs.Add(new KfuncReference(Externs.WithoutFlavor(kfunc.Name), kfunc.BtfType, kfunc.IsWeak));
            }
            return index;
        }

        /// <summary>Says what a wide load loads.</summary>
        public void SetWideLoad(int slot, int source, int first, int second)
        {
            var load = _instructions[slot];
            _instructions[slot] = new Instruction(load.Opcode, load.Destination, source, load.Offset, first);
            _instructions[slot + 1] = _instructions[slot + 1] with { Immediate = second };
        }

        public InputException Broken(CodeFunction function, int slot, string reason) =>
            linker.Broken(function, slot, reason);

        public ProgramSpec ToSpec(CodeFunction entry, XdpSection kind) =>
            new()
            {
                Name = entry.Name,
                Section = entry.Section.Name,
                AttachKind = kind.AttachKind,
                IsFrags = kind.IsFrags,
                Unsupported = Unsupported,
                Instructions = [.. _instructions],
                Functions = [.. _functions],
                Lines = [.. _lines],
                Kfuncs = [.. _kfuncs],
                Unresolved = _unresolved.ToImmutableDictionary(),
            };
    }
}
