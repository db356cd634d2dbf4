using RxStages.Bpf.Helpers;

namespace RxStages.Bpf.Verification;

/// <summary>Checks strings that must be known when the program is verified, after the kernel's <c>check_reg_const_str</c>.</summary>
internal sealed class ConstantStringChecker(VerifierEnvironment environment)
{
    /// <summary>A register that must point to a terminated string in a map that never changes.</summary>
    /// <returns>The string, without its terminating zero byte.</returns>
    public ReadOnlySpan<byte> Check(int register)
    {
        ref readonly var pointer = ref environment.Registers[register];
        if (pointer.Type != RegisterType.MapValue)
        {
            throw environment.Reject(
                $"the call expects a constant string in r{register}, which is {pointer.Describe()}",
                "use a string literal, or a 'static const char[]': they are in .rodata"
            );
        }
        var map = environment.Maps[pointer.Map];
        if (!MapRules.IsConstant(map))
        {
            throw environment.Reject(
                $"the call expects a constant string in r{register}, but map '{map.Name}' may change"
            );
        }
        if (!pointer.Bounds.IsConstant)
        {
            throw environment.Reject($"the string in r{register} is at an offset that is not constant");
        }
        var offset = (long)pointer.Bounds.Bits.Value + pointer.Offset;
        if (offset < 0 || offset >= map.ValueSize)
        {
            throw environment.Reject($"the string in r{register} is at offset {offset}, outside of map '{map.Name}'");
        }
        var known = map.InitialValue.AsSpan()[Math.Min((int)offset, map.InitialValue.Length)..];
        var end = known.IndexOf((byte)0);
        if (end >= 0)
        {
            return known[..end];
        }
        // Behind its initial value the map holds zeros.
        return map.InitialValue.Length < map.ValueSize
            ? known
            : throw environment.Reject($"the string in r{register} does not end within map '{map.Name}'");
    }

    /// <summary>
    /// The same, of a string that is a format for the values in the memory of the next argument; the one behind that, which is
    /// still to be checked, holds their size.
    /// </summary>
    public void CheckFormat(int register)
    {
        var format = Check(register);
        // What is known of a size that is not constant, as in the kernel; the call itself looks again.
        var size = environment.Registers[register + 2].Bounds.Bits.Value;
        if (size % sizeof(ulong) != 0)
        {
            throw environment.Reject(
                $"the values of the format in r{register} have {size} bytes, which is not a multiple of {sizeof(ulong)}"
            );
        }
        if (!TraceFormat.IsValid(format, size / sizeof(ulong)))
        {
            throw environment.Reject(
                $"the format in r{register} is not valid, or asks for more than {size / sizeof(ulong)} values",
                "it may have %d %i %u %x %X with l or ll, %c, %s, %p and %p with K x s S B i4 I4 i6 I6 ks us"
            );
        }
    }
}
