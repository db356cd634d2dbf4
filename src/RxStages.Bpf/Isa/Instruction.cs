using System.Runtime.InteropServices;

namespace RxStages.Bpf.Isa;

/// <summary>
/// One 64-bit slot of an eBPF program, laid out as in an object file (RFC 9669, section 3; little endian). A wide
/// instruction (<c>ld_imm64</c>) takes two slots; indices into a program always count slots, as the kernel does.
/// </summary>
/// <param name="Opcode">The operation; see <see cref="Isa.Opcode"/>.</param>
/// <param name="Registers">Destination register in the low four bits, source register in the high four.</param>
/// <param name="Offset">Signed offset: of a jump in slots from the next one, of a memory access in bytes.</param>
/// <param name="Immediate">Signed 32-bit immediate.</param>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly record struct Instruction(byte Opcode, byte Registers, short Offset, int Immediate)
{
    /// <summary>Bytes in one slot.</summary>
    public const int Size = 8;

    /// <summary>Makes an instruction from its register numbers.</summary>
    public Instruction(int opcode, int destination, int source, int offset, int immediate)
        : this((byte)opcode, (byte)((source << 4) | (destination & 0xf)), (short)offset, immediate) { }

    /// <summary>The destination register's number, 0 to 15 (only 0 to 10 are valid).</summary>
    public int Destination => Registers & 0xf;

    /// <summary>The source register's number, or a pseudo value that says what the immediate means.</summary>
    public int Source => Registers >> 4;

    /// <summary>The instruction class: the low three bits of the opcode.</summary>
    public InstructionClass Class => (InstructionClass)(Opcode & 0x07);

    /// <summary>True for <c>ld_imm64</c>, which takes this slot and the next.</summary>
    public bool IsWide => Opcode == Isa.Opcode.LoadImmediate64;

    /// <summary>True for ALU and ALU64 instructions.</summary>
    public bool IsAlu => Class is InstructionClass.Alu or InstructionClass.Alu64;

    /// <summary>True for JMP and JMP32 instructions (calls and exit among them).</summary>
    public bool IsJump => Class is InstructionClass.Jmp or InstructionClass.Jmp32;

    /// <summary>For ALU and jump instructions: true when the second operand is the source register, not the immediate.</summary>
    public bool UsesSourceRegister => (Opcode & Isa.Opcode.SourceRegister) != 0;

    /// <summary>For ALU instructions: the operation.</summary>
    public AluOperation AluOperation => (AluOperation)(Opcode & 0xf0);

    /// <summary>For jump instructions: the operation.</summary>
    public JumpOperation JumpOperation => (JumpOperation)(Opcode & 0xf0);

    /// <summary>For load and store instructions: how memory is addressed.</summary>
    public MemoryMode MemoryMode => (MemoryMode)(Opcode & 0xe0);

    /// <summary>For load and store instructions: the access's width in bytes (1, 2, 4 or 8).</summary>
    public int AccessSize =>
        (Opcode & 0x18) switch
        {
            0x00 => 4,
            0x08 => 2,
            0x10 => 1,
            _ => 8,
        };

    /// <summary>True for a helper call by number (<c>call imm</c> with source 0).</summary>
    public bool IsHelperCall => Opcode == Isa.Opcode.Call && Source == PseudoCall.Helper;

    /// <summary>True for a call of a function of this program (<c>call</c> with source 1; immediate counts slots from the next).</summary>
    public bool IsLocalCall => Opcode == Isa.Opcode.Call && Source == PseudoCall.Local;

    /// <summary>True for a call of a kernel function (<c>call</c> with source 2; in linked programs the immediate is an index).</summary>
    public bool IsKfuncCall => Opcode == Isa.Opcode.Call && Source == PseudoCall.KernelFunction;

    /// <summary>True for a wide load of a function's address (<c>BPF_PSEUDO_FUNC</c>).</summary>
    public bool IsFunctionLoad => IsWide && Source == PseudoLoad.Function;

    /// <summary>For a jump other than call and exit that stands at <paramref name="slot"/>: the slot it goes to when taken.</summary>
    public int JumpTarget(int slot) => slot + 1 + (Opcode == Isa.Opcode.JumpLong ? Immediate : Offset);

    /// <summary>For a local call or the load of a function's address that stands at <paramref name="slot"/>: the function's first slot.</summary>
    public int CallTarget(int slot) => slot + 1 + Immediate;

    /// <summary>
    /// For <c>callx</c>: the register that holds the function's number. LLVM writes it into the destination field since
    /// version 19, before it wrote it into the immediate.
    /// </summary>
    public int CalledRegister => Immediate != 0 ? Immediate : Destination;

    /// <summary>True for <c>exit</c>.</summary>
    public bool IsExit => Opcode == Isa.Opcode.Exit;
}
