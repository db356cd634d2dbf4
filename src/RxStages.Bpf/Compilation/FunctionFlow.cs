using RxStages.Bpf.Isa;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Compilation;

/// <summary>The control flow of one function: its slots, where they lead, and which registers are live before each.</summary>
internal sealed class FunctionFlow
{
    private readonly Code _code;
    private readonly HashSet<int> _targets;
    private readonly ushort[] _live;
    private readonly Func<int, int> _callReads;

    /// <summary>Follows the code from a function's first slot.</summary>
    /// <param name="code">The program.</param>
    /// <param name="start">The function's first slot.</param>
    /// <param name="callReads">The registers that the call at a slot reads.</param>
    public FunctionFlow(Code code, int start, Func<int, int> callReads)
    {
        _code = code;
        _callReads = callReads;
        Start = start;
        Slots = Reach(code, start);
        _targets = [.. Slots.Select(code.Target).Where(target => target >= 0)];
        _live = ComputeLiveness();
    }

    /// <summary>The function's first slot.</summary>
    public int Start { get; }

    /// <summary>The slots that are ever reached, ascending; of a wide instruction the first.</summary>
    public int[] Slots { get; }

    /// <summary>True when it has <c>may_goto</c>.</summary>
    public bool HasMayGoto => Slots.Any(slot => _code[slot].Opcode == Opcode.MayGoto);

    /// <summary>True when some jump goes to a slot.</summary>
    public bool IsTarget(int slot) => _targets.Contains(slot);

    /// <summary>The registers that are read on some path from a slot before they are written (bit n is register n).</summary>
    public int LiveBefore(int slot) => (uint)(slot - Slots[0]) < (uint)_live.Length ? _live[slot - Slots[0]] : 0;

    /// <summary>The registers that the instruction at a slot reads.</summary>
    public int Reads(int slot)
    {
        var instruction = _code[slot];
        if (instruction.Class == InstructionClass.Jmp && instruction.JumpOperation == JumpOperation.Call)
        {
            return _callReads(slot);
        }
        // A context access is made through the method's own pointer to the packet.
        return _code.Facts(slot).Region == MemoryRegion.Context && instruction.Class == InstructionClass.Ldx
            ? 0
            : RegisterSet.Reads(instruction);
    }

    private static int[] Reach(Code code, int start)
    {
        var seen = new HashSet<int>();
        var work = new Stack<int>();
        work.Push(start);
        while (work.TryPop(out var slot))
        {
            if (slot >= code.Length)
            {
                throw code.Error(slot, "the program does not end with exit or a jump");
            }
            // A call that never returns does not lead on.
            if (!code.Facts(slot).IsReachable || !seen.Add(slot))
            {
                continue;
            }
            if (code.FallsThrough(slot))
            {
                work.Push(code.Next(slot));
            }
            if (code.Target(slot) is >= 0 and var target)
            {
                work.Push(target);
            }
        }
        return [.. seen.Order()];
    }

    private ushort[] ComputeLiveness()
    {
        var first = Slots[0];
        var live = new ushort[Slots[^1] - first + 1];
        bool changed;
        do
        {
            changed = false;
            for (var index = Slots.Length - 1; index >= 0; index--)
            {
                var slot = Slots[index];
                var mask = 0;
                if (_code.FallsThrough(slot))
                {
                    mask |= Live(_code.Next(slot));
                }
                if (_code.Target(slot) is >= 0 and var target)
                {
                    mask |= Live(target);
                }
                if (RegisterSet.Writes(_code[slot]) is >= 0 and var written)
                {
                    mask &= ~(1 << written);
                }
                mask |= Reads(slot);
                changed |= mask != live[slot - first];
                live[slot - first] = (ushort)mask;
            }
        } while (changed);
        return live;

        // What the verifier knows not to be reached may lie outside of the function.
        int Live(int slot) => (uint)(slot - first) < (uint)live.Length ? live[slot - first] : 0;
    }
}
