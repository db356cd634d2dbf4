using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Goes along all paths through the program, instruction by instruction, depth first; after the kernel's <c>do_check</c>.
/// </summary>
internal sealed class PathExplorer
{
    private readonly VerifierEnvironment _environment;
    private readonly AluChecker _alu;
    private readonly MemoryChecker _memory;
    private readonly BranchChecker _branches;
    private readonly CallChecker _calls;

    /// <summary>Makes an explorer that has not begun.</summary>
    /// <param name="environment">What to go through.</param>
    /// <param name="order">The functions, callers before those they call.</param>
    public PathExplorer(VerifierEnvironment environment, int[] order)
    {
        _environment = environment;
        _alu = new AluChecker(environment);
        _memory = new MemoryChecker(environment);
        _branches = new BranchChecker(environment);
        Pruning = new StatePruning(
            environment,
            new Liveness(environment.Program, environment.Code, environment.Maps, environment.Flow, order)
        );
        _calls = new CallChecker(environment, Pruning);
    }

    public StatePruning Pruning { get; }

    /// <summary>Goes along all paths from the program's start.</summary>
    public void Explore()
    {
        _environment.State.Registers[1] = RegisterState.Pointer(RegisterType.Context);
        var isPruning = _environment.Options.IsPruning;
        var slot = 0;
        do
        {
            while (slot >= 0 && !(isPruning && _environment.Flow.IsPrunePoint[slot] && Pruning.IsCovered(slot)))
            {
                _environment.Begin(slot);
                slot = Step(_environment.Instruction);
                _environment.Record();
            }
        } while (_environment.TryNextPath(out slot));
    }

    /// <summary>One instruction.</summary>
    /// <returns>The slot of the next; -1 at the program's end.</returns>
    private int Step(Instruction instruction)
    {
        var slot = _environment.Slot;
        switch (instruction.Class)
        {
            case InstructionClass.Alu or InstructionClass.Alu64:
                _alu.Check(instruction);
                return slot + 1;
            case InstructionClass.Ld:
                _alu.CheckWideLoad(instruction);
                return slot + 2;
            case InstructionClass.Ldx:
                _memory.CheckLoad(instruction);
                return slot + 1;
            case InstructionClass.Stx when instruction.MemoryMode == MemoryMode.Atomic:
                _memory.CheckAtomic(instruction);
                return slot + 1;
            case InstructionClass.St or InstructionClass.Stx:
                _memory.CheckStore(instruction);
                return slot + 1;
            default:
                _environment.JumpsVisited++;
                return StepJump(instruction, slot);
        }
    }

    /// <summary>
    /// <c>may_goto</c> stays in its loop until the loop has gone round too often: both can be, whatever the numbers are. What
    /// they were the round before and nobody relied on is forgotten, so that rounds become alike.
    /// </summary>
    private int CheckMayGoto(Instruction instruction, int slot)
    {
        _environment.Facts[slot].Branch = BranchOutcome.Both;
        _environment.Record();
        var stays = _environment.PushBranch(slot + 1);
        stays.MayGotoDepth++;
        if (_environment.State.Parent is { } kept && Pruning.FindPrevious(kept, slot) is { } previous)
        {
            Widening.Widen(previous, stays);
        }
        return instruction.JumpTarget(slot);
    }

    private int StepJump(Instruction instruction, int slot)
    {
        switch (instruction.JumpOperation)
        {
            case JumpOperation.Ja:
                return instruction.JumpTarget(slot);
            case JumpOperation.Exit:
                return _calls.CheckExit();
            case JumpOperation.Call when instruction.IsLocalCall:
                return _calls.CheckLocalCall(instruction);
            case JumpOperation.Call when instruction.IsKfuncCall:
                _calls.CheckKfuncCall(instruction);
                return slot + 1;
            case JumpOperation.Call:
                _calls.CheckHelperCall(instruction);
                return slot + 1;
            case JumpOperation.Jcond:
                return CheckMayGoto(instruction, slot);
            default:
                return _branches.Check(instruction);
        }
    }
}
