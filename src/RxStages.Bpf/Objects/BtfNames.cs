using System.Runtime.CompilerServices;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Finds types by name, without their <c>___flavor</c>. Made once for a <see cref="Btf"/>, in a pass that makes no
/// strings: a kernel has 150,000 types, and objects ask for a few.
/// </summary>
internal sealed class BtfNames
{
    private readonly Btf _btf;
    private readonly int[] _heads;
    private readonly int[] _next;

    /// <summary>Looks at all types.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public BtfNames(Btf btf)
    {
        _btf = btf;
        _heads = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)btf.Count)];
        _next = new int[btf.Count];
        // From the last to the first, so that chains are in the order of ids.
        for (var id = btf.Count - 1; id > 0; id--)
        {
            var name = Plain(btf.NameBytes(id));
            if (!name.IsEmpty)
            {
                ref var head = ref _heads[Bucket(name)];
                _next[id] = head;
                head = id;
            }
        }
    }

    /// <summary>The ids of all types of that name, in order.</summary>
    public IEnumerable<int> Find(string name)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(name);
        for (var id = bytes.Length == 0 ? 0 : _heads[Bucket(bytes)]; id != 0; id = _next[id])
        {
            if (Plain(_btf.NameBytes(id)).SequenceEqual(bytes))
            {
                yield return id;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> name)
    {
        var flavor = name.LastIndexOf("___"u8);
        return flavor < 0 ? name : name[..Externs.EssentialLength(name)];
    }

    // Random for each process: names cannot be chosen to share a chain.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Bucket(ReadOnlySpan<byte> name)
    {
        var hash = new HashCode();
        hash.AddBytes(name);
        return hash.ToHashCode() & (_heads.Length - 1);
    }
}
