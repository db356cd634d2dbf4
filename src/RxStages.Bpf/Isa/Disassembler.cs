namespace RxStages.Bpf.Isa;

/// <summary>
/// Writes instructions as <c>llvm-objdump -d</c> of LLVM 19 prints them, and <see cref="Assembler"/> reads them. Three
/// things are not as there: references to maps, functions and kfuncs in linked programs, which have a form of their own
/// (<c>r1 = map[0] ll</c>, <c>call kfunc[0]</c>); the atomic operations on 32 bits, which are written as with <c>--mcpu=v4</c>, without which
/// objdump does not know them; and load-acquire and store-release, which come from LLVM 20.
/// </summary>
public static class Disassembler
{
    /// <summary>What stands for something that is no instruction.</summary>
    public const string Unknown = "<unknown>";

    /// <summary>Writes the instruction that starts at a slot.</summary>
    /// <param name="program">The program; only a wide load looks at more than its own slot.</param>
    /// <param name="slot">The slot.</param>
    /// <param name="symbolOf">
    /// Names the place that a jump goes to (<c>main+0x28</c>), which objdump writes behind it in angle brackets; null, or
    /// a null name, leaves it away.
    /// </param>
    public static string Format(ReadOnlySpan<Instruction> program, int slot, Func<int, string?>? symbolOf = null)
    {
        var instruction = program[slot];
        if (instruction.Destination > 10 || instruction.Source > 10)
        {
            return Unknown;
        }
        return instruction.Class switch
        {
            InstructionClass.Alu or InstructionClass.Alu64 => Alu(instruction),
            InstructionClass.Jmp or InstructionClass.Jmp32 => Jump(instruction, slot, symbolOf),
            InstructionClass.Ldx => Load(instruction),
            InstructionClass.St => StoreImmediate(instruction),
            InstructionClass.Stx => Store(instruction),
            _ when instruction.IsWide && slot + 1 < program.Length => WideLoad(
                instruction,
                program[slot + 1].Immediate
            ),
            _ => LegacyLoad(instruction),
        };
    }

    private static string Alu(Instruction instruction)
    {
        var is64 = instruction.Class == InstructionClass.Alu64;
        var width = is64 ? 'r' : 'w';
        var destination = $"{width}{instruction.Destination}";
        var source = instruction.UsesSourceRegister ? $"{width}{instruction.Source}" : Hex(instruction.Immediate);
        var offset = instruction.Offset;
        switch (instruction.AluOperation)
        {
            case AluOperation.Neg when !instruction.UsesSourceRegister:
                return $"{destination} = -{destination}";
            case AluOperation.End
                when instruction.Immediate is 16 or 32 or 64 && !(is64 && instruction.UsesSourceRegister):
                var swap =
                    is64 ? "bswap"
                    : instruction.UsesSourceRegister ? "be"
                    : "le";
                return $"r{instruction.Destination} = {swap}{instruction.Immediate} r{instruction.Destination}";
            case AluOperation.Mov when offset == 0:
                return $"{destination} = {source}";
            case AluOperation.Mov when instruction.UsesSourceRegister && (offset is 8 or 16 || (offset == 32 && is64)):
                return $"{destination} = (s{offset}){source}";
            case AluOperation.Div when offset == 1:
                return $"{destination} s/= {source}";
            case AluOperation.Mod when offset == 1:
                return $"{destination} s%= {source}";
            default:
                return offset == 0 && AluSymbol(instruction.AluOperation) is { } symbol
                    ? $"{destination} {symbol} {source}"
                    : Unknown;
        }
    }

    private static string? AluSymbol(AluOperation operation) =>
        operation switch
        {
            AluOperation.Add => "+=",
            AluOperation.Sub => "-=",
            AluOperation.Mul => "*=",
            AluOperation.Div => "/=",
            AluOperation.Or => "|=",
            AluOperation.And => "&=",
            AluOperation.Lsh => "<<=",
            AluOperation.Rsh => ">>=",
            AluOperation.Mod => "%=",
            AluOperation.Xor => "^=",
            AluOperation.Arsh => "s>>=",
            _ => null,
        };

    private static string Jump(Instruction instruction, int slot, Func<int, string?>? symbolOf)
    {
        switch (instruction.Opcode)
        {
            case Opcode.Exit:
                return "exit";
            case Opcode.Call when instruction.Source == PseudoCall.KernelFunction:
                return $"call kfunc[{instruction.Immediate}]";
            case Opcode.Call:
                return $"call {Hex(instruction.Immediate)}";
            case Opcode.CallRegister:
                return $"callx r{instruction.Destination}";
            case Opcode.Jump:
                return $"goto {Target(instruction, slot, symbolOf)}";
            case Opcode.JumpLong:
                return $"gotol {Target(instruction, slot, symbolOf)}";
            case Opcode.MayGoto:
                return $"may_goto {Target(instruction, slot, symbolOf)}";
        }
        if (Comparison(instruction.JumpOperation) is not { } comparison)
        {
            return Unknown;
        }
        var width = instruction.Class == InstructionClass.Jmp ? 'r' : 'w';
        var right = instruction.UsesSourceRegister ? $"{width}{instruction.Source}" : Hex(instruction.Immediate);
        return $"if {width}{instruction.Destination} {comparison} {right} goto {Target(instruction, slot, symbolOf)}";
    }

    private static string? Comparison(JumpOperation operation) =>
        operation switch
        {
            JumpOperation.Jeq => "==",
            JumpOperation.Jgt => ">",
            JumpOperation.Jge => ">=",
            JumpOperation.Jset => "&",
            JumpOperation.Jne => "!=",
            JumpOperation.Jsgt => "s>",
            JumpOperation.Jsge => "s>=",
            JumpOperation.Jlt => "<",
            JumpOperation.Jle => "<=",
            JumpOperation.Jslt => "s<",
            JumpOperation.Jsle => "s<=",
            _ => null,
        };

    private static string Target(Instruction instruction, int slot, Func<int, string?>? symbolOf)
    {
        var distance = instruction.Opcode == Opcode.JumpLong ? instruction.Immediate : instruction.Offset;
        var text = distance < 0 ? Hex(distance) : $"+{Hex(distance)}";
        return symbolOf?.Invoke(instruction.JumpTarget(slot)) is { } symbol ? $"{text} <{symbol}>" : text;
    }

    private static string Load(Instruction instruction)
    {
        var sign = instruction.MemoryMode switch
        {
            MemoryMode.Mem => 'u',
            MemoryMode.MemSx when instruction.AccessSize < 8 => 's',
            _ => '\0',
        };
        return sign == '\0'
            ? Unknown
            : $"r{instruction.Destination} = *({sign}{Bits(instruction)} *)({Address(instruction.Source, instruction)})";
    }

    private static string StoreImmediate(Instruction instruction) =>
        instruction.MemoryMode == MemoryMode.Mem ? $"{Memory(instruction)} = {Hex(instruction.Immediate)}" : Unknown;

    private static string Store(Instruction instruction) =>
        instruction.MemoryMode switch
        {
            MemoryMode.Mem => $"{Memory(instruction)} = r{instruction.Source}",
            MemoryMode.Atomic => Atomic(instruction),
            _ => Unknown,
        };

    private static string Atomic(Instruction instruction)
    {
        var operation = (AtomicOperation)instruction.Immediate;
        var width = instruction.AccessSize == 8 ? 'r' : 'w';
        var source = $"{width}{instruction.Source}";
        var type = $"u{Bits(instruction)} *";
        var address = Address(instruction.Destination, instruction);
        switch (operation)
        {
            case AtomicOperation.LoadAcquire:
                var loadAddress = Address(instruction.Source, instruction);
                return $"{width}{instruction.Destination} = load_acquire(({type})({loadAddress}))";
            case AtomicOperation.StoreRelease:
                return $"store_release(({type})({address}), {source})";
        }
        if (instruction.AccessSize < 4)
        {
            return Unknown;
        }
        var exchange = instruction.AccessSize == 8 ? "xchg_64" : "xchg32_32";
        switch (operation)
        {
            case AtomicOperation.Exchange:
                return $"{source} = {exchange}({address}, {source})";
            case AtomicOperation.CompareExchange:
                return $"{width}0 = cmp{exchange}({address}, {width}0, {source})";
            case AtomicOperation.Add:
                return $"lock {Memory(instruction)} += r{instruction.Source}";
        }
        var (name, symbol) = (operation & ~AtomicOperation.Fetch) switch
        {
            AtomicOperation.Add => ("add", "+="),
            AtomicOperation.Or => ("or", "|="),
            AtomicOperation.And => ("and", "&="),
            AtomicOperation.Xor => ("xor", "^="),
            _ => (null, null),
        };
        if (name is null)
        {
            return Unknown;
        }
        return operation.HasFlag(AtomicOperation.Fetch)
            ? $"{source} = atomic_fetch_{name}(({type})({address}), {source})"
            : $"lock {Memory(instruction)} {symbol} {source}";
    }

    private static string WideLoad(Instruction instruction, int second)
    {
        var (destination, first) = (instruction.Destination, instruction.Immediate);
        return instruction.Source switch
        {
            PseudoLoad.Constant => $"r{destination} = {Hex(((long)second << 32) | (uint)first)} ll",
            PseudoLoad.MapIndex => $"r{destination} = map[{first}] ll",
            PseudoLoad.MapIndexValue => $"r{destination} = map_value[{first}]+{Hex((uint)second)} ll",
            PseudoLoad.Function => $"r{destination} = function {(first < 0 ? "" : "+")}{Hex(first)} ll",
            _ => $"ld_pseudo\tr{destination}, {Hex(instruction.Source)}, {Hex((uint)first)}",
        };
    }

    private static string LegacyLoad(Instruction instruction)
    {
        var index = instruction.MemoryMode switch
        {
            MemoryMode.Abs => Hex(instruction.Immediate),
            MemoryMode.Ind => $"r{instruction.Source}",
            _ => null,
        };
        return index is null || instruction.Class != InstructionClass.Ld || instruction.AccessSize == 8
            ? Unknown
            : $"r0 = *(u{Bits(instruction)} *)skb[{index}]";
    }

    private static string Memory(Instruction instruction) =>
        $"*(u{Bits(instruction)} *)({Address(instruction.Destination, instruction)})";

    private static string Address(int register, Instruction instruction) =>
        $"r{register} {(instruction.Offset < 0 ? '-' : '+')} {Hex(Math.Abs((int)instruction.Offset))}";

    private static int Bits(Instruction instruction) => instruction.AccessSize * 8;

    private static string Hex(long value) => value < 0 ? $"-0x{unchecked(0UL - (ulong)value):x}" : $"0x{value:x}";
}
