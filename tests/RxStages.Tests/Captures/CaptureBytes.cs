namespace RxStages.Tests.Captures;

/// <summary>Makes capture files by hand, byte by byte, in either byte order: written without the code under test.</summary>
public sealed class CaptureBytes(bool bigEndian)
{
    private readonly List<byte> _bytes = [];

    public byte[] ToArray() => [.. _bytes];

    public CaptureBytes UInt8(params byte[] values)
    {
        _bytes.AddRange(values);
        return this;
    }

    public CaptureBytes UInt16(params int[] values)
    {
        Array.ForEach(values, value => Number((ulong)value, 2));
        return this;
    }

    public CaptureBytes UInt32(params long[] values)
    {
        Array.ForEach(values, value => Number((ulong)value, 4));
        return this;
    }

    public CaptureBytes UInt64(ulong value)
    {
        Number(value, 8);
        return this;
    }

    public CaptureBytes PcapHeader(long magic, long snapLength = 65535, long link = 1, int major = 2, int minor = 4) =>
        UInt32(magic).UInt16(major, minor).UInt32(0, 0, snapLength, link);

    public CaptureBytes PcapPacket(long seconds, long fraction, byte[] data, long? original = null) =>
        UInt32(seconds, fraction, data.Length, original ?? data.Length).UInt8(data);

    public CaptureBytes Block(long type, Action<CaptureBytes> body)
    {
        var inner = new CaptureBytes(bigEndian);
        body(inner);
        inner.Pad();
        var length = inner._bytes.Count + 12;
        return UInt32(type, length).UInt8(inner.ToArray()).UInt32(length);
    }

    public CaptureBytes SectionHeader(int major = 1, int minor = 0) =>
        Block(0x0a0d0d0a, block => block.UInt32(0x1a2b3c4d).UInt16(major, minor).UInt64(ulong.MaxValue));

    public CaptureBytes Interface(int link = 1, long snapLength = 0, Action<CaptureBytes>? options = null) =>
        Block(
            1,
            block =>
            {
                block.UInt16(link, 0).UInt32(snapLength);
                options?.Invoke(block);
            }
        );

    public CaptureBytes EnhancedPacket(
        int captureInterface,
        ulong ticks,
        byte[] data,
        long? original = null,
        Action<CaptureBytes>? options = null
    ) =>
        Block(
            6,
            block =>
            {
                block.UInt32(captureInterface, (long)(ticks >> 32), (long)(ticks & uint.MaxValue));
                block.UInt32(data.Length, original ?? data.Length).UInt8(data).Pad();
                options?.Invoke(block);
            }
        );

    public CaptureBytes Option(int code, Action<CaptureBytes> value)
    {
        var inner = new CaptureBytes(bigEndian);
        value(inner);
        return UInt16(code, inner._bytes.Count).UInt8(inner.ToArray()).Pad();
    }

    public CaptureBytes Option(int code, params byte[] value) => Option(code, bytes => bytes.UInt8(value));

    private CaptureBytes Pad()
    {
        while (_bytes.Count % 4 != 0)
        {
            _bytes.Add(0);
        }
        return this;
    }

    private void Number(ulong value, int size)
    {
        for (var i = 0; i < size; i++)
        {
            _bytes.Add((byte)(value >> (8 * (bigEndian ? size - 1 - i : i))));
        }
    }
}
