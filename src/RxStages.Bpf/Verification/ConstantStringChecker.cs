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
}
