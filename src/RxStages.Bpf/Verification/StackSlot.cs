using System.Runtime.CompilerServices;

namespace RxStages.Bpf.Verification;

/// <summary>What a byte of the stack holds, after the kernel's <c>enum bpf_stack_slot_type</c>.</summary>
internal enum StackByte : byte
{
    /// <summary><c>STACK_INVALID</c>: not written by the program.</summary>
    Invalid = 0,

    /// <summary><c>STACK_SPILL</c>: part of a register that was stored.</summary>
    Spill,

    /// <summary><c>STACK_MISC</c>: some number.</summary>
    Misc,

    /// <summary><c>STACK_ZERO</c>: the number 0.</summary>
    Zero,

    /// <summary><c>STACK_DYNPTR</c>: part of a dynptr; all eight bytes are, and <see cref="StackSlot.Spilled"/> describes it.</summary>
    Dynptr,

    /// <summary><c>STACK_ITER</c>: part of an open-coded iterator; all eight bytes are, and <see cref="StackSlot.Spilled"/> describes it.</summary>
    Iterator,
}

/// <summary>Eight bytes of stack, aligned, after the kernel's <c>struct bpf_stack_state</c>.</summary>
internal struct StackSlot
{
    /// <summary>Bytes in a slot.</summary>
    public const int Size = 8;

    /// <summary>What was spilled, where the first byte is <see cref="StackByte.Spill"/>; else see <see cref="IsDescribed"/>.</summary>
    public RegisterState Spilled;

    /// <summary>What the bytes hold, by ascending address.</summary>
    public Bytes Types;

    /// <summary>Eight <see cref="StackByte"/>s.</summary>
    [InlineArray(Size)]
    public struct Bytes
    {
        private StackByte _first;
    }

    /// <summary>True when a register was spilled here, of 8 bytes or fewer.</summary>
    public readonly bool IsSpill => Types[0] == StackByte.Spill;

    /// <summary>True when <see cref="Spilled"/> says what the slot holds: a spilled register, or part of a dynptr or an iterator.</summary>
    public readonly bool IsDescribed => Types[0] is StackByte.Spill or StackByte.Dynptr or StackByte.Iterator;

    /// <summary>True when a scalar was spilled here.</summary>
    public readonly bool IsScalarSpill => IsSpill && Spilled.IsScalar;

    /// <summary>How many bytes were spilled.</summary>
    public readonly int SpillSize
    {
        get
        {
            var size = 0;
            while (size < Size && Types[size] == StackByte.Spill)
            {
                size++;
            }
            return size;
        }
    }

    /// <summary>True when all bytes are of one of two types.</summary>
    public readonly bool IsAll(StackByte type, StackByte or)
    {
        for (var index = 0; index < Size; index++)
        {
            if (Types[index] != type && Types[index] != or)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Stores a register in the first bytes; the rest loses what it knew.</summary>
    public void Spill(in RegisterState register, int size)
    {
        Spilled = register;
        for (var index = 0; index < Size; index++)
        {
            if (index < size)
            {
                Types[index] = StackByte.Spill;
            }
            else if (Types[index] is StackByte.Spill or StackByte.Dynptr or StackByte.Iterator)
            {
                Types[index] = StackByte.Misc;
            }
        }
    }

    /// <summary>Becomes part of a dynptr or an iterator.</summary>
    public void Fill(StackByte type, in RegisterState description)
    {
        Spilled = description;
        ((Span<StackByte>)Types).Fill(type);
    }

    /// <summary>What was spilled is from now on only bytes (<c>scrub_spilled_slot</c>).</summary>
    public void Scrub()
    {
        Spilled = default;
        for (var index = 0; index < Size; index++)
        {
            if (Types[index] == StackByte.Spill)
            {
                Types[index] = StackByte.Misc;
            }
        }
    }
}
