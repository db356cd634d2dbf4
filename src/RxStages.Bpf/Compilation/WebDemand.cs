using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// Finds the webs whose upper 32 bits anything depends on. Code for CPUs without 32-bit arithmetic computes in 64 bits and
/// truncates at the end: sums, products, masks and left shifts that only go there are right in 32 bits.
/// </summary>
internal sealed class WebDemand(Code code, Region region, RegisterWebs webs, bool isResult32Bit)
{
    private bool[] _read = [];
    private bool _changed;

    /// <summary>Per web: its upper half is looked at. Starts from "nothing is" and adds until nothing changes.</summary>
    public bool[] Find(int count)
    {
        _read = new bool[count];
        do
        {
            _changed = false;
            var slots = region.Slots.Span;
            for (var index = 0; index < slots.Length; index++)
            {
                Visit(slots[index]);
            }
        } while (_changed);
        return _read;
    }

    private void Visit(int slot)
    {
        webs.Enter(slot);
        var instruction = code[slot];
        var all = ReadInFull(slot, instruction);
        if (code.Target(slot) is >= 0 and var target && !region.Contains(target))
        {
            all |= region.Flow.LiveBefore(target);
        }
        Demand(all);
        if (RegisterSet.Writes(instruction) is >= 0 and var written)
        {
            webs.Write(slot, written);
        }
        if (code.FallsThrough(slot) && !region.Contains(code.Next(slot)))
        {
            Demand(region.Flow.LiveBefore(code.Next(slot)));
        }
    }

    private void Demand(int registers)
    {
        for (var register = 0; register < RegisterSet.FramePointer; register++)
        {
            if ((registers & (1 << register)) != 0 && !_read[webs.Of(register)])
            {
                _read[webs.Of(register)] = true;
                _changed = true;
            }
        }
    }

    // The registers of which an instruction reads more than the low 32 bits, as a mask.
    private int ReadInFull(int slot, Instruction instruction)
    {
        var destination = 1 << instruction.Destination;
        var source = 1 << instruction.Source;
        switch (instruction.Class)
        {
            case InstructionClass.Alu:
                return instruction.AluOperation == AluOperation.End && instruction.Immediate == 64 ? destination : 0;
            case InstructionClass.Alu64:
                var operand = instruction.UsesSourceRegister ? source : 0;
                // What is known to fit is computed in 32 bits, whoever reads it.
                var web = webs.OfWrite(slot);
                var result = _read[web] && !webs.Is32Bit[web];
                return instruction.AluOperation switch
                {
                    AluOperation.Mov => result && instruction.Offset == 0 ? operand : 0,
                    AluOperation.Neg or AluOperation.Lsh => result ? destination : 0,
                    AluOperation.Rsh or AluOperation.Arsh => destination,
                    AluOperation.Div or AluOperation.Mod => destination | operand,
                    AluOperation.End => instruction.Immediate == 64 ? destination : 0,
                    _ => result ? destination | operand : 0,
                };
            case InstructionClass.Ldx:
                return region.Flow.Reads(slot);
            case InstructionClass.St:
                return destination;
            case InstructionClass.Stx when instruction.MemoryMode == MemoryMode.Atomic:
                return instruction.AccessSize == 8 ? RegisterSet.Reads(instruction) : destination | source;
            case InstructionClass.Stx:
                return instruction.AccessSize == 8 ? destination | source : destination;
            case InstructionClass.Jmp when instruction.JumpOperation == JumpOperation.Call:
                return region.Flow.Reads(slot);
            case InstructionClass.Jmp when instruction.IsExit:
                return isResult32Bit ? 0 : 1;
            case InstructionClass.Jmp:
                return RegisterSet.Reads(instruction);
            default:
                return 0;
        }
    }
}
