using System.Buffers.Binary;

namespace RxStages.Fuzz.Tests;

/// <summary>Breaks the instructions of an object file and leaves the rest of it whole, so that the verifier has something to do.</summary>
internal static class InstructionMutations
{
    private const int Slot = 8;

    /// <summary>Immediates and offsets at which proofs fail, if they do.</summary>
    private static readonly int[] s_edges =
    [
        0,
        1,
        -1,
        2,
        4,
        8,
        14,
        31,
        32,
        63,
        64,
        255,
        256,
        511,
        512,
        -8,
        -511,
        -512,
        -520,
        0x7fff,
        -0x8000,
        0xffff,
        0x10000,
        int.MaxValue,
        int.MinValue,
    ];

    /// <summary>Where an object file's executable sections are.</summary>
    public static (int Start, int Length)[] CodeOf(byte[] file)
    {
        var sections = new List<(int, int)>();
        var table = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(0x28));
        var count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(0x3c));
        for (var i = 0; i < count; i++)
        {
            var header = file.AsSpan(table + (i * 64), 64);
            var type = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            var flags = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(header[0x20..]);
            if (type == 1 && (flags & 4) != 0 && length >= Slot)
            {
                sections.Add(((int)BinaryPrimitives.ReadUInt64LittleEndian(header[0x18..]), length));
            }
        }
        return [.. sections];
    }

    /// <summary>The file with one to three instructions changed: a field replaced, a neighbour repeated, two exchanged.</summary>
    public static byte[] Mutate(byte[] file, (int Start, int Length)[] code, int seed)
    {
        var random = new Random(seed);
        byte[] bytes = [.. file];
        if (code.Length == 0)
        {
            return bytes;
        }
        for (var places = random.Next(1, 4); places > 0; places--)
        {
            var (start, length) = code[random.Next(code.Length)];
            var at = bytes.AsSpan(start + (random.Next(length / Slot) * Slot), Slot);
            var other = bytes.AsSpan(start + (random.Next(length / Slot) * Slot), Slot);
            switch (random.Next(9))
            {
                case 0:
                    at[0] = (byte)random.Next(256);
                    break;
                case 1:
                    // Another operation of the same class, mostly.
                    at[0] ^= (byte)(0x10 << random.Next(4));
                    break;
                case 2:
                    at[1] = (byte)(random.Next(11) | (random.Next(11) << 4));
                    break;
                case 3:
                    BinaryPrimitives.WriteInt16LittleEndian(at[2..], (short)s_edges[random.Next(s_edges.Length)]);
                    break;
                case 4:
                    at[2] += (byte)random.Next(-4, 5);
                    break;
                case 5:
                    BinaryPrimitives.WriteInt32LittleEndian(at[4..], s_edges[random.Next(s_edges.Length)]);
                    break;
                case 6:
                    at[4] += (byte)random.Next(-2, 3);
                    break;
                case 7:
                    other.CopyTo(at);
                    break;
                default:
                    byte[] kept = [.. at];
                    other.CopyTo(at);
                    kept.CopyTo(other);
                    break;
            }
        }
        return bytes;
    }
}
