namespace RxStages.TrafficGenerator;

/// <summary>
/// The SplitMix64 generator: the same numbers for the same seed with every version of .NET, which <see cref="Random"/>
/// does not promise.
/// </summary>
public sealed class Randomness(ulong seed)
{
    private ulong _state = seed;

    /// <summary>Any number of 64 bits.</summary>
    public ulong Next()
    {
        _state += 0x9e3779b97f4a7c15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>A number from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public int Between(int low, int high) => low + (int)(Next() % (ulong)(high - low + 1));

    /// <summary>True in so many of a hundred cases.</summary>
    public bool Percent(int chance) => Between(0, 99) < chance;

    /// <summary>One of the choices, all as likely.</summary>
    public T Pick<T>(ReadOnlySpan<T> choices) => choices[Between(0, choices.Length - 1)];

    /// <summary>So many bytes.</summary>
    public byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
        {
            bytes[i] = (byte)Next();
        }
        return bytes;
    }

    /// <summary>A client's port.</summary>
    public ushort EphemeralPort() => (ushort)Between(32768, 60999);
}
