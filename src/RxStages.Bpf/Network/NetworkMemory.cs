using System.Runtime.InteropServices;

namespace RxStages.Bpf.Network;

/// <summary>
/// Native memory for entries that programs get pointers to: zeroed, never moved, freed with its owner, which workers
/// share and none of them is the last to know. The system hands out its pages as they are touched.
/// </summary>
internal sealed unsafe class NetworkMemory : SafeHandle
{
    private const int CacheLine = 64;

    private readonly byte* _start;

    private NetworkMemory(int count, int size)
        : base(0, ownsHandle: true)
    {
        Count = count;
        EntrySize = (size + CacheLine - 1) / CacheLine * CacheLine;
        _start = (byte*)NativeMemory.AllocZeroed((nuint)count, (nuint)EntrySize);
        SetHandle((nint)_start);
    }

    /// <summary>How many entries there are.</summary>
    public int Count { get; }

    /// <summary>Bytes from one entry to the next.</summary>
    public int EntrySize { get; }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The address of an entry.</summary>
    public byte* this[int index] => _start + ((nint)index * EntrySize);

    /// <summary>Takes memory for entries.</summary>
    /// <param name="count">How many.</param>
    /// <param name="size">Bytes of one.</param>
    public static NetworkMemory Allocate(int count, int size) => new(count, size);

    /// <summary>The entry that an address is in, or -1.</summary>
    public int IndexOf(void* address) =>
        address >= _start && address < _start + ((nint)Count * EntrySize)
            ? (int)(((byte*)address - _start) / EntrySize)
            : -1;

    /// <summary>How many bytes there are from an address to its entry's end; 0 if it is in none.</summary>
    public int BytesFrom(void* address) =>
        IndexOf(address) is var index && index < 0 ? 0 : (int)(this[index] + EntrySize - (byte*)address);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.Free(_start);
        return true;
    }
}
