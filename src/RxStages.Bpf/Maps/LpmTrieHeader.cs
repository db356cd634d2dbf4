using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of an LPM trie.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LpmTrieHeader
{
    internal MapHeader Map;

    /// <summary>The root's number, or 0.</summary>
    internal uint Root;

    /// <summary>The <see cref="VersionLock"/> of updates.</summary>
    internal uint Version;

    /// <summary>How many entries there are.</summary>
    internal uint Count;

    /// <summary>Bytes of data in a key, behind its prefix length.</summary>
    internal uint DataSize;

    /// <summary>Bits of data in a key.</summary>
    internal uint MaxPrefixLength;

    /// <summary>Nodes taken out, the oldest first, linked by their first child; used again only when there are many.</summary>
    internal uint FirstFree;
    internal uint LastFree;
    internal uint FreeCount;

    internal ElementPool Pool;
}

/// <summary>A node of an LPM trie: the head of its element; the data and then, aligned to 8, the value follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LpmTrieNode
{
    /// <summary>The nodes whose prefix goes on with 0 and with 1; 0 where there is none.</summary>
    internal fixed uint Children[2];

    internal uint PrefixLength;

    /// <summary>1 for a node that only parts two others and has no value.</summary>
    internal uint IsIntermediate;

    /// <summary>Bytes in front of the data.</summary>
    internal const int Size = 16;

    internal static byte* Data(LpmTrieNode* node) => (byte*)node + Size;
}
