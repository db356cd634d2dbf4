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
        _calls = new CallChecker(environment);
        Pruning = new StatePruning(
            environment,
            new Liveness(environment.Code, environment.Maps, environment.Flow, order)
        );
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
            case JumpOperation.Call:
                _calls.CheckHelperCall(instruction);
                return slot + 1;
            default:
                return _branches.Check(instruction);
        }
    }
}
