using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Hot path of LPM tries (kernel/bpf/lpm_trie.c): a binary trie with compressed paths. Look-ups take no lock; one that met
/// an update walks again. Updates are one at a time; an update of a prefix that is there puts another node in its place.
/// </summary>
internal readonly unsafe struct LpmTrieOperations : IMapOperations
{
    // Nodes taken out are used again only when there are so many: programs may still hold their values' addresses.
    private const uint Quarantine = 64;

    private const int MaxAttempts = 16;

    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var trie = (LpmTrieHeader*)map;
        var length = Unsafe.ReadUnaligned<uint>(key);
        var data = key + sizeof(uint);
        if (length > trie->MaxPrefixLength)
        {
            return null;
        }
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var version = Volatile.Read(ref trie->Version);
            var found = Walk(trie, length, data);
            Volatile.ReadBarrier();
            if ((version & 1) == 0 && trie->Version == version)
            {
                return found;
            }
        }
        Lock(trie);
        var value = Walk(trie, length, data);
        Unlock(trie);
        return value;
    }

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags)
    {
        var trie = (LpmTrieHeader*)map;
        // Read once: a key may lie in a map value that another worker changes.
        var length = Unsafe.ReadUnaligned<uint>(key);
        if (flags > UpdateFlags.Exist || length > trie->MaxPrefixLength)
        {
            return -Errno.EINVAL;
        }
        Lock(trie);
        var error = Update(trie, length, key + sizeof(uint), value, flags);
        Unlock(trie);
        return error;
    }

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var trie = (LpmTrieHeader*)map;
        var length = Unsafe.ReadUnaligned<uint>(key);
        if (length > trie->MaxPrefixLength)
        {
            return -Errno.EINVAL;
        }
        Lock(trie);
        var error = Delete(trie, length, key + sizeof(uint));
        Unlock(trie);
        return error;
    }

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    internal static LpmTrieNode* Node(LpmTrieHeader* trie, uint index) =>
        (LpmTrieNode*)ChunkedStore.Element(&trie->Pool, index);

    internal static void Lock(LpmTrieHeader* trie) => VersionLock.Enter(&trie->Version);

    internal static void Unlock(LpmTrieHeader* trie) => VersionLock.Exit(&trie->Version);

    /// <summary>How many of the first <paramref name="limit"/> bits a node's prefix and a key's data have in common.</summary>
    internal static uint CommonPrefix(LpmTrieNode* node, uint limit, byte* data)
    {
        var left = LpmTrieNode.Data(node);
        var right = data;
        var size = (limit + 7) / 8;
        uint bits = 0;
        for (; size >= 8; size -= 8, left += 8, right += 8, bits += 64)
        {
            var difference = Unsafe.ReadUnaligned<ulong>(left) ^ Unsafe.ReadUnaligned<ulong>(right);
            if (difference != 0)
            {
                bits += (uint)BitOperations.LeadingZeroCount(BinaryPrimitives.ReverseEndianness(difference));
                return Math.Min(bits, limit);
            }
        }
        if (size >= 4)
        {
            var difference = Unsafe.ReadUnaligned<uint>(left) ^ Unsafe.ReadUnaligned<uint>(right);
            if (difference != 0)
            {
                bits += (uint)BitOperations.LeadingZeroCount(BinaryPrimitives.ReverseEndianness(difference));
                return Math.Min(bits, limit);
            }
            size -= 4;
            left += 4;
            right += 4;
            bits += 32;
        }
        for (; size > 0; size--, left++, right++, bits += 8)
        {
            var difference = (uint)(*left ^ *right);
            if (difference != 0)
            {
                return Math.Min(bits + (uint)BitOperations.LeadingZeroCount(difference) - 24, limit);
            }
        }
        return limit;
    }

    /// <summary>A bit of a key's or node's data, 0 or 1; bit 0 is the first byte's highest.</summary>
    internal static uint Bit(byte* data, uint index) => (uint)(data[index / 8] >> (int)(7 - (index % 8))) & 1;

    private static byte* Walk(LpmTrieHeader* trie, uint keyLength, byte* data)
    {
        LpmTrieNode* found = null;
        var index = Volatile.Read(ref trie->Root);
        for (long above = -1; index != 0; )
        {
            var node = Node(trie, index);
            var length = node->PrefixLength;
            // Under an update a node may already be another one's; prefixes that grow on the way end every walk.
            if (length <= above)
            {
                break;
            }
            var common = CommonPrefix(node, Math.Min(length, keyLength), data);
            if (common < length)
            {
                break;
            }
            if (node->IsIntermediate == 0)
            {
                found = node;
            }
            if (length == trie->MaxPrefixLength)
            {
                break;
            }
            above = length;
            index = Volatile.Read(ref node->Children[Bit(data, length)]);
        }
        return found is null ? null : (byte*)found + trie->Pool.ValueOffset;
    }

    private static long Update(LpmTrieHeader* trie, uint length, byte* data, byte* value, ulong flags)
    {
        uint common = 0;
        LpmTrieNode* node = null;
        var place = &trie->Root;
        while (*place != 0)
        {
            node = Node(trie, *place);
            common = CommonPrefix(node, Math.Min(node->PrefixLength, length), data);
            if (common != node->PrefixLength || node->PrefixLength == length)
            {
                break;
            }
            place = &node->Children[Bit(data, node->PrefixLength)];
        }
        var isSame = *place != 0 && common == node->PrefixLength;
        var exists = isSame && node->IsIntermediate == 0;
        var error = UpdateFlags.Check(flags, exists);
        if (error != 0)
        {
            return error;
        }
        if (!exists && trie->Count == trie->Map.MaxEntries)
        {
            return -Errno.ENOSPC;
        }

        var fresh = Take(trie);
        if (fresh == 0)
        {
            return -Errno.ENOMEM;
        }
        var freshNode = Node(trie, fresh);
        Fill(trie, freshNode, length, data);
        ValueFields.Initialize(&trie->Map, (byte*)freshNode + trie->Pool.ValueOffset, value);
        var below = *place;
        if (isSame)
        {
            freshNode->Children[0] = node->Children[0];
            freshNode->Children[1] = node->Children[1];
            Volatile.Write(ref *place, fresh);
            Return(trie, below);
        }
        else if (below == 0)
        {
            Volatile.Write(ref *place, fresh);
        }
        else if (common == length)
        {
            freshNode->Children[Bit(LpmTrieNode.Data(node), common)] = below;
            Volatile.Write(ref *place, fresh);
        }
        else
        {
            var parting = Take(trie);
            if (parting == 0)
            {
                Return(trie, fresh);
                return -Errno.ENOMEM;
            }
            var partingNode = Node(trie, parting);
            Fill(trie, partingNode, common, LpmTrieNode.Data(node));
            partingNode->IsIntermediate = 1;
            var bit = Bit(data, common);
            partingNode->Children[bit] = fresh;
            partingNode->Children[1 - bit] = below;
            Volatile.Write(ref *place, parting);
        }
        trie->Count += exists ? 0u : 1u;
        return 0;
    }

    private static long Delete(LpmTrieHeader* trie, uint length, byte* data)
    {
        uint* parentPlace = null;
        var place = &trie->Root;
        LpmTrieNode* node = null;
        while (*place != 0)
        {
            node = Node(trie, *place);
            var common = CommonPrefix(node, Math.Min(node->PrefixLength, length), data);
            if (common != node->PrefixLength)
            {
                return -Errno.ENOENT;
            }
            if (node->PrefixLength == length)
            {
                break;
            }
            parentPlace = place;
            place = &node->Children[Bit(data, node->PrefixLength)];
        }
        if (*place == 0 || node->IsIntermediate != 0)
        {
            return -Errno.ENOENT;
        }

        trie->Count--;
        var (zero, one) = (node->Children[0], node->Children[1]);
        if (zero != 0 && one != 0)
        {
            node->IsIntermediate = 1;
            return 0;
        }
        var index = *place;
        if (zero == 0 && one == 0 && parentPlace is not null && Node(trie, *parentPlace)->IsIntermediate != 0)
        {
            // The parent parted two, and one of them goes: it goes too.
            var parent = *parentPlace;
            var parentNode = Node(trie, parent);
            var other = parentNode->Children[0] == index ? parentNode->Children[1] : parentNode->Children[0];
            Volatile.Write(ref *parentPlace, other);
            Return(trie, parent);
        }
        else
        {
            Volatile.Write(ref *place, zero | one);
        }
        Return(trie, index);
        return 0;
    }

    private static void Fill(LpmTrieHeader* trie, LpmTrieNode* node, uint length, byte* data)
    {
        *node = new LpmTrieNode { PrefixLength = length };
        Unsafe.CopyBlockUnaligned(LpmTrieNode.Data(node), data, trie->DataSize);
    }

    private static uint Take(LpmTrieHeader* trie)
    {
        var index = trie->FreeCount > Quarantine ? 0 : ElementPool.TakeUnused(&trie->Pool);
        if (index == 0 && trie->FreeCount != 0)
        {
            index = trie->FirstFree;
            trie->FirstFree = Node(trie, index)->Children[0];
            trie->FreeCount--;
        }
        return index;
    }

    private static void Return(LpmTrieHeader* trie, uint index)
    {
        Node(trie, index)->Children[0] = 0;
        if (trie->FreeCount++ == 0)
        {
            trie->FirstFree = index;
        }
        else
        {
            Node(trie, trie->LastFree)->Children[0] = index;
        }
        trie->LastFree = index;
    }
}
