using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// What r0 is known to be before each slot. C's "return XDP_DROP" becomes "r0 = 1; if … goto out": taken literally, r0
/// occupies a machine register all the way. Where a jump leads to exit and r0 is known, it is set behind the jump instead.
/// </summary>
internal sealed class KnownResult
{
    // A chain of jumps to exit is not followed for longer.
    private const int MaxHops = 4;

    private readonly Code _code;
    private readonly Region _region;
    private readonly Dictionary<int, long?> _before = [];

    /// <summary>Follows r0 through a region.</summary>
    public KnownResult(Code code, Region region)
    {
        _code = code;
        _region = region;
        foreach (var entry in region.Entries)
        {
            _before[entry] = null;
        }
        bool changed;
        do
        {
            changed = false;
            foreach (var slot in region.Slots.Span)
            {
                if (!_before.TryGetValue(slot, out var value))
                {
                    continue;
                }
                if (_code.Target(slot) is >= 0 and var target)
                {
                    changed |= Meet(target, value);
                }
                if (_code.FallsThrough(slot))
                {
                    changed |= Meet(_code.Next(slot), After(slot, value));
                }
            }
        } while (changed);
    }

    /// <summary>What the program returns if the jump at a slot goes to a target; null if that is not known.</summary>
    public long? AtExit(int slot, int target)
    {
        if (_before.GetValueOrDefault(slot) is not { } value)
        {
            return null;
        }
        for (var hops = 0; hops < MaxHops && _region.Contains(target); hops++)
        {
            if (_code[target].IsExit)
            {
                return value;
            }
            if (_code[target].Opcode is not (Opcode.Jump or Opcode.JumpLong))
            {
                return null;
            }
            target = _code.Target(target);
        }
        return null;
    }

    private long? After(int slot, long? value)
    {
        var instruction = _code[slot];
        if (RegisterSet.Writes(instruction) != 0)
        {
            return value;
        }
        if (instruction.IsAlu && instruction.AluOperation == AluOperation.Mov && !instruction.UsesSourceRegister)
        {
            return instruction.Class == InstructionClass.Alu ? (uint)instruction.Immediate : instruction.Immediate;
        }
        return null;
    }

    private bool Meet(int slot, long? value)
    {
        if (!_before.TryGetValue(slot, out var known))
        {
            _before.Add(slot, value);
            return true;
        }
        if (known is null || known == value)
        {
            return false;
        }
        _before[slot] = null;
        return true;
    }
}
