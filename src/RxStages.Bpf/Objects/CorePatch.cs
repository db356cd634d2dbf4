using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Objects;

/// <summary>Writes a CO-RE relocation's answer into an instruction.</summary>
internal static class CorePatch
{
    /// <summary>
    /// The helper that takes the place of an instruction without an answer. No kernel has one of that number, so that the
    /// verifier rejects the program when it can be reached. The number is libbpf's (<c>0xbad2310</c>).
    /// </summary>
    public const int PoisonedHelper = 195_896_080;

    /// <summary>Patches an instruction.</summary>
    /// <param name="first">The instruction.</param>
    /// <param name="second">The second half of a wide load; else untouched.</param>
    /// <param name="result">The answer.</param>
    /// <returns>False when the instruction was poisoned.</returns>
    /// <exception cref="CoreRelocationException">The instruction is not one that the compiler makes for such a relocation.</exception>
    public static bool Apply(ref Instruction first, ref Instruction second, CoreResult result)
    {
        if (result.IsPoisoned)
        {
            return Poison(ref first, ref second);
        }
        switch (first.Class)
        {
            case InstructionClass.Alu or InstructionClass.Alu64 when !first.UsesSourceRegister:
                // The compiler's value is compared as the 32 bits that there are, sign-extended.
                Check(result, unchecked((ulong)first.Immediate), unchecked((ulong)(int)result.OriginalValue));
                first = first with { Immediate = unchecked((int)result.NewValue) };
                return true;
            case InstructionClass.Ldx or InstructionClass.St or InstructionClass.Stx:
                Check(result, unchecked((ulong)(long)first.Offset), result.OriginalValue);
                if (result.NewValue > (ulong)short.MaxValue)
                {
                    throw new CoreRelocationException(
                        $"{result.Description}: offset {result.NewValue} does not fit the instruction"
                    );
                }
                if (result.IsSizeFixed)
                {
                    return Poison(ref first, ref second);
                }
                first = first with { Offset = (short)result.NewValue };
                if (result.NewSize != result.OriginalSize)
                {
                    first = Resize(first, result);
                }
                return true;
            case InstructionClass.Ld when first.IsWide && first.Source == PseudoLoad.Constant && first.Offset == 0:
                Check(result, (uint)first.Immediate | ((ulong)(uint)second.Immediate << 32), result.OriginalValue);
                first = first with { Immediate = unchecked((int)result.NewValue) };
                second = second with { Immediate = (int)(result.NewValue >> 32) };
                return true;
            default:
                throw new CoreRelocationException(
                    $"{result.Description}: it is for an instruction with code 0x{first.Opcode:x2}"
                );
        }
    }

    private static bool Poison(ref Instruction first, ref Instruction second)
    {
        if (first.IsWide)
        {
            second = Poisoned;
        }
        first = Poisoned;
        return false;
    }

    private static Instruction Poisoned => new(Opcode.Call, 0, 0, 0, PoisonedHelper);

    private static Instruction Resize(Instruction instruction, CoreResult result)
    {
        if (instruction.AccessSize != result.OriginalSize)
        {
            throw new CoreRelocationException(
                $"{result.Description}: an access of {instruction.AccessSize} bytes to a field of {result.OriginalSize}"
            );
        }
        var size = result.NewSize switch
        {
            1 => 0x10,
            2 => 0x08,
            4 => 0x00,
            8 => 0x18,
            _ => throw new CoreRelocationException(
                $"{result.Description}: the field has {result.NewSize} bytes in the target, which no instruction loads"
            ),
        };
        return instruction with { Opcode = (byte)((instruction.Opcode & ~0x18) | size) };
    }

    private static void Check(CoreResult result, ulong actual, ulong expected)
    {
        if (result.IsChecked && actual != expected)
        {
            throw new CoreRelocationException(
                $"{result.Description}: the instruction holds {actual} where {expected} should be"
            );
        }
    }
}
