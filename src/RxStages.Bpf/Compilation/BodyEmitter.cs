using System.Reflection.Emit;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>Emits the code of a region into a method: every reached slot in order, so that falling through stays cheap.</summary>
internal sealed class BodyEmitter
{
    private readonly ILGenerator _il;
    private readonly Code _code;
    private readonly Region _region;
    private readonly MethodFrame _frame;
    private readonly Registers _registers;
    private readonly AluEmitter _alu;
    private readonly MemoryEmitter _memory;
    private readonly JumpEmitter _jumps;
    private readonly Dictionary<int, Label> _labels = [];
    private readonly KnownResult _result;
    private readonly Dictionary<long, Label> _exits = [];
    private readonly List<(Label Label, int Source, int Target, int[] Webs)> _detours = [];

    /// <summary>Makes an emitter for one region in one method.</summary>
    public BodyEmitter(ILGenerator il, Code code, Region region, MethodFrame frame)
    {
        _il = il;
        _code = code;
        _region = region;
        _frame = frame;
        _registers = new Registers(il, new RegisterWebs(code, region, frame.IsResult32Bit), frame);
        _alu = new AluEmitter(il, code, _registers);
        _memory = new MemoryEmitter(il, code, _registers, frame);
        _jumps = new JumpEmitter(il, code, _registers, frame);
        _result = new KnownResult(code, region);
        foreach (var slot in region.Slots.Span)
        {
            if (region.Flow.IsTarget(slot))
            {
                _labels[slot] = il.DefineLabel();
            }
        }
        foreach (var entry in region.Entries)
        {
            _labels.TryAdd(entry, il.DefineLabel());
        }
    }

    /// <summary>The variables of the registers.</summary>
    public Registers Registers => _registers;

    /// <summary>Where an entry of the region begins.</summary>
    public Label LabelOf(int slot) => _labels[slot];

    /// <summary>Emits all of it. What comes before must have stored the live registers and, unless it falls through into the first slot, jumped to an entry.</summary>
    public void Emit()
    {
        var slots = _region.Slots.Span;
        for (var index = 0; index < slots.Length; index++)
        {
            var slot = slots[index];
            _registers.Enter(slot);
            if (_labels.TryGetValue(slot, out var label))
            {
                _il.MarkLabel(label);
            }
            EmitInstruction(slot);
            if (_code.FallsThrough(slot))
            {
                var next = _code.Next(slot);
                var isAdjacent = index + 1 < slots.Length && slots[index + 1] == next;
                if (!isAdjacent)
                {
                    Leave(next);
                }
            }
        }
        EmitDetours();
        foreach (var (value, label) in _exits)
        {
            _il.MarkLabel(label);
            EmitExit(value);
        }
    }

    private void EmitInstruction(int slot)
    {
        var instruction = _code[slot];
        switch (instruction.Class)
        {
            case InstructionClass.Alu or InstructionClass.Alu64:
                _alu.Emit(slot);
                break;
            case InstructionClass.Jmp or InstructionClass.Jmp32:
                EmitJump(slot, instruction);
                break;
            default:
                _memory.Emit(slot);
                break;
        }
    }

    private void EmitJump(int slot, Instruction instruction)
    {
        switch (instruction.JumpOperation)
        {
            case JumpOperation.Call when instruction.Class == InstructionClass.Jmp:
                _frame.Call(slot, instruction, _registers);
                break;
            case JumpOperation.Exit when instruction.IsExit:
                _registers.Load64(0);
                _frame.Exit();
                break;
            case JumpOperation.Ja:
                if (instruction.Opcode is not (Opcode.Jump or Opcode.JumpLong))
                {
                    throw _code.Error(slot, $"no such instruction: opcode 0x{instruction.Opcode:x2}");
                }
                EmitUnconditional(slot, _code.Target(slot));
                break;
            case JumpOperation.Call or JumpOperation.Exit:
            case JumpOperation.Jcond when instruction.Opcode != Opcode.MayGoto:
                throw _code.Error(slot, $"no such instruction: opcode 0x{instruction.Opcode:x2}");
            default:
                EmitConditional(slot);
                break;
        }
    }

    private void EmitConditional(int slot)
    {
        var target = _code.Target(slot);
        if (target < 0)
        {
            return;
        }
        if (!_code.FallsThrough(slot))
        {
            EmitUnconditional(slot, target);
        }
        else if (IsPlain(slot, target) && _result.AtExit(slot, target) is { } value)
        {
            if (!_exits.TryGetValue(value, out var exit))
            {
                exit = _il.DefineLabel();
                _exits.Add(value, exit);
            }
            _jumps.Emit(slot, exit);
        }
        else if (IsPlain(slot, target) && _region.Contains(target))
        {
            _jumps.Emit(slot, _labels[target]);
        }
        else
        {
            var detour = _il.DefineLabel();
            _jumps.Emit(slot, detour);
            _detours.Add((detour, slot, target, _registers.Snapshot()));
        }
    }

    private void EmitUnconditional(int slot, int target)
    {
        if (IsPlain(slot, target) && _result.AtExit(slot, target) is { } value)
        {
            EmitExit(value);
        }
        else if (_region.Contains(target))
        {
            GuardBack(slot, target);
            _il.Emit(OpCodes.Br, _labels[target]);
        }
        else
        {
            Leave(target);
        }
    }

    // A jump that is not counted.
    private bool IsPlain(int slot, int target) => target > slot || !_frame.GuardsJumpsBack;

    private void GuardBack(int slot, int target)
    {
        if (target <= slot && _frame.GuardsJumpsBack)
        {
            _frame.GuardJumpBack(slot, target);
        }
    }

    // A taken jump that does more than go there does the rest out of the way, behind all other code.
    private void EmitDetours()
    {
        foreach (var (label, source, target, webs) in _detours)
        {
            _registers.Restore(webs);
            _il.MarkLabel(label);
            EmitUnconditional(source, target);
        }
    }

    private void Leave(int target)
    {
        if (_code.Facts(target).IsReachable)
        {
            _frame.Leave(target, _registers, _region.Flow.LiveBefore(target));
        }
        else
        {
            // Only what follows a call that never returns: not reached, but IL must not run on.
            EmitExit(0);
        }
    }

    private void EmitExit(long value)
    {
        _il.Emit(OpCodes.Ldc_I8, value);
        _frame.Exit();
    }
}
