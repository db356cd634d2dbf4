using System.Text.Json;
using RxStages.Bpf.Runtime;
using RxStages.Cli.Shared;
using RxStages.Packets;
using RxStages.Telemetry;

namespace RxStages.Cli.Replay;

/// <summary>Writes one JSON object per packet and line. The form is documented in docs/replay-output.md.</summary>
internal sealed unsafe class JsonPacketLog : IPacketObserver, IDisposable
{
    private const int BufferSize = 1 << 16;

    private readonly BufferedStream _output;
    private readonly Utf8JsonWriter _writer;
    private readonly bool _withData;
    private byte[] _hex = [];
    private long _packet;

    public JsonPacketLog(Stream output, bool withData)
    {
        _output = new BufferedStream(output, BufferSize);
        _writer = new Utf8JsonWriter(_output, JsonOutput.Options);
        _withData = withData;
    }

    public void Observe(XdpBuff** packets, uint* verdicts, Fate* fates, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Write(packets[i], verdicts[i], fates[i]);
            EndLine();
        }
    }

    /// <summary>Writes one value and a line break.</summary>
    public void Write(Action<Utf8JsonWriter> write)
    {
        write(_writer);
        EndLine();
    }

    public void Dispose()
    {
        _writer.Dispose();
        _output.Dispose();
    }

    private void EndLine()
    {
        _writer.Flush();
        _writer.Reset();
        _output.WriteByte((byte)'\n');
    }

    private void Write(XdpBuff* packet, uint verdict, Fate fate)
    {
        _writer.WriteStartObject();
        _writer.WriteNumber("packet"u8, _packet++);
        _writer.WriteNumber("length"u8, packet->ReceivedLength);
        if (fate == Fate.PacketTooLarge)
        {
            _writer.WriteNull("return"u8);
            _writer.WriteNull("verdict"u8);
        }
        else
        {
            _writer.WriteNumber("return"u8, verdict);
            _writer.WriteString("verdict"u8, VerdictNames.NameOf(verdict));
        }
        _writer.WriteString("fate"u8, fate.Name());
        _writer.WriteNumber("outLength"u8, packet->Length);
        if (_withData)
        {
            var linear = PacketBytes.Linear(packet);
            var fragments = PacketBytes.Fragments(packet);
            var length = 2 * (linear.Length + fragments.Length);
            if (_hex.Length < length)
            {
                _hex = new byte[length];
            }
            Convert.TryToHexStringLower(linear, _hex, out var written);
            Convert.TryToHexStringLower(fragments, _hex.AsSpan(written), out _);
            _writer.WriteString("data"u8, _hex.AsSpan(0, length));
        }
        _writer.WriteEndObject();
    }
}
