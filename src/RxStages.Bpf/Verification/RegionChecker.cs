using RxStages.Bpf.Helpers;
using RxStages.Bpf.Kfuncs;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Regions of a program in which not everything is allowed: while a spin lock is held, in RCU read sections, and without
/// preemption.
/// </summary>
internal sealed class RegionChecker(VerifierEnvironment environment)
{
    /// <summary>Checks that a function may be called here.</summary>
    public void CheckCall(FunctionDefinition function)
    {
        // What is left of the kernel's list (kfunc_spin_allowed) without its graphs: iterators over numbers.
        var isAllowed =
            function.Name == "spin_unlock"
            || (function is KfuncDefinition && function.Name.StartsWith("bpf_iter_num_", StringComparison.Ordinal));
        // A second lock has an error of its own.
        if (environment.State.Held.Lock is not null && !isAllowed && function.Name != "spin_lock")
        {
            throw environment.Reject(
                $"calls {function.FullName} while a spin lock is held",
                "between bpf_spin_lock() and bpf_spin_unlock() only memory may be accessed"
            );
        }
    }

    /// <summary>Opens or closes the region that the call in progress is there for, if any.</summary>
    public void Apply(FunctionDefinition function)
    {
        var held = environment.State.Held;
        switch (function is KfuncDefinition kfunc ? kfunc.Region : KfuncRegion.None)
        {
            case KfuncRegion.RcuBegin when held.IsInRcuRegion:
                throw environment.Reject("opens an RCU region inside of another");
            case KfuncRegion.RcuBegin:
                held.IsInRcuRegion = true;
                break;
            case KfuncRegion.RcuEnd when !held.IsInRcuRegion:
                throw environment.Reject("ends an RCU region, but none is open");
            case KfuncRegion.RcuEnd:
                held.IsInRcuRegion = false;
                environment.State.DistrustRcuPointers();
                break;
            case KfuncRegion.PreemptOffBegin:
                held.PreemptOffRegions++;
                break;
            case KfuncRegion.PreemptOffEnd when held.PreemptOffRegions == 0:
                throw environment.Reject("enables preemption, which was not disabled");
            case KfuncRegion.PreemptOffEnd:
                held.PreemptOffRegions--;
                break;
        }
    }
}
