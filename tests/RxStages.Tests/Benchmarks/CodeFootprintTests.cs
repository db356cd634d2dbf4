using System.Diagnostics.Tracing;
using System.Runtime.InteropServices;
using RxStages.Benchmarks;

namespace RxStages.Tests.Benchmarks;

public unsafe class CodeFootprintTests
{
    [Fact]
    public void TheMachineCodeHasAboutTheSizeThatIsAskedFor()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "sizes are those of x64");
        const int Size = 64 << 10;
        using var listener = new MethodSizeListener(expectedMethods: Size / 4096);
        _ = new CodeFootprint(Size);
        Assert.True(listener.AllSeen.Wait(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        Assert.InRange(listener.Total, 0.8 * Size, 1.2 * Size);
    }

    [Fact]
    public void TheResultDependsOnEveryWordAndOnTheState()
    {
        var footprint = new CodeFootprint(16 << 10);
        var packet = stackalloc byte[CodeFootprint.PacketBytes];
        var results = new HashSet<ulong> { footprint.Run(packet, 1), footprint.Run(packet, 2) };
        for (var i = 0; i < CodeFootprint.PacketBytes - 1; i++)
        {
            packet[i] = 1;
            results.Add(footprint.Run(packet, 1));
            packet[i] = 0;
        }
        Assert.Equal(2 + CodeFootprint.PacketBytes - 1, results.Count);
        Assert.Contains(footprint.Run(packet, 1), results);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData((16 << 20) + 1)]
    public void SizesOutOfRangeAreRefused(int size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CodeFootprint(size));

    /// <summary>Adds up the sizes of the footprint's methods as the runtime reports that they are compiled.</summary>
    private sealed class MethodSizeListener(int expectedMethods) : EventListener
    {
        private const EventKeywords Jit = (EventKeywords)0x10;

        private int _seen;

        public ManualResetEventSlim AllSeen { get; } = new();

        public long Total { get; private set; }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            {
                EnableEvents(eventSource, EventLevel.Verbose, Jit);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            // MethodLoadVerbose: MethodID, ModuleID, address, size, token, flags, namespace, name, signature, …
            if (
                eventData
                    is { EventName: "MethodLoadVerbose_V2", Payload: [_, _, _, uint size, _, _, _, string name, ..] }
                && name == CodeFootprint.MethodName
                && _seen < expectedMethods
            )
            {
                Total += size;
                if (++_seen == expectedMethods)
                {
                    AllSeen.Set();
                }
            }
        }
    }
}
