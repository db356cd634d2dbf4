namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks how much stack functions take together along the deepest calls, after the kernel's
/// <c>check_max_stack_depth</c>.
/// </summary>
internal static class StackDepth
{
    // The kernel's compilers to machine code round each frame up so.
    private const int Granularity = 16;

    // What callers of a function that makes tail calls may take, since up to 33 such frames can pile up.
    private const int MaxBelowTailCall = 256;

    /// <summary>Checks all calls.</summary>
    /// <param name="environment">The verification, all paths gone.</param>
    /// <param name="order">The functions, callers before those they call.</param>
    public static void Check(VerifierEnvironment environment, int[] order)
    {
        var above = new int[environment.Functions.Length];
        var frames = new int[environment.Functions.Length];
        foreach (var function in order)
        {
            ref readonly var findings = ref environment.Functions[function];
            var depth = above[function] + RoundUp(findings.StackDepth);
            foreach (var (callSite, callee) in environment.Flow.Calls[function])
            {
                above[callee] = Math.Max(above[callee], depth);
                frames[callee] = Math.Max(frames[callee], frames[function] + 1);
                if (frames[callee] >= VerifierState.MaxFrames)
                {
                    throw environment.RejectAt(
                        callSite,
                        $"calls are nested deeper than {VerifierState.MaxFrames} functions"
                    );
                }
                if (above[callee] + RoundUp(environment.Functions[callee].StackDepth) > FunctionFrame.MaxStack)
                {
                    throw environment.RejectAt(
                        callSite,
                        $"functions take {above[callee] + RoundUp(environment.Functions[callee].StackDepth)} bytes of stack together in this call, more than {FunctionFrame.MaxStack}",
                        "keep large variables in a per-CPU array map"
                    );
                }
                if (environment.Functions[callee].MakesTailCall && above[callee] >= MaxBelowTailCall)
                {
                    throw environment.RejectAt(
                        callSite,
                        $"a function that makes tail calls is called with {above[callee]} bytes of stack taken, of at most {MaxBelowTailCall - 1}"
                    );
                }
            }
        }
    }

    private static int RoundUp(int bytes) => (bytes + Granularity - 1) / Granularity * Granularity;
}
