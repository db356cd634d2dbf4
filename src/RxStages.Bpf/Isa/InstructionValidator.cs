namespace RxStages.Bpf.Isa;

/// <summary>
/// Checks a program's structure: everything that can be said of its instructions without following them. Verifier,
/// interpreter and compiler run only programs that passed, and need not check structure again: every opcode is known and
/// its unused fields are zero, registers exist, r10 is never written, jumps and calls land on instructions, no function
/// runs into the next, wide loads are whole and linked. The rules are those of the kernel
/// (<c>kernel/bpf/verifier.c</c>: <c>check_subprogs</c>, <c>resolve_pseudo_ldimm64</c>, <c>check_alu_op</c> and their kin).
/// </summary>
public readonly ref struct InstructionValidator
{
    /// <summary>The kernel's limit on instructions (<c>BPF_COMPLEXITY_LIMIT_INSNS</c>).</summary>
    public const int MaxSlots = 1_000_000;

    private const int RegisterCount = 11;
    private const int FramePointer = 10;

    private readonly ReadOnlySpan<Instruction> _program;
    private readonly int _mapCount;
    private readonly int _kfuncCount;
    private readonly InstructionRules _rules;

    private InstructionValidator(
        ReadOnlySpan<Instruction> program,
        int mapCount,
        int kfuncCount,
        InstructionRules rules
    )
    {
        _program = program;
        _mapCount = mapCount;
        _kfuncCount = kfuncCount;
        _rules = rules;
    }

    /// <summary>Checks a program.</summary>
    /// <param name="program">All slots.</param>
    /// <param name="functionStarts">
    /// The first slots of the functions, ascending and from 0, where a table of them exists: only they can then be called.
    /// Empty: whatever is called is a function (<see cref="FindFunctions"/>).
    /// </param>
    /// <param name="mapCount">How many maps wide loads may index.</param>
    /// <param name="rules">Which instructions are valid.</param>
    /// <param name="kfuncCount">How many kernel functions (kfuncs) calls may index.</param>
    /// <returns>The first error found, or null if there is none.</returns>
    public static ValidationError? Validate(
        ReadOnlySpan<Instruction> program,
        ReadOnlySpan<int> functionStarts = default,
        int mapCount = int.MaxValue,
        InstructionRules rules = InstructionRules.Kernel,
        int kfuncCount = 0
    )
    {
        if (program.Length is 0 or > MaxSlots)
        {
            return new ValidationError(0, $"the program has {program.Length} instructions, not 1 to {MaxSlots}");
        }
        var validator = new InstructionValidator(program, mapCount, kfuncCount, rules);
        for (var slot = 0; slot < program.Length; slot += program[slot].IsWide ? 2 : 1)
        {
            if (validator.ReasonAgainst(slot) is { } reason)
            {
                return new ValidationError(slot, reason);
            }
        }
        return validator.CheckFlow(functionStarts);
    }

    /// <summary>
    /// The first slots of all functions: 0, and every target of a local call or a function address inside the program, in
    /// ascending order.
    /// </summary>
    public static int[] FindFunctions(ReadOnlySpan<Instruction> program)
    {
        var starts = new SortedSet<int> { 0 };
        for (var slot = 0; slot < program.Length; slot += program[slot].IsWide ? 2 : 1)
        {
            var instruction = program[slot];
            if (ReferencesFunction(instruction) && IsInside(program, FunctionTarget(slot, instruction)))
            {
                starts.Add((int)FunctionTarget(slot, instruction));
            }
        }
        return [.. starts];
    }

    private static bool ReferencesFunction(Instruction instruction) =>
        instruction.IsLocalCall || (instruction.IsWide && instruction.Source == PseudoLoad.Function);

    private static long FunctionTarget(int slot, Instruction instruction) => slot + 1L + instruction.Immediate;

    private static bool IsInside(ReadOnlySpan<Instruction> program, long slot) => slot >= 0 && slot < program.Length;

    /// <summary>Looks at one instruction alone.</summary>
    private string? ReasonAgainst(int slot)
    {
        var instruction = _program[slot];
        return instruction.Class switch
        {
            InstructionClass.Alu or InstructionClass.Alu64 => ReasonAgainstAlu(instruction),
            InstructionClass.Jmp or InstructionClass.Jmp32 => ReasonAgainstJump(instruction),
            InstructionClass.Ldx => ReasonAgainstLoad(instruction),
            InstructionClass.St => ReasonAgainstStoreImmediate(instruction),
            InstructionClass.Stx => ReasonAgainstStore(instruction),
            _ => ReasonAgainstWideLoad(slot),
        };
    }

    private string? ReasonAgainstAlu(Instruction instruction)
    {
        var operation = instruction.AluOperation;
        var is64 = instruction.Class == InstructionClass.Alu64;
        var usesRegister = instruction.UsesSourceRegister;
        if (operation > AluOperation.End)
        {
            return UnknownOpcode(instruction);
        }
        var offset = instruction.Offset;
        var areFieldsValid = operation switch
        {
            AluOperation.Neg => !usesRegister && instruction is { Source: 0, Offset: 0, Immediate: 0 },
            AluOperation.End => instruction is { Source: 0, Offset: 0, Immediate: 16 or 32 or 64 }
                && !(is64 && usesRegister),
            AluOperation.Mov when usesRegister => instruction.Immediate == 0
                && (offset is 0 or 8 or 16 || (is64 && offset == 32)),
            AluOperation.Div or AluOperation.Mod => offset is 0 or 1 && IsSecondOperandValid(instruction),
            _ => offset == 0 && IsSecondOperandValid(instruction),
        };
        if (!areFieldsValid)
        {
            return $"BPF_{operation.ToString().ToUpperInvariant()} uses reserved fields";
        }
        if (_rules == InstructionRules.Kernel && !usesRegister)
        {
            if (operation is AluOperation.Div or AluOperation.Mod && instruction.Immediate == 0)
            {
                return "div by zero";
            }
            if (
                operation is AluOperation.Lsh or AluOperation.Rsh or AluOperation.Arsh
                && (uint)instruction.Immediate >= (is64 ? 64 : 32)
            )
            {
                return $"invalid shift {instruction.Immediate}";
            }
        }
        return ReasonAgainstRegisters(instruction, writesDestination: true);
    }

    private string? ReasonAgainstJump(Instruction instruction)
    {
        var is32 = instruction.Class == InstructionClass.Jmp32;
        var operation = instruction.JumpOperation;
        switch (operation)
        {
            case JumpOperation.Ja:
                return
                    instruction is { UsesSourceRegister: false, Registers: 0 }
                    && (is32 ? instruction.Offset == 0 : instruction.Immediate == 0)
                    ? null
                    : "BPF_JA uses reserved fields";
            case JumpOperation.Call when !is32:
                return ReasonAgainstCall(instruction);
            case JumpOperation.Exit when !is32:
                return instruction is { UsesSourceRegister: false, Registers: 0, Immediate: 0 }
                    ? null
                    : "BPF_EXIT uses reserved fields";
            case JumpOperation.Jcond when instruction.Opcode == Opcode.MayGoto && _rules == InstructionRules.Kernel:
                return instruction is { Registers: 0, Immediate: 0 }
                    ? null
                    : $"invalid may_goto imm {instruction.Immediate}";
            case JumpOperation.Call or JumpOperation.Exit or > JumpOperation.Jsle:
                return UnknownOpcode(instruction);
            default:
                return IsSecondOperandValid(instruction)
                    ? ReasonAgainstRegisters(instruction, writesDestination: false)
                    : "BPF_JMP uses reserved fields";
        }
    }

    private string? ReasonAgainstCall(Instruction instruction)
    {
        if (instruction.Opcode == Opcode.CallRegister)
        {
            if (_rules != InstructionRules.Rfc9669)
            {
                return "callx is not supported";
            }
            return
                instruction
                    is { Source: 0, Offset: 0, Immediate: 0, Destination: < FramePointer }
                        or { Registers: 0, Offset: 0, Immediate: > 0 and < FramePointer }
                ? null
                : "BPF_CALL uses reserved fields";
        }
        if (instruction is not { Destination: 0, Offset: 0 })
        {
            return "BPF_CALL uses reserved fields";
        }
        return instruction.Source switch
        {
            PseudoCall.Helper or PseudoCall.Local => null,
            PseudoCall.KernelFunction => (uint)instruction.Immediate < (uint)_kfuncCount
                ? null
                : $"there is no kernel function (kfunc) {instruction.Immediate}",
            _ => "BPF_CALL uses reserved fields",
        };
    }

    private static string? ReasonAgainstLoad(Instruction instruction)
    {
        var isKnown = instruction.MemoryMode switch
        {
            MemoryMode.Mem => true,
            MemoryMode.MemSx => instruction.AccessSize < 8,
            _ => false,
        };
        if (!isKnown)
        {
            return UnknownOpcode(instruction);
        }
        return instruction.Immediate != 0
            ? "BPF_LDX uses reserved fields"
            : ReasonAgainstRegisters(instruction, writesDestination: true);
    }

    private static string? ReasonAgainstStoreImmediate(Instruction instruction)
    {
        if (instruction.MemoryMode != MemoryMode.Mem)
        {
            return UnknownOpcode(instruction);
        }
        return instruction.Source != 0
            ? "BPF_ST uses reserved fields"
            : ReasonAgainstRegisters(instruction, writesDestination: false);
    }

    private static string? ReasonAgainstStore(Instruction instruction)
    {
        switch (instruction.MemoryMode)
        {
            case MemoryMode.Mem:
                return instruction.Immediate != 0
                    ? "BPF_STX uses reserved fields"
                    : ReasonAgainstRegisters(instruction, writesDestination: false);
            case MemoryMode.Atomic:
                return ReasonAgainstAtomic(instruction);
            default:
                return UnknownOpcode(instruction);
        }
    }

    private static string? ReasonAgainstAtomic(Instruction instruction)
    {
        var operation = (AtomicOperation)instruction.Immediate;
        if (operation is AtomicOperation.LoadAcquire or AtomicOperation.StoreRelease)
        {
            return ReasonAgainstRegisters(instruction, operation == AtomicOperation.LoadAcquire);
        }
        if (instruction.AccessSize < 4)
        {
            return "invalid atomic operand size";
        }
        var fetches = operation.HasFlag(AtomicOperation.Fetch);
        var isKnown =
            operation is AtomicOperation.Exchange or AtomicOperation.CompareExchange
            || (operation & ~AtomicOperation.Fetch)
                is AtomicOperation.Add
                    or AtomicOperation.Or
                    or AtomicOperation.And
                    or AtomicOperation.Xor;
        if (!isKnown)
        {
            return $"BPF_ATOMIC uses invalid atomic opcode {instruction.Immediate:x2}";
        }
        var writesSource = fetches && operation != AtomicOperation.CompareExchange;
        return writesSource && instruction.Source == FramePointer
            ? "frame pointer is read only"
            : ReasonAgainstRegisters(instruction, writesDestination: false);
    }

    private string? ReasonAgainstWideLoad(int slot)
    {
        var instruction = _program[slot];
        if (!instruction.IsWide)
        {
            return instruction.MemoryMode is MemoryMode.Abs or MemoryMode.Ind && instruction.AccessSize < 8
                ? "BPF_LD_[ABS|IND] instructions not allowed for this program type"
                : UnknownOpcode(instruction);
        }
        if (slot + 1 >= _program.Length || _program[slot + 1] is not { Opcode: 0, Registers: 0, Offset: 0 })
        {
            return "invalid bpf_ld_imm64 insn";
        }
        if (instruction.Offset != 0)
        {
            return "BPF_LD_IMM64 uses reserved fields";
        }
        var second = _program[slot + 1].Immediate;
        switch (instruction.Source)
        {
            case PseudoLoad.Constant:
                break;
            case PseudoLoad.MapIndex or PseudoLoad.MapIndexValue when (uint)instruction.Immediate >= (uint)_mapCount:
                return $"there is no map {instruction.Immediate}";
            case PseudoLoad.MapIndexValue:
                break;
            case PseudoLoad.MapIndex or PseudoLoad.Function when second != 0:
                return "unrecognized bpf_ld_imm64 insn";
            case PseudoLoad.MapIndex or PseudoLoad.Function:
                break;
            case PseudoLoad.MapFd or PseudoLoad.MapFdValue:
                return "a map by file descriptor: the program is not linked";
            case PseudoLoad.BtfId:
                return "kernel variables (BPF_PSEUDO_BTF_ID) are not supported";
            default:
                return "unrecognized bpf_ld_imm64 insn";
        }
        return ReasonAgainstRegisters(instruction with { Registers = (byte)instruction.Destination }, true);
    }

    /// <summary>A second operand is the source register or the immediate; the other's field must be zero.</summary>
    private static bool IsSecondOperandValid(Instruction instruction) =>
        instruction.UsesSourceRegister ? instruction.Immediate == 0 : instruction.Source == 0;

    private static string? ReasonAgainstRegisters(Instruction instruction, bool writesDestination)
    {
        if (instruction.Destination >= RegisterCount || instruction.Source >= RegisterCount)
        {
            return $"R{Math.Max(instruction.Destination, instruction.Source)} is invalid";
        }
        return writesDestination && instruction.Destination == FramePointer ? "frame pointer is read only" : null;
    }

    private static string UnknownOpcode(Instruction instruction) => $"unknown opcode {instruction.Opcode:x2}";

    /// <summary>Looks at where jumps and calls go; every instruction alone is valid by now.</summary>
    private ValidationError? CheckFlow(ReadOnlySpan<int> functionStarts)
    {
        if (CheckFunctions(functionStarts) is { } error)
        {
            return error;
        }
        var starts = functionStarts.IsEmpty ? FindFunctions(_program) : functionStarts;
        for (var index = 0; index < starts.Length; index++)
        {
            var end = index + 1 < starts.Length ? starts[index + 1] : _program.Length;
            if (CheckFunction(starts[index], end) is { } inFunction)
            {
                return inFunction;
            }
        }
        return null;
    }

    private ValidationError? CheckFunctions(ReadOnlySpan<int> functionStarts)
    {
        for (var index = 0; index < functionStarts.Length; index++)
        {
            var start = functionStarts[index];
            if (index == 0 ? start != 0 : start <= functionStarts[index - 1] || !IsInstruction(start))
            {
                return new ValidationError(0, $"function {index} starts at slot {start}, which is no place for it");
            }
        }
        for (var slot = 0; slot < _program.Length; slot += _program[slot].IsWide ? 2 : 1)
        {
            var instruction = _program[slot];
            if (!ReferencesFunction(instruction))
            {
                continue;
            }
            var target = FunctionTarget(slot, instruction);
            if (!IsInstruction(target) || (!functionStarts.IsEmpty && functionStarts.BinarySearch((int)target) < 0))
            {
                return new ValidationError(slot, $"call to invalid destination {target}");
            }
        }
        return null;
    }

    private ValidationError? CheckFunction(int start, int end)
    {
        var last = start;
        for (var slot = start; slot < end; slot += _program[slot].IsWide ? 2 : 1)
        {
            last = slot;
            var instruction = _program[slot];
            if (!instruction.IsJump || instruction.JumpOperation is JumpOperation.Call or JumpOperation.Exit)
            {
                continue;
            }
            var target =
                slot + 1L + (instruction.Opcode == Opcode.JumpLong ? instruction.Immediate : instruction.Offset);
            if (target < start || target >= end)
            {
                return new ValidationError(slot, $"jump out of range from insn {slot} to {target}");
            }
            if (!IsInstruction(target))
            {
                return new ValidationError(slot, $"jump into the middle of ldimm64 insn {target - 1}");
            }
        }
        return _program[last].Opcode is Opcode.Exit or Opcode.Jump or Opcode.JumpLong
            ? null
            : new ValidationError(last, "last insn is not an exit or jmp");
    }

    /// <summary>
    /// True when an instruction starts at the slot: it is inside, and not the second half of a wide load, which alone has
    /// opcode 0 in a program whose instructions are valid.
    /// </summary>
    private bool IsInstruction(long slot) => IsInside(_program, slot) && _program[(int)slot].Opcode != 0;
}
