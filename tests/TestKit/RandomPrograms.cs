using RxStages.Bpf.Isa;

namespace RxStages.TestKit;

/// <summary>
/// Well-formed programs of random instructions, to compare those who run them. Most of their accesses are to memory that
/// exists: r1 is the address of <see cref="MemorySize"/> bytes and, like r10, never changed. Some loop without end, some
/// touch memory that does not exist.
/// </summary>
public static class RandomPrograms
{
    /// <summary>Bytes of memory that a program expects at r1.</summary>
    public const int MemorySize = 64;

    private const int ImmediateOperand = 0;

    private static readonly int[] Sizes = [1, 2, 4, 8];
    private static readonly int[] SizeBits = [0x10, 0x08, 0x00, 0x18];
    private static readonly AluOperation[] AluOperations = Enum.GetValues<AluOperation>();
    private static readonly AtomicOperation[] AtomicOperations =
    [
        AtomicOperation.Add,
        AtomicOperation.Or,
        AtomicOperation.And,
        AtomicOperation.Xor,
        AtomicOperation.Add | AtomicOperation.Fetch,
        AtomicOperation.Or | AtomicOperation.Fetch,
        AtomicOperation.And | AtomicOperation.Fetch,
        AtomicOperation.Xor | AtomicOperation.Fetch,
        AtomicOperation.Exchange,
        AtomicOperation.CompareExchange,
    ];

    private static readonly JumpOperation[] Comparisons =
    [
        .. Enum.GetValues<JumpOperation>()
            .Except([JumpOperation.Ja, JumpOperation.Call, JumpOperation.Exit, JumpOperation.Jcond]),
    ];

    private static readonly int[] CornerValues = [0, 1, -1, 2, 7, 31, 32, 63, 64, int.MinValue, int.MaxValue];

    /// <summary>A program of so many slots at least, valid by the rules.</summary>
    public static Instruction[] Next(Random random, int length, InstructionRules rules = InstructionRules.Rfc9669)
    {
        List<Instruction> program = [];
        while (program.Count < length)
        {
            switch (random.Next(10))
            {
                case < 5:
                    program.Add(Alu(random));
                    break;
                case 5:
                    program.Add(Jump(random, program.Count, length));
                    break;
                case 6:
                    program.Add(new Instruction(Opcode.LoadImmediate64, Register(random), 0, 0, Value(random)));
                    program.Add(new Instruction(0, 0, 0, 0, Value(random)));
                    break;
                default:
                    program.Add(Memory(random));
                    break;
            }
        }
        program.Add(new Instruction(Opcode.Exit, 0, 0, 0, 0));
        var slots = program.ToArray();
        // A jump may have hit the middle of a wide load, an immediate may be no divisor or no shift.
        while (InstructionValidator.Validate(slots, [], 0, rules) is { } error)
        {
            var wrong = slots[error.Slot];
            slots[error.Slot] = wrong.IsJump ? wrong with { Offset = 0 } : wrong with { Immediate = 1 };
        }
        return slots;
    }

    private static Instruction Alu(Random random)
    {
        var operation = AluOperations[random.Next(AluOperations.Length)];
        var is64 = random.Next(2) == 0;
        var @class = (int)(is64 ? InstructionClass.Alu64 : InstructionClass.Alu);
        var operand = random.Next(2) == 0 ? ImmediateOperand : Opcode.SourceRegister;
        var opcode = (int)operation | @class;
        switch (operation)
        {
            case AluOperation.Neg:
                return new Instruction(opcode, Register(random), 0, 0, 0);
            case AluOperation.End:
                var order = is64 ? ImmediateOperand : operand;
                return new Instruction(opcode | order, Register(random), 0, 0, 16 << random.Next(3));
        }
        var offset = operation switch
        {
            AluOperation.Div or AluOperation.Mod => random.Next(2),
            AluOperation.Mov when operand != ImmediateOperand => 8 * random.Next(is64 ? 4 : 3),
            _ => 0,
        };
        offset = offset == 24 ? 32 : offset;
        return operand == ImmediateOperand
            ? new Instruction(opcode, Register(random), 0, offset, Value(random))
            : new Instruction(opcode | operand, Register(random), Register(random), offset, 0);
    }

    private static Instruction Jump(Random random, int slot, int length)
    {
        // Backward jumps are rarer, or most programs would not end.
        var target = random.Next(8) == 0 ? random.Next(slot + 1) : random.Next(slot + 1, length + 1);
        var offset = target - slot - 1;
        var operation = Comparisons[random.Next(Comparisons.Length)];
        var @class = (int)(random.Next(2) == 0 ? InstructionClass.Jmp : InstructionClass.Jmp32);
        return random.Next(2) == 0
            ? new Instruction((int)operation | @class, Register(random), 0, offset, Value(random))
            : new Instruction(
                (int)operation | @class | Opcode.SourceRegister,
                Register(random),
                Register(random),
                offset,
                0
            );
    }

    private static Instruction Memory(Random random)
    {
        var kind = random.Next(5);
        var size = random.Next(kind == 4 ? 2 : 0, 4);
        // One access in 64 goes wrong.
        var end = MemorySize - Sizes[size] + (random.Next(64) == 0 ? 2 : 1);
        var (address, offset) = random.Next(2) == 0 ? (1, random.Next(end)) : (10, random.Next(end) - MemorySize);
        return kind switch
        {
            0 => new Instruction(0x61 | SizeBits[size], Register(random), address, offset, 0),
            1 when size < 3 => new Instruction(0x81 | SizeBits[size], Register(random), address, offset, 0),
            1 or 2 => new Instruction(0x62 | SizeBits[size], address, 0, offset, Value(random)),
            3 => new Instruction(0x63 | SizeBits[size], address, Register(random), offset, 0),
            _ => new Instruction(
                0xc3 | SizeBits[size],
                address,
                Register(random),
                offset & -Sizes[size],
                (int)AtomicOperations[random.Next(AtomicOperations.Length)]
            ),
        };
    }

    /// <summary>A register that may be changed: not r1, r2 and r10.</summary>
    private static int Register(Random random) =>
        random.Next(8) switch
        {
            0 => 0,
            var other => other + 2,
        };

    private static int Value(Random random) =>
        random.Next(2) == 0 ? CornerValues[random.Next(CornerValues.Length)] : random.Next(int.MinValue, int.MaxValue);
}
