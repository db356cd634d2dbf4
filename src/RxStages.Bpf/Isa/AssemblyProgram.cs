using System.Collections.Immutable;

namespace RxStages.Bpf.Isa;

/// <summary>The program that an <see cref="Assembler"/> is writing, with its labels and who refers to them.</summary>
internal sealed class AssemblyProgram
{
    private readonly ImmutableArray<Instruction>.Builder _slots = ImmutableArray.CreateBuilder<Instruction>();
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(int Slot, string Label, AssemblyLine Line)> _references = [];

    /// <summary>Defines a label for the next instruction.</summary>
    public void Define(string label, AssemblyLine line)
    {
        if (!_labels.TryAdd(label, _slots.Count))
        {
            throw line.Error($"label '{label}' is defined twice");
        }
    }

    /// <summary>Lets the next instruction, a jump, a call or a wide load of a function, refer to a label.</summary>
    public void Refer(string label, AssemblyLine line) => _references.Add((_slots.Count, label, line));

    /// <summary>Adds an instruction.</summary>
    public void Emit(int opcode, int destination = 0, int source = 0, int offset = 0, int immediate = 0) =>
        _slots.Add(new Instruction(opcode, destination, source, offset, immediate));

    /// <summary>Adds a wide load.</summary>
    public void EmitWide(int destination, int source, int low, int high)
    {
        Emit(Opcode.LoadImmediate64, destination, source, 0, low);
        Emit(0, 0, 0, 0, high);
    }

    /// <summary>Fills in the distances to labels and gives the program.</summary>
    public ImmutableArray<Instruction> Finish()
    {
        foreach (var (slot, label, line) in _references)
        {
            if (!_labels.TryGetValue(label, out var target))
            {
                throw line.Error($"there is no label '{label}'");
            }
            _slots[slot] = WithDistance(_slots[slot], target - slot - 1, line);
        }
        return _slots.ToImmutable();
    }

    private static Instruction WithDistance(Instruction instruction, int distance, AssemblyLine line)
    {
        if (instruction.IsWide || instruction.Opcode is Opcode.Call or Opcode.JumpLong)
        {
            return instruction with { Immediate = distance };
        }
        return distance is >= short.MinValue and <= short.MaxValue
            ? instruction with
            {
                Offset = (short)distance,
            }
            : throw line.Error($"the jump goes too far: {distance}");
    }
}
