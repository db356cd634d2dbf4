using System.Reflection;
using System.Reflection.Emit;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Compilation;

/// <summary>Emits loads, stores and atomic operations (RFC 9669, section 5).</summary>
internal sealed class MemoryEmitter(ILGenerator il, Code code, Registers registers, MethodFrame frame)
{
    /// <summary>Emits the load or store at a slot.</summary>
    public void Emit(int slot)
    {
        var instruction = code[slot];
        switch (instruction.Class, instruction.MemoryMode)
        {
            case (InstructionClass.Ld, MemoryMode.Imm) when instruction.IsWide:
                frame.LoadWide(slot);
                registers.Store64(slot, instruction.Destination);
                break;
            case (InstructionClass.Ldx, MemoryMode.Mem):
                Load(slot, instruction);
                break;
            case (InstructionClass.Ldx, MemoryMode.MemSx) when instruction.AccessSize < 8:
                LoadSignExtended(slot, instruction);
                break;
            case (InstructionClass.St, MemoryMode.Mem):
                LoadAddress(slot, instruction, instruction.Destination);
                LoadStoredImmediate(instruction);
                EmitStore(slot, instruction);
                break;
            case (InstructionClass.Stx, MemoryMode.Mem):
                LoadAddress(slot, instruction, instruction.Destination);
                LoadStored(instruction);
                EmitStore(slot, instruction);
                break;
            case (InstructionClass.Stx, MemoryMode.Atomic)
                when instruction.AccessSize >= 4
                    || (AtomicOperation)instruction.Immediate
                        is AtomicOperation.LoadAcquire
                            or AtomicOperation.StoreRelease:
                EmitAtomic(slot, instruction);
                break;
            default:
                throw code.Error(slot, $"no such instruction: opcode 0x{instruction.Opcode:x2}");
        }
    }

    private void Load(int slot, Instruction instruction)
    {
        if (frame.TryLoadContext(slot))
        {
            registers.Store64(slot, instruction.Destination);
            return;
        }
        if (TryLoadProbed(slot, instruction))
        {
            registers.Store64(slot, instruction.Destination);
            return;
        }
        LoadAddress(slot, instruction, instruction.Source);
        EmitUnaligned(slot, instruction);
        EmitLoad(instruction);
        StoreLoaded(slot, instruction, instruction.Destination);
    }

    /// <summary>Through a pointer that need not be valid only what is certain to be there is read.</summary>
    private bool TryLoadProbed(int slot, Instruction instruction)
    {
        if (code.Facts(slot).Region != MemoryRegion.Probed || frame is not VerifiedFrame verified)
        {
            return false;
        }
        verified.LoadRuntime();
        registers.Load64(instruction.Source);
        il.Emit(OpCodes.Ldc_I8, (long)instruction.Offset);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Ldc_I4, instruction.AccessSize);
        il.Emit(OpCodes.Call, typeof(ProbedMemory).GetMethod(nameof(ProbedMemory.Load))!);
        return true;
    }

    private void LoadSignExtended(int slot, Instruction instruction)
    {
        if (frame.TryLoadContext(slot))
        {
            registers.Store64(slot, instruction.Destination);
            return;
        }
        if (TryLoadProbed(slot, instruction))
        {
            il.Emit(
                instruction.AccessSize switch
                {
                    1 => OpCodes.Conv_I1,
                    2 => OpCodes.Conv_I2,
                    _ => OpCodes.Conv_I4,
                }
            );
        }
        else
        {
            LoadAddress(slot, instruction, instruction.Source);
            EmitUnaligned(slot, instruction);
            il.Emit(
                instruction.AccessSize switch
                {
                    1 => OpCodes.Ldind_I1,
                    2 => OpCodes.Ldind_I2,
                    _ => OpCodes.Ldind_I4,
                }
            );
        }
        il.Emit(OpCodes.Conv_I8);
        registers.Store64(slot, instruction.Destination);
    }

    private void LoadAddress(int slot, Instruction instruction, int register, bool atomic = false)
    {
        if (register == RegisterSet.FramePointer)
        {
            frame.LoadStack(instruction.Offset);
        }
        else
        {
            registers.Load64(register);
            if (instruction.Offset != 0)
            {
                il.Emit(OpCodes.Ldc_I8, (long)instruction.Offset);
                il.Emit(OpCodes.Add);
            }
        }
        frame.GuardAccess(slot, instruction.AccessSize, atomic);
    }

    private void LoadStored(Instruction instruction)
    {
        if (instruction.AccessSize == 8)
        {
            registers.Load64(instruction.Source);
        }
        else
        {
            registers.Load32(instruction.Source);
        }
    }

    private void LoadStoredImmediate(Instruction instruction)
    {
        if (instruction.AccessSize == 8)
        {
            il.Emit(OpCodes.Ldc_I8, (long)instruction.Immediate);
        }
        else
        {
            il.Emit(OpCodes.Ldc_I4, instruction.Immediate);
        }
    }

    // Only stack accesses at multiples of their size are known to be aligned: packets start anywhere.
    private void EmitUnaligned(int slot, Instruction instruction)
    {
        var isAligned =
            instruction.AccessSize == 1
            || (
                code.Facts(slot).Region == MemoryRegion.Stack
                && (instruction.Class == InstructionClass.Ldx ? instruction.Source : instruction.Destination)
                    == RegisterSet.FramePointer
                && instruction.Offset % instruction.AccessSize == 0
            );
        if (!isAligned)
        {
            il.Emit(OpCodes.Unaligned, (byte)1);
        }
    }

    private void EmitLoad(Instruction instruction) =>
        il.Emit(
            instruction.AccessSize switch
            {
                1 => OpCodes.Ldind_U1,
                2 => OpCodes.Ldind_U2,
                4 => OpCodes.Ldind_U4,
                _ => OpCodes.Ldind_I8,
            }
        );

    private void StoreLoaded(int slot, Instruction instruction, int register)
    {
        if (instruction.AccessSize == 8)
        {
            registers.Store64(slot, register);
        }
        else
        {
            registers.Store32(slot, register);
        }
    }

    private void EmitStore(int slot, Instruction instruction)
    {
        if (code.Facts(slot).Region == MemoryRegion.Probed && frame is VerifiedFrame verified)
        {
            il.Emit(OpCodes.Conv_U8);
            il.Emit(OpCodes.Ldc_I4, instruction.AccessSize);
            verified.LoadRuntime();
            il.Emit(OpCodes.Call, typeof(ProbedMemory).GetMethod(nameof(ProbedMemory.Store))!);
            return;
        }
        EmitUnaligned(slot, instruction);
        EmitStoreIndirect(instruction);
    }

    private void EmitStoreIndirect(Instruction instruction) =>
        il.Emit(
            instruction.AccessSize switch
            {
                1 => OpCodes.Stind_I1,
                2 => OpCodes.Stind_I2,
                4 => OpCodes.Stind_I4,
                _ => OpCodes.Stind_I8,
            }
        );

    private void EmitAtomic(int slot, Instruction instruction)
    {
        var operation = (AtomicOperation)instruction.Immediate;
        if (operation == AtomicOperation.LoadAcquire)
        {
            LoadAddress(slot, instruction, instruction.Source, atomic: true);
            il.Emit(OpCodes.Volatile);
            EmitLoad(instruction);
            StoreLoaded(slot, instruction, instruction.Destination);
            return;
        }
        LoadAddress(slot, instruction, instruction.Destination, atomic: true);
        if (operation == AtomicOperation.CompareExchange)
        {
            LoadStored(instruction);
            if (instruction.AccessSize == 8)
            {
                registers.Load64(0);
            }
            else
            {
                registers.Load32(0);
            }
            CallAtomic(nameof(Atomics.CompareExchange), instruction);
            StoreLoaded(slot, instruction, 0);
            return;
        }
        LoadStored(instruction);
        if (operation == AtomicOperation.StoreRelease)
        {
            il.Emit(OpCodes.Volatile);
            EmitStoreIndirect(instruction);
            return;
        }
        var fetches = operation.HasFlag(AtomicOperation.Fetch);
        CallAtomic(
            (operation & ~AtomicOperation.Fetch) switch
            {
                AtomicOperation.Add => fetches ? nameof(Atomics.FetchAdd) : nameof(Atomics.Add),
                AtomicOperation.Or => fetches ? nameof(Atomics.FetchOr) : nameof(Atomics.Or),
                AtomicOperation.And => fetches ? nameof(Atomics.FetchAnd) : nameof(Atomics.And),
                AtomicOperation.Xor => fetches ? nameof(Atomics.FetchXor) : nameof(Atomics.Xor),
                AtomicOperation.Exchange & ~AtomicOperation.Fetch when fetches => nameof(Atomics.Exchange),
                _ => throw code.Error(slot, $"no such atomic operation: 0x{instruction.Immediate:x}"),
            },
            instruction
        );
        if (fetches)
        {
            StoreLoaded(slot, instruction, instruction.Source);
        }
    }

    private void CallAtomic(string name, Instruction instruction)
    {
        var width = instruction.AccessSize == 8 ? typeof(ulong) : typeof(uint);
        Type[] parameters =
            name == nameof(Atomics.CompareExchange)
                ? [width.MakePointerType(), width, width]
                : [width.MakePointerType(), width];
        il.Emit(OpCodes.Call, typeof(Atomics).GetMethod(name, BindingFlags.Static | BindingFlags.Public, parameters)!);
    }
}
