using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Reflection.Emit;
using RxStages.Bpf.Compilation;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>Listens to what the runtime says of the methods that it compiles.</summary>
internal sealed class JitEvents : EventListener
{
    /// <summary><c>MinOptJitted</c> of the runtime's <c>NativeCodeVersion::OptimizationTier</c> as events give it.</summary>
    public const int MinOpts = 1;

    private const int TierShift = 7;
    private const int TierMask = 7;
    private const EventKeywords Jit = (EventKeywords)0x10;

    // The base constructor may enable events before fields of this class are set.
    private ConcurrentQueue<(string Method, int Tier)>? _methods;

    private ConcurrentQueue<(string Method, int Tier)> Methods =>
        LazyInitializer.EnsureInitialized(ref _methods, () => new());

    /// <summary>The optimisation tiers of the methods compiled so far whose names begin with a prefix.</summary>
    public IReadOnlyList<(string Method, int Tier)> Of(string prefix)
    {
        // Events come in order: when that of a method compiled now is here, so are all before it.
        var sentinel = $"sentinel{Guid.NewGuid():N}";
        var method = ProgramCompiler.Define(sentinel, typeof(void), []);
        method.GetILGenerator().Emit(OpCodes.Ret);
        method.CreateDelegate<Action>()();
        Assert.True(SpinWait.SpinUntil(() => Methods.Any(m => m.Method == sentinel), TimeSpan.FromSeconds(20)));
        return [.. Methods.Where(m => m.Method.StartsWith(prefix, StringComparison.Ordinal))];
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
        {
            EnableEvents(eventSource, EventLevel.Verbose, Jit);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName?.StartsWith("MethodLoadVerbose", StringComparison.Ordinal) != true)
        {
            return;
        }
        var flags = (uint)eventData.Payload![eventData.PayloadNames!.IndexOf("MethodFlags")]!;
        var name = (string)eventData.Payload[eventData.PayloadNames.IndexOf("MethodName")]!;
        Methods.Enqueue((name, (int)(flags >> TierShift) & TierMask));
    }
}
