namespace RxStages.TestKit;

/// <summary>
/// Measures that code allocates no managed memory. What the code allocates it allocates in each pass; what the runtime
/// does on the same thread while it compiles methods again stops after some.
/// </summary>
public static class Allocation
{
    private const int Passes = 20;

    /// <summary>Runs the pass until it allocates nothing; throws if it always does.</summary>
    public static void ExpectNone(Action pass) =>
        ExpectNoneIn(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            pass();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });

    /// <summary>The same for a pass that measures itself and returns the bytes.</summary>
    public static void ExpectNoneIn(Func<long> pass)
    {
        var allocated = new List<long>();
        do
        {
            allocated.Add(pass());
        } while (allocated[^1] != 0 && allocated.Count < Passes);
        if (allocated[^1] != 0)
        {
            throw new InvalidOperationException($"bytes allocated pass by pass: {string.Join(", ", allocated)}");
        }
    }
}
