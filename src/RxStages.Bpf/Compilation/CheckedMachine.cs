using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// What code that is not verified runs against: one memory, the stacks of the live frames, and a budget that ends endless
/// loops. Compiled code calls the methods here; each aborts the run with an <see cref="InputException"/>.
/// </summary>
internal unsafe struct CheckedMachine
{
    /// <summary>Bytes of stack that a frame has.</summary>
    public const int FrameSize = 512;

    /// <summary>The kernel's <c>MAX_CALL_FRAMES</c>.</summary>
    public const int MaxFrames = 8;

    /// <summary>The memory that r1 points to.</summary>
    public byte* Memory;

    /// <summary>Its length.</summary>
    public ulong MemoryLength;

    /// <summary>Room for <see cref="MaxFrames"/> stacks, the entry function's lowest.</summary>
    public byte* Stack;

    /// <summary>How many frames are live.</summary>
    public int Frames;

    /// <summary>How many more instructions may run by jumping back, and calls be made.</summary>
    public long Budget;

    /// <summary>The address, if <paramref name="size"/> bytes there may be accessed.</summary>
    public static ulong Check(ulong address, CheckedMachine* machine, int size, int slot)
    {
        if (
            IsInside(address, size, (ulong)machine->Memory, machine->MemoryLength)
            || IsInside(address, size, (ulong)machine->Stack, (ulong)machine->Frames * FrameSize)
        )
        {
            return address;
        }
        throw Fault(slot, $"{size} bytes at 0x{address:x} are neither in the memory nor on the stack");
    }

    /// <summary>The same for an atomic operation, which only x86 has at any address.</summary>
    public static ulong CheckAtomic(ulong address, CheckedMachine* machine, int size, int slot)
    {
        Check(address, machine, size, slot);
        if (!X86Base.IsSupported && (address & (ulong)(size - 1)) != 0)
        {
            throw Fault(slot, $"an atomic operation of {size} bytes is not aligned");
        }
        return address;
    }

    /// <summary>Takes a part of the budget.</summary>
    public static void Spend(CheckedMachine* machine, int instructions, int slot)
    {
        machine->Budget -= instructions;
        if (machine->Budget < 0)
        {
            throw Fault(slot, "the program ran too long");
        }
    }

    /// <summary>Makes a frame for a function, its stack all zero; returns what r10 is in it.</summary>
    public static ulong Enter(CheckedMachine* machine, int slot)
    {
        if (machine->Frames == MaxFrames)
        {
            throw Fault(slot, $"more than {MaxFrames} nested calls");
        }
        Spend(machine, 1, slot);
        var frame = machine->Stack + (machine->Frames * FrameSize);
        Unsafe.InitBlock(frame, 0, FrameSize);
        machine->Frames++;
        return (ulong)(frame + FrameSize);
    }

    /// <summary>Gives the last frame back.</summary>
    public static void Leave(CheckedMachine* machine) => machine->Frames--;

    private static bool IsInside(ulong address, int size, ulong start, ulong length)
    {
        var offset = address - start;
        return offset <= length && (ulong)size <= length - offset;
    }

    /// <summary>An abort.</summary>
    public static InputException Fault(int slot, string reason) => new("program", $"instruction {slot}", reason);
}
