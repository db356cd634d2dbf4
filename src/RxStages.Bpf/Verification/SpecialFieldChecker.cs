using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks what calls do with the fields of map values that belong to the kernel: spin locks, timers; after the kernel's
/// <c>process_spin_lock</c> and <c>process_timer_func</c>.
/// </summary>
internal sealed class SpecialFieldChecker(VerifierEnvironment environment)
{
    /// <summary>A register that must point to a field of a kind.</summary>
    /// <returns>The index of the map.</returns>
    public int CheckField(int register, SpecialFieldKind kind)
    {
        ref readonly var pointer = ref environment.Registers[register];
        if (pointer.Type != RegisterType.MapValue)
        {
            throw environment.Reject(
                $"the call expects a pointer to the {kind} of a map value in r{register}, which is {pointer.Describe()}",
                pointer.MayBeNull ? "compare it with NULL first, and go on only where it is not" : null
            );
        }
        if (!pointer.Bounds.IsConstant)
        {
            throw environment.Reject($"the {kind} in r{register} is at an offset that is not constant");
        }
        var offset = (long)pointer.Bounds.Bits.Value + pointer.Offset;
        var map = environment.Maps[pointer.Map];
        foreach (var field in map.SpecialFields)
        {
            if (field.Kind == kind && field.Offset == offset)
            {
                return pointer.Map;
            }
        }
        throw environment.Reject(
            map.SpecialFields.Any(field => field.Kind == kind)
                ? $"the {kind} of map '{map.Name}' is not at offset {offset} of its value"
                : $"values of map '{map.Name}' have no {kind} that the map's BTF knows"
        );
    }

    /// <summary>The argument of <c>bpf_spin_lock</c> or <c>bpf_spin_unlock</c>.</summary>
    public void CheckLock(int register, bool isTaken)
    {
        var held = environment.State.Held;
        var map = CheckField(register, SpecialFieldKind.SpinLock);
        var present = new HeldLock(map, environment.Registers[register].Id);
        if (isTaken)
        {
            held.Lock = held.Lock is null
                ? present
                : throw environment.Reject("takes a second spin lock: only one may be held at a time");
            return;
        }
        if (held.Lock is null)
        {
            throw environment.Reject("releases a spin lock, but none is held");
        }
        if (held.Lock != present)
        {
            throw environment.Reject("releases another spin lock than the one that is held");
        }
        held.Lock = null;
    }
}
