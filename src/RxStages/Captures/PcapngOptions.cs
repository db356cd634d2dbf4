namespace RxStages.Captures;

/// <summary>Goes through the options at the end of a pcapng block: code, length, value, padding.</summary>
internal ref struct PcapngOptions(ReadOnlySpan<byte> rest, ByteOrder order)
{
    private ReadOnlySpan<byte> _rest = rest;

    /// <summary>The present option's code.</summary>
    public ushort Code { get; private set; }

    /// <summary>The present option's value, without padding.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>True when the present option claims to be longer than what is left.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Goes to the next option; false after the last.</summary>
    public bool TryNext()
    {
        if (_rest.Length < 4)
        {
            return false;
        }
        Code = order.ReadUInt16(_rest);
        if (Code == Pcapng.EndOfOptions)
        {
            return false;
        }
        var length = order.ReadUInt16(_rest[2..]);
        var padded = Pcapng.Padded(length);
        _rest = _rest[4..];
        IsBroken = padded > _rest.Length;
        if (!IsBroken)
        {
            Value = _rest[..length];
            _rest = _rest[padded..];
        }
        return true;
    }
}
