using RxStages.Bpf.Errors;
using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Packets;

namespace RxStages.Ports;

/// <summary>Receives the packets of several capture files, one after the other, as if they were one.</summary>
public sealed unsafe class CaptureSeries : IReceiveQueue, IDisposable
{
    private readonly string[] _paths;
    private readonly int _repeat;
    private readonly uint _ifindex;
    private readonly uint _queue;
    private readonly InterfaceList _interfaces;
    private CaptureReader _reader;
    private CaptureReceivePort _port;
    private int _opened = 1;
    private uint _received;

    /// <summary>Opens the first capture; the others are opened when their turn comes.</summary>
    /// <param name="paths">The files, at least one; <c>-</c> is the standard input.</param>
    /// <param name="repeat">How often the whole series is read, at least once.</param>
    /// <param name="pool">Where frames come from, with at least one side buffer.</param>
    /// <param name="ifindex">The interface index that programs see.</param>
    /// <param name="queue">The receive queue that programs see.</param>
    /// <exception cref="InputException">The first capture cannot be read.</exception>
    public CaptureSeries(IEnumerable<string> paths, int repeat, FramePool pool, uint ifindex = 1, uint queue = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeat, 1);
        (_paths, _repeat, Pool, _ifindex, _queue) = ([.. paths], repeat, pool, ifindex, queue);
        ArgumentOutOfRangeException.ThrowIfZero(_paths.Length, nameof(paths));
        _interfaces = new InterfaceList(_paths.Length);
        (_reader, _port) = Open(0);
    }

    /// <inheritdoc/>
    public FramePool Pool { get; }

    /// <summary>
    /// The interfaces of all captures up to here, one capture's after the other's: what packets' origins number. Grows.
    /// </summary>
    public IReadOnlyList<CaptureInterface> Interfaces => _interfaces;

    /// <inheritdoc/>
    public bool IsFinished => _port.IsFinished && _opened == (long)_paths.Length * _repeat;

    /// <summary>How much of the series is read, from 0 to 1; null where a file's length is not known.</summary>
    public double? Progress => (_opened - 1 + _reader.Progress) / ((double)_paths.Length * _repeat);

    /// <inheritdoc/>
    /// <exception cref="InputException">A capture is broken here; the packets before have all been received.</exception>
    public int Receive(XdpBuff** packets, int max)
    {
        while (_port.IsFinished && !IsFinished)
        {
            _reader.Dispose();
            (_reader, _port) = Open(_opened % _paths.Length);
            _opened++;
        }
        var count = _port.Receive(packets, max);
        for (var i = 0; i < Math.Abs(count); i++)
        {
            packets[i]->Origin = _interfaces.Number(packets[i]->Origin);
            packets[i]->Sequence = _received++;
        }
        return count;
    }

    /// <inheritdoc/>
    public int PrefetchReady(int max) => _port.PrefetchReady(max);

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private (CaptureReader, CaptureReceivePort) Open(int index)
    {
        var reader = CaptureReader.Open(_paths[index]);
        _interfaces.Begin(index, reader.Interfaces);
        return (reader, new CaptureReceivePort(reader, Pool, _ifindex, _queue));
    }

    /// <summary>The interfaces of all captures as one list; the same capture read again adds none.</summary>
    private sealed class InterfaceList(int captures) : IReadOnlyList<CaptureInterface>
    {
        private readonly List<CaptureInterface> _all = [];
        private readonly List<uint>[] _numbers = [.. Enumerable.Range(0, captures).Select(_ => new List<uint>())];
        private IReadOnlyList<CaptureInterface> _present = [];
        private int _capture;

        public int Count => _all.Count;

        public CaptureInterface this[int index] => _all[index];

        public void Begin(int capture, IReadOnlyList<CaptureInterface> interfaces) =>
            (_capture, _present) = (capture, interfaces);

        /// <summary>The number in this list of an interface of the present capture.</summary>
        public uint Number(uint origin)
        {
            var numbers = _numbers[_capture];
            while (numbers.Count <= origin)
            {
                _all.Add(_present[numbers.Count]);
                numbers.Add((uint)(_all.Count - 1));
            }
            return numbers[(int)origin];
        }

        public IEnumerator<CaptureInterface> GetEnumerator() => _all.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
