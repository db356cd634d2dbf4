using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Stages;
using RxStages.Telemetry;

namespace RxStages.Engine;

/// <summary>
/// The hot path: takes a vector of packets through the stages. One packet goes straight through all of them; several are
/// split by verdict, and each stage works on its own vector.
/// </summary>
internal sealed unsafe class Pipeline : IDisposable
{
    private readonly IPacketObserver? _observer;
    private readonly int _vectorSize;
    private readonly Counters* _counters;
    private readonly ReceiveStage _receive;
    private readonly XdpStage _xdp;
    private readonly SplitStage _split;
    private readonly TransmitStage _transmit;
    private readonly RedirectStage _redirect;
    private readonly NetworkStackStage _stack;
    private readonly RecycleStage _recycle;
    private PacketVector* _vector = NativeBlock.Allocate<PacketVector>();
    private VectorOutcome* _outcome = NativeBlock.Allocate<VectorOutcome>();

    public Pipeline(IReceiveQueue queue, WorkerOptions options, BpfRuntime* runtime, Counters* counters)
    {
        _observer = options.Observer;
        _vectorSize = options.VectorSize;
        _counters = counters;
        _receive = new ReceiveStage(queue, options.Prefetch, counters);
        _xdp = new XdpStage(runtime);
        _split = new SplitStage(counters);
        _transmit = new TransmitStage(options.Transmit, counters);
        _redirect = new RedirectStage(options.Redirects, queue.Pool, runtime, counters);
        _stack = new NetworkStackStage(options.NetworkStack, counters);
        _recycle = new RecycleStage(queue.Pool);
        for (var position = 0; position < PacketVector.MaxCapacity; position++)
        {
            _vector->Positions[position] = (byte)position;
        }
    }

    /// <summary>Takes one vector through the stages and sends everything off.</summary>
    /// <returns>How many packets it had.</returns>
    public int RunStaged<TClock>(XdpProgram program)
        where TClock : struct, IStageClock
    {
        Reclaim();
        var clock = default(TClock);
        var count = RunVector(program, _vectorSize, ref clock);
        if (count == 1)
        {
            Flush(ref clock);
        }
        return count;
    }

    /// <summary>Takes up to a vector's worth of packets through the stages one by one, then sends everything off.</summary>
    /// <returns>How many packets there were.</returns>
    public int RunPerPacket<TClock>(XdpProgram program)
        where TClock : struct, IStageClock
    {
        Reclaim();
        var clock = default(TClock);
        var count = 0;
        while (count < _vectorSize && RunVector(program, 1, ref clock) != 0)
        {
            count++;
        }
        Flush(ref clock);
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _split.Dispose();
        _redirect.Dispose();
        NativeBlock.Free(ref _vector);
        NativeBlock.Free(ref _outcome);
    }

    private int RunVector<TClock>(XdpProgram program, int max, ref TClock clock)
        where TClock : struct, IStageClock
    {
        clock.Start();
        var fits = _receive.Run(_vector, max);
        var count = _vector->Count;
        if (count == 0)
        {
            return 0;
        }
        clock.EndOf(Stage.Receive, _counters);
        _counters->Vectors++;
        _counters->VectorSize[count]++;
        _outcome->Clear();
        if (!fits)
        {
            Lose();
        }
        else
        {
            _xdp.Run(program, _vector, _outcome->Verdicts);
            clock.EndOf(Stage.Xdp, _counters);
            if (_observer is not null)
            {
                FillFates();
            }
            if (count == 1)
            {
                GoStraightThrough(program, ref clock);
            }
            else
            {
                GoSplit(program, ref clock);
            }
        }
        if (_observer is not null)
        {
            _observer.Observe(_vector->Packets, _outcome->Verdicts, _outcome->Fates, count);
            clock.EndOf(Stage.Observe, _counters);
        }
        _recycle.Run(_vector, _outcome->Kept);
        clock.EndOf(Stage.Recycle, _counters);
        return count;
    }

    private void GoSplit<TClock>(XdpProgram program, ref TClock clock)
        where TClock : struct, IStageClock
    {
        _split.Run(_vector, _outcome->Verdicts);
        clock.EndOf(Stage.Split, _counters);
        if (_split[XdpAction.Tx]->Count != 0)
        {
            _transmit.Run(_split[XdpAction.Tx], _outcome);
            _transmit.Flush();
            clock.EndOf(Stage.Transmit, _counters);
        }
        if (_split[XdpAction.Redirect]->Count != 0)
        {
            _redirect.Run(_split[XdpAction.Redirect], _outcome);
            _redirect.Flush();
            clock.EndOf(Stage.Redirect, _counters);
        }
        if (_split[XdpAction.Pass]->Count != 0)
        {
            _stack.Run(_split[XdpAction.Pass], _outcome);
            _stack.Flush();
            clock.EndOf(Stage.NetworkStack, _counters);
        }
    }

    /// <summary>A vector of one needs no split: it is its verdict's vector.</summary>
    private void GoStraightThrough<TClock>(XdpProgram program, ref TClock clock)
        where TClock : struct, IStageClock
    {
        var verdict = SplitStage.VerdictOf(_outcome->Verdicts[0]);
        _counters->Verdict[(int)verdict]++;
        switch (verdict)
        {
            case XdpAction.Tx:
                _transmit.Run(_vector, _outcome);
                clock.EndOf(Stage.Transmit, _counters);
                break;
            case XdpAction.Redirect:
                _redirect.Run(_vector, _outcome);
                clock.EndOf(Stage.Redirect, _counters);
                break;
            case XdpAction.Pass:
                _stack.Run(_vector, _outcome);
                clock.EndOf(Stage.NetworkStack, _counters);
                break;
            default:
                _counters->Fate[(int)FateOf(verdict)]++;
                break;
        }
    }

    /// <summary>The received packet is too large: no program sees it.</summary>
    private void Lose()
    {
        _outcome->Verdicts[0] = 0;
        _outcome->Fates[0] = Fate.PacketTooLarge;
        _counters->Fate[(int)Fate.PacketTooLarge]++;
    }

    /// <summary>Fills in the fates that follow from the verdicts when nothing is lost.</summary>
    private void FillFates()
    {
        for (var i = 0; i < _vector->Count; i++)
        {
            _outcome->Fates[i] = FateOf(SplitStage.VerdictOf(_outcome->Verdicts[i]));
        }
    }

    private static Fate FateOf(XdpAction verdict) =>
        verdict switch
        {
            XdpAction.Drop => Fate.Dropped,
            XdpAction.Pass => Fate.Passed,
            XdpAction.Tx => Fate.Transmitted,
            XdpAction.Redirect => Fate.Redirected,
            _ => Fate.Aborted,
        };

    private void Reclaim()
    {
        _transmit.Reclaim();
        _redirect.Reclaim();
        _stack.Reclaim();
    }

    /// <summary>Sends off what packets that went straight through left behind.</summary>
    private void Flush<TClock>(ref TClock clock)
        where TClock : struct, IStageClock
    {
        clock.Start();
        _transmit.Flush();
        clock.EndOf(Stage.Transmit, _counters);
        _redirect.Flush();
        clock.EndOf(Stage.Redirect, _counters);
        _stack.Flush();
        clock.EndOf(Stage.NetworkStack, _counters);
    }
}
