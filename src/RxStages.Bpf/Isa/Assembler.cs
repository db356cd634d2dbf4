using System.Collections.Immutable;

namespace RxStages.Bpf.Isa;

/// <summary>
/// A small assembler, for tests and experiments. One instruction per line, written as <c>llvm-objdump -d</c> prints it:
/// <c>r1 = *(u32 *)(r1 + 0x4)</c>, <c>if r1 s&gt; 0x5 goto +0x3</c>, <c>lock *(u64 *)(r1 + 0x8) += r2</c>. Beyond that:
/// <list type="bullet">
/// <item>numbers may be decimal; comments start with <c>//</c> or <c>;</c>;</item>
/// <item><c>name:</c> defines a label, which <c>goto</c>, <c>gotol</c>, <c>if</c> and <c>call</c> take;</item>
/// <item><c>call 12</c> calls a helper, <c>call name</c> a function of the program, <c>call kfunc[0]</c> one of the kernel's, by index;</item>
/// <item><c>r1 = map[0] ll</c> and <c>r1 = map_value[0]+8 ll</c> are <see cref="PseudoLoad.MapIndex"/> and
/// <see cref="PseudoLoad.MapIndexValue"/>, <c>r1 = function name ll</c> is <see cref="PseudoLoad.Function"/>.</item>
/// </list>
/// The instructions are well formed, but not validated.
/// </summary>
public sealed class Assembler
{
    private static readonly (string, JumpOperation)[] Comparisons =
    [
        ("s>=", JumpOperation.Jsge),
        ("s<=", JumpOperation.Jsle),
        ("s>", JumpOperation.Jsgt),
        ("s<", JumpOperation.Jslt),
        ("==", JumpOperation.Jeq),
        ("!=", JumpOperation.Jne),
        (">=", JumpOperation.Jge),
        ("<=", JumpOperation.Jle),
        (">", JumpOperation.Jgt),
        ("<", JumpOperation.Jlt),
        ("&", JumpOperation.Jset),
    ];

    private static readonly (string, (AluOperation Operation, int Offset))[] Assignments =
    [
        ("s>>=", (AluOperation.Arsh, 0)),
        ("s/=", (AluOperation.Div, 1)),
        ("s%=", (AluOperation.Mod, 1)),
        ("<<=", (AluOperation.Lsh, 0)),
        (">>=", (AluOperation.Rsh, 0)),
        ("+=", (AluOperation.Add, 0)),
        ("-=", (AluOperation.Sub, 0)),
        ("*=", (AluOperation.Mul, 0)),
        ("/=", (AluOperation.Div, 0)),
        ("%=", (AluOperation.Mod, 0)),
        ("|=", (AluOperation.Or, 0)),
        ("&=", (AluOperation.And, 0)),
        ("^=", (AluOperation.Xor, 0)),
    ];

    private static readonly (string, AtomicOperation)[] LockedAssignments =
    [
        ("+=", AtomicOperation.Add),
        ("|=", AtomicOperation.Or),
        ("&=", AtomicOperation.And),
        ("^=", AtomicOperation.Xor),
    ];

    private static readonly (string, AtomicOperation)[] Fetches =
    [
        ("atomic_fetch_add", AtomicOperation.Add | AtomicOperation.Fetch),
        ("atomic_fetch_or", AtomicOperation.Or | AtomicOperation.Fetch),
        ("atomic_fetch_and", AtomicOperation.And | AtomicOperation.Fetch),
        ("atomic_fetch_xor", AtomicOperation.Xor | AtomicOperation.Fetch),
    ];

    private static readonly (string, (AtomicOperation Operation, int Size))[] Exchanges =
    [
        ("xchg_64", (AtomicOperation.Exchange, 8)),
        ("xchg32_32", (AtomicOperation.Exchange, 4)),
        ("cmpxchg_64", (AtomicOperation.CompareExchange, 8)),
        ("cmpxchg32_32", (AtomicOperation.CompareExchange, 4)),
    ];

    private static readonly (string, int)[] SignExtensions = [("s8", 8), ("s16", 16), ("s32", 32)];

    private static readonly (string, (int Opcode, int Width))[] Swaps =
    [
        ("le16", (0xd4, 16)),
        ("le32", (0xd4, 32)),
        ("le64", (0xd4, 64)),
        ("be16", (0xdc, 16)),
        ("be32", (0xdc, 32)),
        ("be64", (0xdc, 64)),
        ("bswap16", (0xd7, 16)),
        ("bswap32", (0xd7, 32)),
        ("bswap64", (0xd7, 64)),
    ];

    private static readonly (string, (int SizeBits, bool IsSigned))[] MemoryTypes =
    [
        ("u8", (0x10, false)),
        ("u16", (0x08, false)),
        ("u32", (0x00, false)),
        ("u64", (0x18, false)),
        ("s8", (0x10, true)),
        ("s16", (0x08, true)),
        ("s32", (0x00, true)),
    ];

    private readonly AssemblyProgram _program = new();

    private Assembler() { }

    /// <summary>Assembles a program.</summary>
    /// <exception cref="Errors.InputException">A line is not an instruction; the message names the line and the reason.</exception>
    public static ImmutableArray<Instruction> Assemble(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var assembler = new Assembler();
        var number = 0;
        foreach (var line in text.EnumerateLines())
        {
            assembler.Statement(new AssemblyLine(WithoutComment(line).ToString(), ++number));
        }
        return assembler._program.Finish();
    }

    private static ReadOnlySpan<char> WithoutComment(ReadOnlySpan<char> line)
    {
        var semicolon = line.IndexOf(';');
        line = semicolon < 0 ? line : line[..semicolon];
        var slashes = line.IndexOf("//", StringComparison.Ordinal);
        return slashes < 0 ? line : line[..slashes];
    }

    private void Statement(AssemblyLine line)
    {
        while (line.AcceptLabel() is { } label)
        {
            _program.Define(label, line);
        }
        if (line.IsAtEnd)
        {
            return;
        }
        if (line.Accept("exit"))
        {
            _program.Emit(Opcode.Exit);
        }
        else if (line.Accept("goto"))
        {
            EmitJump(Opcode.Jump, 0, 0, 0, line);
        }
        else if (line.Accept("gotol"))
        {
            var offset = JumpOffset(line, int.MinValue, int.MaxValue);
            _program.Emit(Opcode.JumpLong, immediate: offset);
        }
        else if (line.Accept("may_goto"))
        {
            EmitJump(Opcode.MayGoto, 0, 0, 0, line);
        }
        else if (line.Accept("callx"))
        {
            _program.Emit(Opcode.CallRegister, line.ExpectWholeRegister());
        }
        else if (line.Accept("call"))
        {
            Call(line);
        }
        else if (line.Accept("if"))
        {
            ConditionalJump(line);
        }
        else if (line.Accept("lock"))
        {
            LockedAssignment(line);
        }
        else if (line.Accept("store_release"))
        {
            StoreRelease(line);
        }
        else if (line.Accept("ld_pseudo"))
        {
            PseudoLoadByNumbers(line);
        }
        else if (line.Accept("*"))
        {
            Store(line);
        }
        else if (line.AcceptRegister(out var destination))
        {
            Assignment(line, destination);
        }
        else
        {
            throw line.Error("not an instruction");
        }
        if (!line.IsAtEnd)
        {
            throw line.Error("there is more than the instruction");
        }
    }

    private void Call(AssemblyLine line)
    {
        if (line.AcceptNumber(out var helper))
        {
            _program.Emit(Opcode.Call, immediate: Immediate(line, helper, isHalf: true));
            return;
        }
        if (line.Accept("kfunc["))
        {
            var kfunc = (int)line.ExpectNumber(0, int.MaxValue);
            line.Expect("]");
            _program.Emit(Opcode.Call, 0, PseudoCall.KernelFunction, 0, kfunc);
            return;
        }
        _program.Refer(line.ExpectName(), line);
        _program.Emit(Opcode.Call, 0, PseudoCall.Local);
    }

    private void ConditionalJump(AssemblyLine line)
    {
        var left = line.ExpectRegister();
        if (!line.AcceptAny(Comparisons, out var comparison))
        {
            throw line.Error("comparison expected");
        }
        var opcode = (int)comparison | (int)(left.IsHalf ? InstructionClass.Jmp32 : InstructionClass.Jmp);
        var (source, immediate) = Operand(line, left.IsHalf, ref opcode);
        line.Expect("goto");
        EmitJump(opcode, left.Index, source, immediate, line);
    }

    /// <summary>The right-hand side of an ALU or jump instruction: a register of the same width, or an immediate.</summary>
    private static (int Source, int Immediate) Operand(AssemblyLine line, bool isHalf, ref int opcode)
    {
        if (line.AcceptRegister(out var source))
        {
            RequireWidth(line, source, isHalf);
            opcode |= Opcode.SourceRegister;
            return (source.Index, 0);
        }
        return line.AcceptNumber(out var value)
            ? (0, Immediate(line, value, isHalf))
            : throw line.Error("register or number expected");
    }

    private void LockedAssignment(AssemblyLine line)
    {
        line.Expect("*");
        var (sizeBits, _) = MemoryType(line);
        var (address, offset) = Address(line);
        if (!line.AcceptAny(LockedAssignments, out var operation))
        {
            throw line.Error("+=, |=, &= or ^= expected");
        }
        var value = line.ExpectRegister();
        // objdump writes r2 or w2 here, by the CPU version that it was told.
        var isHalf = value.IsHalf || sizeBits == 0x00;
        EmitAtomic(line, sizeBits, address, offset, value with { IsHalf = isHalf }, operation);
    }

    private void StoreRelease(AssemblyLine line)
    {
        line.Expect("(");
        var (sizeBits, _) = MemoryType(line);
        var (address, offset) = Address(line);
        line.Expect(",");
        var value = line.ExpectRegister();
        line.Expect(")");
        RequireWidth(line, value, isHalf: sizeBits != 0x18);
        _program.Emit(AtomicOpcode(sizeBits), address, value.Index, offset, (int)AtomicOperation.StoreRelease);
    }

    private void PseudoLoadByNumbers(AssemblyLine line)
    {
        var destination = line.ExpectWholeRegister();
        line.Expect(",");
        var source = (int)line.ExpectNumber(0, 15);
        line.Expect(",");
        if (!line.AcceptNumber(out var value) || value < long.MinValue || value > ulong.MaxValue)
        {
            throw line.Error("64-bit number expected");
        }
        _program.EmitWide(destination, source, unchecked((int)value), unchecked((int)(value >> 32)));
    }

    private void Store(AssemblyLine line)
    {
        var (sizeBits, isSigned) = MemoryType(line);
        var (address, offset) = Address(line);
        line.Expect("=");
        if (isSigned)
        {
            throw line.Error("stores are u8, u16, u32 or u64");
        }
        var opcode = (int)MemoryMode.Mem | sizeBits;
        if (line.AcceptRegister(out var source))
        {
            if (source.IsHalf && sizeBits == 0x18)
            {
                throw line.Error("a 64-bit store takes a 64-bit register");
            }
            _program.Emit(opcode | (int)InstructionClass.Stx, address, source.Index, offset);
            return;
        }
        if (!line.AcceptNumber(out var value))
        {
            throw line.Error("register or number expected");
        }
        _program.Emit(
            opcode | (int)InstructionClass.St,
            address,
            0,
            offset,
            Immediate(line, value, isHalf: sizeBits != 0x18)
        );
    }

    private void Assignment(AssemblyLine line, Register destination)
    {
        var @class = (int)(destination.IsHalf ? InstructionClass.Alu : InstructionClass.Alu64);
        if (line.AcceptAny(Assignments, out var assignment))
        {
            var opcode = (int)assignment.Operation | @class;
            var (source, immediate) = Operand(line, destination.IsHalf, ref opcode);
            _program.Emit(opcode, destination.Index, source, assignment.Offset, immediate);
            return;
        }
        line.Expect("=");
        if (line.Accept("*"))
        {
            Load(line, destination);
        }
        else if (line.Accept("("))
        {
            SignExtension(line, destination, @class);
        }
        else if (line.AcceptAny(Swaps, out var swap))
        {
            RequireSame(line, destination);
            _program.Emit(swap.Opcode, destination.Index, 0, 0, swap.Width);
        }
        else if (line.AcceptAny(Fetches, out var fetch))
        {
            line.Expect("(");
            var (sizeBits, _) = MemoryType(line);
            var (address, offset) = Address(line);
            line.Expect(",");
            RequireSame(line, destination);
            line.Expect(")");
            EmitAtomic(line, sizeBits, address, offset, destination, fetch);
        }
        else if (line.AcceptAny(Exchanges, out var exchange))
        {
            Exchange(line, destination, exchange.Operation, exchange.Size);
        }
        else if (line.Accept("load_acquire"))
        {
            line.Expect("(");
            var (sizeBits, _) = MemoryType(line);
            var (address, offset) = Address(line);
            line.Expect(")");
            RequireWidth(line, destination, isHalf: sizeBits != 0x18);
            _program.Emit(AtomicOpcode(sizeBits), destination.Index, address, offset, (int)AtomicOperation.LoadAcquire);
        }
        else if (line.Accept("map"))
        {
            line.Expect("[");
            var map = (int)line.ExpectNumber(0, int.MaxValue);
            line.Expect("]");
            line.Expect("ll");
            _program.EmitWide(destination.Index, PseudoLoad.MapIndex, map, 0);
        }
        else if (line.Accept("map_value"))
        {
            line.Expect("[");
            var map = (int)line.ExpectNumber(0, int.MaxValue);
            line.Expect("]");
            var offset = line.AcceptNumber(out var value) ? Immediate(line, value, isHalf: true) : 0;
            line.Expect("ll");
            _program.EmitWide(destination.Index, PseudoLoad.MapIndexValue, map, offset);
        }
        else if (line.Accept("function"))
        {
            var offset = JumpOffset(line, int.MinValue, int.MaxValue);
            line.Expect("ll");
            _program.EmitWide(destination.Index, PseudoLoad.Function, offset, 0);
        }
        else
        {
            Move(line, destination, @class);
        }
    }

    private void Move(AssemblyLine line, Register destination, int @class)
    {
        if (line.AcceptNumber(out var value))
        {
            if (line.Accept("ll"))
            {
                RequireWidth(line, destination, isHalf: false);
                if (value < long.MinValue)
                {
                    throw line.Error($"{value} does not fit 64 bits");
                }
                _program.EmitWide(
                    destination.Index,
                    PseudoLoad.Constant,
                    unchecked((int)value),
                    unchecked((int)(value >> 32))
                );
                return;
            }
            _program.Emit(
                (int)AluOperation.Mov | @class,
                destination.Index,
                immediate: Immediate(line, value, destination.IsHalf)
            );
        }
        else if (line.Accept("-"))
        {
            RequireSame(line, destination);
            _program.Emit((int)AluOperation.Neg | @class, destination.Index);
        }
        else
        {
            var source = line.ExpectRegister();
            RequireWidth(line, source, destination.IsHalf);
            _program.Emit((int)AluOperation.Mov | Opcode.SourceRegister | @class, destination.Index, source.Index);
        }
    }

    private void SignExtension(AssemblyLine line, Register destination, int @class)
    {
        if (!line.AcceptAny(SignExtensions, out var bits) || (bits == 32 && destination.IsHalf))
        {
            throw line.Error("sign extension from 8, 16 or (to 64 bits) 32 bits expected");
        }
        line.Expect(")");
        var source = line.ExpectRegister();
        RequireWidth(line, source, destination.IsHalf);
        _program.Emit((int)AluOperation.Mov | Opcode.SourceRegister | @class, destination.Index, source.Index, bits);
    }

    private void Load(AssemblyLine line, Register destination)
    {
        var (sizeBits, isSigned) = MemoryType(line);
        if (line.Accept("skb"))
        {
            LegacyLoad(line, destination, sizeBits, isSigned);
            return;
        }
        if (destination.IsHalf && (isSigned || sizeBits == 0x18))
        {
            throw line.Error("this load takes a 64-bit register");
        }
        var (address, offset) = Address(line);
        var mode = isSigned ? MemoryMode.MemSx : MemoryMode.Mem;
        _program.Emit((int)mode | sizeBits | (int)InstructionClass.Ldx, destination.Index, address, offset);
    }

    private void LegacyLoad(AssemblyLine line, Register destination, int sizeBits, bool isSigned)
    {
        if (destination.Index != 0 || isSigned || sizeBits == 0x18)
        {
            throw line.Error("legacy packet loads are u8, u16 or u32, into r0");
        }
        line.Expect("[");
        if (line.AcceptRegister(out var index))
        {
            _program.Emit((int)MemoryMode.Ind | sizeBits, 0, index.Index);
        }
        else
        {
            _program.Emit(
                (int)MemoryMode.Abs | sizeBits,
                immediate: (int)line.ExpectNumber(int.MinValue, int.MaxValue)
            );
        }
        line.Expect("]");
    }

    private void Exchange(AssemblyLine line, Register destination, AtomicOperation operation, int size)
    {
        line.Expect("(");
        var address = line.ExpectWholeRegister();
        var offset = MemoryOffset(line);
        line.Expect(",");
        var source = destination;
        if (operation == AtomicOperation.CompareExchange)
        {
            if (destination.Index != 0)
            {
                throw line.Error("compare and exchange works on r0");
            }
            RequireSame(line, destination);
            line.Expect(",");
            source = line.ExpectRegister();
        }
        else
        {
            RequireSame(line, destination);
        }
        line.Expect(")");
        RequireWidth(line, destination, isHalf: size == 4);
        EmitAtomic(line, size == 4 ? 0x00 : 0x18, address, offset, source, operation);
    }

    private static (int SizeBits, bool IsSigned) MemoryType(AssemblyLine line)
    {
        line.Expect("(");
        if (!line.AcceptAny(MemoryTypes, out var type))
        {
            throw line.Error("memory type (u8, u16, u32, u64, s8, s16, s32) expected");
        }
        line.Expect("*");
        line.Expect(")");
        return type;
    }

    private static (int Register, int Offset) Address(AssemblyLine line)
    {
        line.Expect("(");
        var register = line.ExpectWholeRegister();
        var offset = MemoryOffset(line);
        line.Expect(")");
        return (register, offset);
    }

    private static int MemoryOffset(AssemblyLine line) => (int)line.ExpectNumber(short.MinValue, short.MaxValue);

    private static int Immediate(AssemblyLine line, Int128 value, bool isHalf) =>
        value >= int.MinValue && value <= (isHalf ? uint.MaxValue : int.MaxValue)
            ? unchecked((int)value)
            : throw line.Error($"{value} does not fit the immediate, which has 32 bits (and is sign-extended to 64)");

    private static void RequireWidth(AssemblyLine line, Register register, bool isHalf)
    {
        if (register.IsHalf != isHalf)
        {
            throw line.Error($"{(isHalf ? 'w' : 'r')}{register.Index} expected");
        }
    }

    private static void RequireSame(AssemblyLine line, Register destination)
    {
        if (line.ExpectRegister() != destination)
        {
            throw line.Error("the destination register expected");
        }
    }

    private static int AtomicOpcode(int sizeBits) => (int)MemoryMode.Atomic | sizeBits | (int)InstructionClass.Stx;

    private void EmitAtomic(
        AssemblyLine line,
        int sizeBits,
        int address,
        int offset,
        Register value,
        AtomicOperation operation
    )
    {
        if (sizeBits is not (0x00 or 0x18))
        {
            throw line.Error("atomic operations are u32 or u64");
        }
        RequireWidth(line, value, isHalf: sizeBits == 0x00);
        _program.Emit(AtomicOpcode(sizeBits), address, value.Index, offset, (int)operation);
    }

    private void EmitJump(int opcode, int destination, int source, int immediate, AssemblyLine line)
    {
        var offset = JumpOffset(line, short.MinValue, short.MaxValue);
        _program.Emit(opcode, destination, source, offset, immediate);
    }

    /// <summary>A jump's target: slots from the next, or a label, which is resolved at the end.</summary>
    private int JumpOffset(AssemblyLine line, int low, int high)
    {
        if (line.AcceptNumber(out var offset))
        {
            line.SkipTargetSymbol();
            return offset >= low && offset <= high ? (int)offset : throw line.Error($"the jump goes too far: {offset}");
        }
        _program.Refer(line.ExpectName(), line);
        return 0;
    }
}
