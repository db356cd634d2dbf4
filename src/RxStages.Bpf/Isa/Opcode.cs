namespace RxStages.Bpf.Isa;

/// <summary>Instruction classes (RFC 9669, section 3.2).</summary>
public enum InstructionClass : byte
{
    /// <summary>Non-standard loads (<c>BPF_LD</c>): the wide immediate load.</summary>
    Ld = 0,

    /// <summary>Load into a register (<c>BPF_LDX</c>).</summary>
    Ldx = 1,

    /// <summary>Store an immediate (<c>BPF_ST</c>).</summary>
    St = 2,

    /// <summary>Store a register, atomics among them (<c>BPF_STX</c>).</summary>
    Stx = 3,

    /// <summary>32-bit arithmetic (<c>BPF_ALU</c>).</summary>
    Alu = 4,

    /// <summary>64-bit jumps, calls, exit (<c>BPF_JMP</c>).</summary>
    Jmp = 5,

    /// <summary>32-bit jumps (<c>BPF_JMP32</c>).</summary>
    Jmp32 = 6,

    /// <summary>64-bit arithmetic (<c>BPF_ALU64</c>).</summary>
    Alu64 = 7,
}

/// <summary>Arithmetic operations: the high four bits of an ALU opcode (RFC 9669, section 4.1).</summary>
public enum AluOperation : byte
{
    /// <summary><c>dst += src</c></summary>
    Add = 0x00,

    /// <summary><c>dst -= src</c></summary>
    Sub = 0x10,

    /// <summary><c>dst *= src</c></summary>
    Mul = 0x20,

    /// <summary><c>dst = src ? dst / src : 0</c>; signed when the offset is 1.</summary>
    Div = 0x30,

    /// <summary><c>dst |= src</c></summary>
    Or = 0x40,

    /// <summary><c>dst &amp;= src</c></summary>
    And = 0x50,

    /// <summary><c>dst &lt;&lt;= src</c>, the count masked to the width.</summary>
    Lsh = 0x60,

    /// <summary>Logical shift right, the count masked to the width.</summary>
    Rsh = 0x70,

    /// <summary><c>dst = -dst</c></summary>
    Neg = 0x80,

    /// <summary><c>dst = src ? dst % src : dst</c>; signed when the offset is 1.</summary>
    Mod = 0x90,

    /// <summary><c>dst ^= src</c></summary>
    Xor = 0xa0,

    /// <summary><c>dst = src</c>; sign-extending from the offset's 8, 16 or 32 bits when it is not 0.</summary>
    Mov = 0xb0,

    /// <summary>Arithmetic shift right, the count masked to the width.</summary>
    Arsh = 0xc0,

    /// <summary>Byte order conversion (ALU: to little or big endian; ALU64: unconditional swap); the immediate is the width.</summary>
    End = 0xd0,
}

/// <summary>Jump operations: the high four bits of a JMP or JMP32 opcode (RFC 9669, section 4.3).</summary>
public enum JumpOperation : byte
{
    /// <summary>Unconditional; JMP uses the offset, JMP32 the immediate.</summary>
    Ja = 0x00,

    /// <summary>Equal.</summary>
    Jeq = 0x10,

    /// <summary>Greater, unsigned.</summary>
    Jgt = 0x20,

    /// <summary>Greater or equal, unsigned.</summary>
    Jge = 0x30,

    /// <summary>Any bit in common.</summary>
    Jset = 0x40,

    /// <summary>Not equal.</summary>
    Jne = 0x50,

    /// <summary>Greater, signed.</summary>
    Jsgt = 0x60,

    /// <summary>Greater or equal, signed.</summary>
    Jsge = 0x70,

    /// <summary>Call (JMP only).</summary>
    Call = 0x80,

    /// <summary>Return (JMP only).</summary>
    Exit = 0x90,

    /// <summary>Less, unsigned.</summary>
    Jlt = 0xa0,

    /// <summary>Less or equal, unsigned.</summary>
    Jle = 0xb0,

    /// <summary>Less, signed.</summary>
    Jslt = 0xc0,

    /// <summary>Less or equal, signed.</summary>
    Jsle = 0xd0,

    /// <summary>The kernel's <c>may_goto</c> (<c>BPF_JCOND</c>).</summary>
    Jcond = 0xe0,
}

/// <summary>Addressing modes: the high three bits of a load or store opcode (RFC 9669, section 5).</summary>
public enum MemoryMode : byte
{
    /// <summary>Wide immediate (<c>ld_imm64</c>).</summary>
    Imm = 0x00,

    /// <summary>Legacy packet access, absolute; not for XDP.</summary>
    Abs = 0x20,

    /// <summary>Legacy packet access, indirect; not for XDP.</summary>
    Ind = 0x40,

    /// <summary>Regular memory access.</summary>
    Mem = 0x60,

    /// <summary>Sign-extending load.</summary>
    MemSx = 0x80,

    /// <summary>Atomic operation; the immediate says which (see <see cref="AtomicOperation"/>).</summary>
    Atomic = 0xc0,
}

/// <summary>Atomic operations: the immediate of an <see cref="MemoryMode.Atomic"/> store (RFC 9669, section 5.3).</summary>
[Flags]
public enum AtomicOperation
{
    /// <summary><c>*p += src</c></summary>
    Add = 0x00,

    /// <summary>Flag: the old value goes to the source register.</summary>
    Fetch = 0x01,

    /// <summary><c>*p |= src</c></summary>
    Or = 0x40,

    /// <summary><c>*p &amp;= src</c></summary>
    And = 0x50,

    /// <summary><c>*p ^= src</c></summary>
    Xor = 0xa0,

    /// <summary>Exchange with the source register.</summary>
    Exchange = 0xe0 | Fetch,

    /// <summary>Compare with r0 and exchange; r0 gets the old value.</summary>
    CompareExchange = 0xf0 | Fetch,

    /// <summary>The kernel's load-acquire (<c>BPF_LOAD_ACQ</c>).</summary>
    LoadAcquire = 0x100,

    /// <summary>The kernel's store-release (<c>BPF_STORE_REL</c>).</summary>
    StoreRelease = 0x110,
}

/// <summary>What the source field of a wide load says of its immediate (RFC 9669, section 5.4).</summary>
public static class PseudoLoad
{
    /// <summary>A plain 64-bit constant.</summary>
    public const int Constant = 0;

    /// <summary>A map by file descriptor (<c>BPF_PSEUDO_MAP_FD</c>): what clang and loaders into the kernel write.</summary>
    public const int MapFd = 1;

    /// <summary>The address of a map's value by file descriptor (<c>BPF_PSEUDO_MAP_VALUE</c>), plus the second immediate.</summary>
    public const int MapFdValue = 2;

    /// <summary>The address of a kernel variable by BTF id (<c>BPF_PSEUDO_BTF_ID</c>).</summary>
    public const int BtfId = 3;

    /// <summary>The address of a function of this program (<c>BPF_PSEUDO_FUNC</c>); the immediate counts slots from the next.</summary>
    public const int Function = 4;

    /// <summary>A map by index (<c>BPF_PSEUDO_MAP_IDX</c>): linked programs here, index into the object's maps.</summary>
    public const int MapIndex = 5;

    /// <summary>The address of a map's value by index (<c>BPF_PSEUDO_MAP_IDX_VALUE</c>), plus the second immediate.</summary>
    public const int MapIndexValue = 6;
}

/// <summary>What the source field of a call says of its immediate (RFC 9669, section 4.3.1).</summary>
public static class PseudoCall
{
    /// <summary>A helper by number.</summary>
    public const int Helper = 0;

    /// <summary>A function of this program (<c>BPF_PSEUDO_CALL</c>).</summary>
    public const int Local = 1;

    /// <summary>A kernel function by BTF id (<c>BPF_PSEUDO_KFUNC_CALL</c>).</summary>
    public const int KernelFunction = 2;
}

/// <summary>Opcodes and opcode bits that are named often; all others are composed of class, operation and source.</summary>
public static class Opcode
{
    /// <summary>The bit that says the second operand is a register (<c>BPF_X</c>).</summary>
    public const byte SourceRegister = 0x08;

    /// <summary><c>BPF_LD | BPF_DW | BPF_IMM</c>: the wide load.</summary>
    public const byte LoadImmediate64 = 0x18;

    /// <summary><c>BPF_JMP | BPF_CALL</c>.</summary>
    public const byte Call = 0x85;

    /// <summary><c>BPF_JMP | BPF_CALL | BPF_X</c>: call by register, which some compilers make; the kernel does not have it.</summary>
    public const byte CallRegister = 0x8d;

    /// <summary><c>BPF_JMP | BPF_EXIT</c>.</summary>
    public const byte Exit = 0x95;

    /// <summary><c>BPF_JMP | BPF_JA</c>: jump by the offset.</summary>
    public const byte Jump = 0x05;

    /// <summary><c>BPF_JMP | BPF_JCOND</c>: <c>may_goto</c>, which leaves a loop that has gone round too often.</summary>
    public const byte MayGoto = 0xe5;

    /// <summary><c>BPF_JMP32 | BPF_JA</c>: jump by the immediate.</summary>
    public const byte JumpLong = 0x06;
}
