namespace RxStages.Fuzz.Tests;

/// <summary>Breaks files at random, the same way for the same seed.</summary>
internal static class Mutations
{
    /// <summary>Numbers at which readers of lengths, counts and offsets fail, if they do.</summary>
    private static readonly uint[] Edges =
    [
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x10000,
        0x40000,
        0x40001,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fff0,
        0xffff_fffc,
        0xffff_ffff,
    ];

    /// <summary>The file, broken in one to four places: bits flipped, numbers replaced, bytes cut out, put in, or cut off.</summary>
    public static byte[] Mutate(byte[] file, int seed)
    {
        var random = new Random(seed);
        var bytes = new List<byte>(file);
        for (var places = random.Next(1, 5); places > 0 && bytes.Count > 8; places--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0 or 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    ReplaceNumber(bytes, at, random);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 40), bytes.Count - at));
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>The file, of the same length, with bits flipped or numbers replaced in one to four places.</summary>
    public static byte[] MutateInPlace(byte[] file, int seed)
    {
        var random = new Random(seed);
        byte[] bytes = [.. file];
        for (var places = random.Next(1, 5); places > 0; places--)
        {
            var at = random.Next(bytes.Length);
            if (random.Next(2) == 0)
            {
                bytes[at] ^= (byte)(1 << random.Next(8));
            }
            else
            {
                ReplaceNumber(bytes, at, random);
            }
        }
        return bytes;
    }

    private static void ReplaceNumber(IList<byte> bytes, int at, Random random)
    {
        at &= ~3;
        var number = Edges[random.Next(Edges.Length)];
        for (var i = 0; i < 4 && at + i < bytes.Count; i++)
        {
            bytes[at + i] = (byte)(number >> (8 * i));
        }
    }
}
