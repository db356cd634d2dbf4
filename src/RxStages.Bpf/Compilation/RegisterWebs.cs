using RxStages.Bpf.Isa;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// Splits registers into webs: all the writes and reads that must share one variable because some path leads from each
/// write to the same reads. A compiler to eBPF has only ten registers and uses each for many things; as variables of
/// their own, RyuJIT assigns registers to them better, and a web that never holds more than 32 bits can be a 32-bit
/// variable.
/// </summary>
internal sealed class RegisterWebs
{
    private readonly Code _code;
    private readonly Region _region;
    private readonly Dictionary<int, int> _joins = [];
    private readonly int[] _parent;
    private readonly int[] _current = new int[RegisterSet.Count];

    /// <summary>Finds the webs of a region.</summary>
    /// <param name="code">The program.</param>
    /// <param name="region">The part of it.</param>
    /// <param name="isResult32Bit">True when nobody looks at the upper half of r0 where the region exits.</param>
    public RegisterWebs(Code code, Region region, bool isResult32Bit)
    {
        _code = code;
        _region = region;
        var slots = region.Slots.Span;
        foreach (var slot in slots)
        {
            if (region.Flow.IsTarget(slot))
            {
                _joins.TryAdd(slot, _joins.Count);
            }
        }
        foreach (var entry in region.Entries)
        {
            _joins.TryAdd(entry, _joins.Count);
        }
        // Nodes: every register at every place where paths join, then the write of every slot.
        _parent = new int[(_joins.Count * RegisterSet.Count) + slots[^1] - slots[0] + 1];
        for (var node = 0; node < _parent.Length; node++)
        {
            _parent[node] = node;
        }
        UniteAlongEdges();
        Is32Bit = FindNarrow();
        IsRead64Bit = new WebDemand(code, region, this, isResult32Bit).Find(_parent.Length);
    }

    /// <summary>Per web: everything that is ever written to it has its upper 32 bits clear.</summary>
    public bool[] Is32Bit { get; }

    /// <summary>Per web: something looks at its upper 32 bits. Where not, they need not be right.</summary>
    public bool[] IsRead64Bit { get; }

    /// <summary>True when 32 bits are enough for a web.</summary>
    public bool Fits32Bits(int web) => Is32Bit[web] || !IsRead64Bit[web];

    /// <summary>The web that holds a register now: where <see cref="Enter"/> and <see cref="Write"/> have come to.</summary>
    public int Of(int register) => _current[register];

    /// <summary>Comes to a slot, in ascending order: where paths join, the registers are in the webs of the join.</summary>
    public void Enter(int slot)
    {
        if (_joins.TryGetValue(slot, out var join))
        {
            for (var register = 0; register < RegisterSet.Count; register++)
            {
                _current[register] = Find((join * RegisterSet.Count) + register);
            }
        }
    }

    /// <summary>The web that a register is in at a place where paths join or the region is entered.</summary>
    public int AtJoin(int slot, int register) => Find((_joins[slot] * RegisterSet.Count) + register);

    /// <summary>The slot writes the register: from here on it is in the web of this write.</summary>
    public int Write(int slot, int register) => _current[register] = OfWrite(slot);

    /// <summary>The web of what a slot writes.</summary>
    public int OfWrite(int slot) => Find((_joins.Count * RegisterSet.Count) + slot - _region.Slots.Span[0]);

    /// <summary>The webs that all registers are in now.</summary>
    public int[] Snapshot() => [.. _current];

    /// <summary>Goes back to where a snapshot was taken.</summary>
    public void Restore(int[] snapshot) => snapshot.CopyTo(_current, 0);

    private void UniteAlongEdges()
    {
        foreach (var slot in _region.Slots.Span)
        {
            Enter(slot);
            if (_code.Target(slot) is >= 0 and var target && _region.Contains(target))
            {
                UniteWithJoin(target);
            }
            if (RegisterSet.Writes(_code[slot]) is >= 0 and var written)
            {
                Write(slot, written);
            }
            // A join in another region is not among those of this one.
            if (_code.FallsThrough(slot) && _joins.ContainsKey(_code.Next(slot)))
            {
                UniteWithJoin(_code.Next(slot));
            }
        }
    }

    private void UniteWithJoin(int slot)
    {
        var live = _region.Flow.LiveBefore(slot);
        for (var register = 0; register < RegisterSet.Count; register++)
        {
            if ((live & (1 << register)) != 0)
            {
                _parent[Find(_current[register])] = AtJoin(slot, register);
            }
        }
    }

    // Starts from "all are narrow" and takes back what is wrong until nothing changes.
    private bool[] FindNarrow()
    {
        var narrow = new bool[_parent.Length];
        Array.Fill(narrow, true);
        foreach (var entry in _region.Entries)
        {
            for (var register = 0; register < RegisterSet.Count; register++)
            {
                narrow[AtJoin(entry, register)] = false;
            }
        }
        bool changed;
        do
        {
            changed = false;
            foreach (var slot in _region.Slots.Span)
            {
                Enter(slot);
                var instruction = _code[slot];
                if (RegisterSet.Writes(instruction) is not (>= 0 and var written))
                {
                    continue;
                }
                var fits = Writes32Bits(slot, instruction, narrow);
                var web = Write(slot, written);
                if (!fits && narrow[web])
                {
                    narrow[web] = false;
                    changed = true;
                }
            }
        } while (changed);
        return narrow;
    }

    private bool Writes32Bits(int slot, Instruction instruction, bool[] narrow)
    {
        switch (instruction.Class)
        {
            case InstructionClass.Ldx:
                return instruction.MemoryMode == MemoryMode.Mem
                    && instruction.AccessSize < 8
                    && !(
                        _code.Facts(slot).Region == MemoryRegion.Context && ContextField.IsPointer(instruction.Offset)
                    );
            case InstructionClass.Stx:
                return instruction.AccessSize < 8;
            case InstructionClass.Ld:
                return instruction.Source == PseudoLoad.Constant
                    && slot + 1 < _code.Length
                    && _code[slot + 1].Immediate == 0;
            case InstructionClass.Alu:
                // "le64" and "be64" are the only ones of this class that give 64 bits.
                return instruction.AluOperation != AluOperation.End || instruction.Immediate != 64;
            case InstructionClass.Alu64:
                var destination = narrow[_current[instruction.Destination]];
                var source = instruction.UsesSourceRegister
                    ? instruction.Source != RegisterSet.FramePointer && narrow[_current[instruction.Source]]
                    : instruction.Immediate >= 0;
                return instruction.AluOperation switch
                {
                    AluOperation.Mov => source && instruction.Offset == 0,
                    AluOperation.And => destination || source,
                    AluOperation.Or or AluOperation.Xor => destination && source,
                    AluOperation.Rsh => destination
                        || (!instruction.UsesSourceRegister && (instruction.Immediate & 63) >= 32),
                    AluOperation.Div or AluOperation.Mod => destination && source && instruction.Offset == 0,
                    AluOperation.End => instruction.Immediate <= 32,
                    _ => false,
                };
            default:
                return false;
        }
    }

    private int Find(int node)
    {
        while (_parent[node] != node)
        {
            node = _parent[node] = _parent[_parent[node]];
        }
        return node;
    }
}
