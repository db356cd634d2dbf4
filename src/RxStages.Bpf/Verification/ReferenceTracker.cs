namespace RxStages.Bpf.Verification;

/// <summary>
/// Acquires and releases objects on the path in progress, and checks that everything was given back where that is due; after
/// the kernel's <c>acquire_reference</c>, <c>release_reference</c> and <c>check_resource_leak</c>.
/// </summary>
internal sealed class ReferenceTracker(VerifierEnvironment environment)
{
    /// <summary>The call in progress acquires an object.</summary>
    /// <returns>The id of the reference.</returns>
    public uint Acquire()
    {
        var id = environment.NewId();
        environment.State.Held.Acquire(new HeldReference(id, environment.Slot));
        return id;
    }

    /// <summary>The call in progress releases an object: all that was made from it is void.</summary>
    public void Release(uint id)
    {
        if (!environment.State.Held.Release(id))
        {
            throw environment.Reject("releases an object that is not held");
        }
        environment.State.ForgetReference(id);
    }

    /// <summary>Checks what the end of the program, or a tail call, asks for.</summary>
    /// <param name="what">What ends the program, for errors.</param>
    /// <param name="endsProgram">False in a function that was called, which may leave references to its caller.</param>
    public void CheckNothingHeld(string what, bool endsProgram)
    {
        var held = environment.State.Held;
        if (held.Lock is not null)
        {
            throw environment.Reject(
                $"{what} while a spin lock is held",
                "call bpf_spin_unlock() on every path before"
            );
        }
        if (held.IsInRcuRegion)
        {
            throw environment.Reject(
                $"{what} inside of an RCU region",
                "call bpf_rcu_read_unlock() on every path before"
            );
        }
        if (held.PreemptOffRegions > 0)
        {
            throw environment.Reject(
                $"{what} while preemption is disabled",
                "call bpf_preempt_enable() on every path before"
            );
        }
        if (endsProgram && held.References.Count > 0)
        {
            var slot = held.References[0].Slot;
            var line = environment.Program.LineOf(slot) is { } source ? $"line {source.Line}" : $"instruction {slot}";
            throw environment.Reject(
                $"{what}, but what the call at {line} acquired was not released on this path",
                "release it on every path where it is not null"
            );
        }
    }
}
