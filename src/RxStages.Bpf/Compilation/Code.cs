using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// The instructions that are compiled, with what is known of them: verified code has the verifier's facts, code that runs
/// checked has none. Shift pairs by which compilers without 32-bit arithmetic truncate and extend are one operation here.
/// </summary>
internal sealed class Code
{
    private readonly Instruction[] _instructions;
    private readonly InstructionFacts[]? _facts;

    /// <summary>Takes the instructions; <paramref name="facts"/> is null when nothing is verified.</summary>
    public Code(string name, ReadOnlySpan<Instruction> instructions, InstructionFacts[]? facts)
    {
        Name = name;
        _instructions = instructions.ToArray();
        _facts = facts;
        JoinShiftPairs();
    }

    /// <summary>The program's name, for messages and method names.</summary>
    public string Name { get; }

    /// <summary>How many slots there are.</summary>
    public int Length => _instructions.Length;

    /// <summary>The instruction at a slot.</summary>
    public Instruction this[int slot] => _instructions[slot];

    /// <summary>What is known of a slot.</summary>
    public InstructionFacts Facts(int slot) =>
        _facts?[slot] ?? new InstructionFacts { IsReachable = true, Branch = BranchOutcome.Both };

    /// <summary>True when what stands in a slot goes on in the next one on some path.</summary>
    public bool FallsThrough(int slot)
    {
        var instruction = _instructions[slot];
        if (instruction.IsExit || instruction.Opcode is Opcode.Jump or Opcode.JumpLong)
        {
            return false;
        }
        return !IsConditionalJump(instruction) || Facts(slot).Branch.HasFlag(BranchOutcome.FallsThrough);
    }

    /// <summary>The slot that a jump goes to on some path, or -1.</summary>
    public int Target(int slot)
    {
        var instruction = _instructions[slot];
        if (instruction.Opcode is Opcode.Jump or Opcode.JumpLong)
        {
            return instruction.JumpTarget(slot);
        }
        return IsConditionalJump(instruction) && Facts(slot).Branch.HasFlag(BranchOutcome.Taken)
            ? instruction.JumpTarget(slot)
            : -1;
    }

    /// <summary>The slot behind an instruction.</summary>
    public int Next(int slot) => slot + (_instructions[slot].IsWide ? 2 : 1);

    /// <summary>True for the jumps that depend on a comparison.</summary>
    private static bool IsConditionalJump(Instruction instruction) =>
        instruction.IsJump
        && instruction.JumpOperation is not (JumpOperation.Ja or JumpOperation.Call or JumpOperation.Exit);

    /// <summary>An error at a slot of this code.</summary>
    public InputException Error(int slot, string reason) => new(Name, $"instruction {slot}", reason);

    // Before CPU v3 there is no 32-bit move: clang truncates by "r <<= 32; r >>= 32" and extends signs by "r <<= n;
    // r s>>= n". RyuJIT makes two shifts of it; as a move it is free.
    private void JoinShiftPairs()
    {
        const int nop = Opcode.Jump;
        const int shiftLeft = (int)InstructionClass.Alu64 | (int)AluOperation.Lsh;
        const int shiftRight = (int)InstructionClass.Alu64 | (int)AluOperation.Rsh;
        const int shiftRightSigned = (int)InstructionClass.Alu64 | (int)AluOperation.Arsh;
        const int move = (int)AluOperation.Mov | Opcode.SourceRegister;
        var targets = new bool[Length];
        for (var slot = 0; slot < Length; slot = Next(slot))
        {
            var instruction = _instructions[slot];
            var target =
                instruction.IsLocalCall ? instruction.CallTarget(slot)
                : instruction.IsJump ? instruction.JumpTarget(slot)
                : -1;
            if ((uint)target < (uint)Length)
            {
                targets[target] = true;
            }
        }
        for (var slot = 0; slot + 1 < Length; slot = Next(slot))
        {
            var first = _instructions[slot];
            var second = _instructions[slot + 1];
            var register = first.Destination;
            if (first.Opcode != shiftLeft || second.Destination != register || targets[slot + 1])
            {
                continue;
            }
            var (left, right) = (first.Immediate, second.Immediate);
            if (second.Opcode == shiftRight && left == 32 && right is >= 32 and < 64)
            {
                _instructions[slot] = new((int)InstructionClass.Alu | move, register, register, 0, 0);
                _instructions[slot + 1] =
                    right == 32
                        ? new(nop, 0, 0, 0, 0)
                        : new((int)InstructionClass.Alu | (int)AluOperation.Rsh, register, 0, 0, right - 32);
            }
            else if (second.Opcode == shiftRightSigned && left == right && left is 32 or 48 or 56)
            {
                _instructions[slot] = new((int)InstructionClass.Alu64 | move, register, register, 64 - left, 0);
                _instructions[slot + 1] = new(nop, 0, 0, 0, 0);
            }
        }
    }
}
