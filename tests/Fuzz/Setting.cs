namespace RxStages.Fuzz.Tests;

/// <summary>What the environment asks of the hunt.</summary>
internal static class Setting
{
    /// <summary>The first seed, to hunt where no run was before.</summary>
    public static int FirstSeed { get; } = Read("RXSTAGES_FUZZ_SEED", 0);

    /// <summary>Mutants of one kind; the environment may ask for a longer hunt.</summary>
    public static int Mutants(int byDefault) => Read("RXSTAGES_FUZZ_MUTANTS", byDefault);

    /// <summary>Runs with each seed and says which one failed; all else than <paramref name="isClean"/> is a failure.</summary>
    public static void Hunt(int mutants, Func<Exception, bool> isClean, Action<int> run)
    {
        const long Most = 256 << 20;
        for (var seed = FirstSeed; seed < FirstSeed + Mutants(mutants); seed++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                run(seed);
            }
            catch (Exception error) when (isClean(error))
            {
                // What most of them come to.
            }
            catch (Exception error) when (error is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}: {error}");
            }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < Most, $"seed {seed}: {allocated} bytes");
        }
    }

    private static int Read(string name, int byDefault) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value) : byDefault;
}
