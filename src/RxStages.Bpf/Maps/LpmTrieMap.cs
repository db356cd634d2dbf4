using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>A live LPM trie (kernel/bpf/lpm_trie.c): a key is a prefix length in bits and the data, most significant bit first.</summary>
public sealed unsafe class LpmTrieMap : NativeMap
{
    private readonly LpmTrieHeader* _header;

    internal LpmTrieMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _header = Memory.Reserve<LpmTrieHeader>();
        _header->DataSize = spec.KeySize - sizeof(uint);
        _header->MaxPrefixLength = _header->DataSize * 8;
        // Nodes that part others are fewer than the entries; some nodes wait to be used again.
        var nodes = Math.Min((2ul * spec.MaxEntries) + 128, uint.MaxValue - 1);
        ElementPoolMemory.Reserve(
            &_header->Pool,
            Memory,
            new ElementPoolMemory.Shape(
                spec,
                HeadAndKey: LpmTrieNode.Size + _header->DataSize,
                CpuCount: 0,
                First: 1,
                Last: (uint)nodes,
                IsChunked: true
            )
        );
        Operations = Initialize<LpmTrieOperations>(&_header->Map);
    }

    /// <inheritdoc/>
    public override MapHeader* Header => &_header->Map;

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <inheritdoc/>
    public override bool ContainsValue(byte* address, int size) =>
        ElementPoolMemory.ContainsValue(&_header->Pool, address, size, Spec.ValueSize);

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags)
    {
        fixed (byte* keyBytes = key)
        {
            var found = LpmTrieOperations.LookupElement(Header, null, keyBytes);
            if (found is null)
            {
                return -Errno.ENOENT;
            }
            new ReadOnlySpan<byte>(found, (int)Spec.ValueSize).CopyTo(value);
            return 0;
        }
    }

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        fixed (
            byte* keyBytes = key,
                valueBytes = value
        )
        {
            return (int)LpmTrieOperations.UpdateElement(Header, null, keyBytes, valueBytes, flags);
        }
    }

    internal override int Remove(ReadOnlySpan<byte> key)
    {
        fixed (byte* keyBytes = key)
        {
            return (int)LpmTrieOperations.DeleteElement(Header, null, keyBytes);
        }
    }

    /// <summary>The order is the kernel's: what is more specific comes before what contains it.</summary>
    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next)
    {
        fixed (byte* keyBytes = key)
        {
            LpmTrieOperations.Lock(_header);
            var index = key.IsEmpty ? First(_header->Root) : NextIndex(keyBytes);
            if (index != 0)
            {
                var node = LpmTrieOperations.Node(_header, index);
                MemoryMarshal.Write(next, node->PrefixLength);
                new ReadOnlySpan<byte>(LpmTrieNode.Data(node), (int)_header->DataSize).CopyTo(next[sizeof(uint)..]);
            }
            LpmTrieOperations.Unlock(_header);
            return index == 0 ? -Errno.ENOENT : 0;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            ElementPoolMemory.FreeChunks(&_header->Pool);
        }
        base.Dispose(disposing);
    }

    // The first node in the order, below and with a node; its leftmost leaf.
    private uint First(uint index)
    {
        while (index != 0)
        {
            var node = LpmTrieOperations.Node(_header, index);
            var below = node->Children[0] != 0 ? node->Children[0] : node->Children[1];
            if (below == 0)
            {
                return index;
            }
            index = below;
        }
        return 0;
    }

    // The entry behind a key's; the first when the key is not there.
    private uint NextIndex(byte* key)
    {
        var length = *(uint*)key;
        if (length > _header->MaxPrefixLength)
        {
            return First(_header->Root);
        }
        var path = new Stack<uint>();
        var index = _header->Root;
        while (index != 0)
        {
            var node = LpmTrieOperations.Node(_header, index);
            var common = LpmTrieOperations.CommonPrefix(node, Math.Min(node->PrefixLength, length), key + sizeof(uint));
            if (common != node->PrefixLength || node->PrefixLength >= length)
            {
                break;
            }
            path.Push(index);
            index = node->Children[LpmTrieOperations.Bit(key + sizeof(uint), node->PrefixLength)];
        }
        if (index == 0 || !IsEntry(index, key, length))
        {
            return First(_header->Root);
        }
        while (path.TryPop(out var parent))
        {
            var node = LpmTrieOperations.Node(_header, parent);
            if (node->Children[0] == index && node->Children[1] != 0)
            {
                return First(node->Children[1]);
            }
            if (node->IsIntermediate == 0)
            {
                return parent;
            }
            index = parent;
        }
        return 0;
    }

    private bool IsEntry(uint index, byte* key, uint length)
    {
        var node = LpmTrieOperations.Node(_header, index);
        return node->IsIntermediate == 0
            && node->PrefixLength == length
            && LpmTrieOperations.CommonPrefix(node, length, key + sizeof(uint)) == length;
    }
}
