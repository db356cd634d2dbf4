namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks how much stack functions take together along the deepest calls, after the kernel's
/// <c>check_max_stack_depth</c>. To take a function's address counts as a call, but for functions that only timers call: they
/// have a stack of their own.
/// </summary>
internal sealed class StackDepth
{
    // The kernel's compilers to machine code round each frame up so.
    private const int Granularity = 16;

    // What callers of a function that makes tail calls may take, since up to 33 such frames can pile up.
    private const int MaxBelowTailCall = 256;

    private readonly VerifierEnvironment _environment;

    // By function: the most stack taken and frames made at its call, as far as calls were followed.
    private readonly int[] _above;
    private readonly int[] _frames;

    private StackDepth(VerifierEnvironment environment)
    {
        _environment = environment;
        _above = new int[environment.Functions.Length];
        _frames = new int[environment.Functions.Length];
        Array.Fill(_above, -1);
    }

    /// <summary>Checks all calls.</summary>
    /// <param name="environment">The verification, all paths gone.</param>
    public static void Check(VerifierEnvironment environment)
    {
        var check = new StackDepth(environment);
        check.Follow(function: 0, above: 0, frames: 0);
        for (var function = 1; function < environment.Functions.Length; function++)
        {
            if (environment.Functions[function].IsAsyncCallback)
            {
                check.Follow(function, above: 0, frames: 0);
            }
        }
    }

    /// <summary>Follows the calls of a function, unless it was called deeper before.</summary>
    private void Follow(int function, int above, int frames)
    {
        if (above <= _above[function] && frames <= _frames[function])
        {
            return;
        }
        // Both grow only, and frames are bounded, so that this ends.
        _above[function] = Math.Max(above, _above[function]);
        _frames[function] = Math.Max(frames, _frames[function]);
        var depth = _above[function] + RoundUp(_environment.Functions[function].StackDepth);
        foreach (var (callSite, callee) in _environment.Flow.Calls[function])
        {
            Enter(callSite, callee, depth, _frames[function] + 1);
        }
        foreach (var (callSite, callee) in _environment.Flow.References[function])
        {
            if (!_environment.Functions[callee].IsAsyncCallback)
            {
                Enter(callSite, callee, depth, _frames[function] + 1);
            }
        }
    }

    private void Enter(int callSite, int callee, int above, int frames)
    {
        if (_environment.Flow.Functions[callee].IsExtension)
        {
            above = frames = 0;
        }
        if (frames >= VerifierState.MaxFrames)
        {
            throw _environment.RejectAt(callSite, $"calls are nested deeper than {VerifierState.MaxFrames} functions");
        }
        ref readonly var findings = ref _environment.Functions[callee];
        var depth = above + RoundUp(findings.StackDepth);
        if (depth > FunctionFrame.MaxStack)
        {
            throw _environment.RejectAt(
                callSite,
                $"functions take {depth} bytes of stack together in this call, more than {FunctionFrame.MaxStack}",
                "keep large variables in a per-CPU array map"
            );
        }
        if (findings.MakesTailCall && above >= MaxBelowTailCall)
        {
            throw _environment.RejectAt(
                callSite,
                $"a function that makes tail calls is called with {above} bytes of stack taken, of at most {MaxBelowTailCall - 1}"
            );
        }
        Follow(callee, above, frames);
    }

    private static int RoundUp(int bytes) => (bytes + Granularity - 1) / Granularity * Granularity;
}
