using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Numbers for programs on entries of devmaps and cpumaps, from 1, the same in all maps: so that interface and program fit
/// the 8 bytes of an entry, which is then always read whole.
/// </summary>
internal static unsafe class ProgramNumbers
{
    private const int ChunkShift = 10;
    private const int MaxChunks = 1 << 12;

    private static readonly Lock Changing = new();
    private static readonly Dictionary<XdpProgram, Entry> Entries = [];
    private static readonly Stack<uint> Free = [];

    // Chunks of handles, by the number's high bits; they are never freed, so that workers read them without a lock.
    private static readonly nint** Chunks = (nint**)NativeMemory.AllocZeroed(MaxChunks, (nuint)sizeof(nint*));
    private static uint _last;

    private sealed record Entry(uint Number, GCHandle<XdpProgram> Handle)
    {
        internal int Uses { get; set; }
    }

    /// <summary>Hot path: a handle to the program of a number that some map holds; 0 for number 0.</summary>
    internal static nint Handle(uint number) =>
        number == 0 ? 0 : Chunks[number >> ChunkShift][number & ((1 << ChunkShift) - 1)];

    /// <summary>The number of a program, which stays its own until it was released as often as it was acquired.</summary>
    internal static uint Acquire(XdpProgram program)
    {
        lock (Changing)
        {
            if (!Entries.TryGetValue(program, out var entry))
            {
                var number = Free.TryPop(out var unused) ? unused : ++_last;
                if (number >> ChunkShift >= MaxChunks)
                {
                    throw new InvalidOperationException("there are too many programs on entries of maps");
                }
                entry = new Entry(number, new GCHandle<XdpProgram>(program));
                Entries.Add(program, entry);
                ref var chunk = ref Chunks[number >> ChunkShift];
                if (chunk is null)
                {
                    chunk = (nint*)NativeMemory.AllocZeroed(1 << ChunkShift, (nuint)sizeof(nint));
                }
                chunk[number & ((1 << ChunkShift) - 1)] = GCHandle<XdpProgram>.ToIntPtr(entry.Handle);
            }
            entry.Uses++;
            return entry.Number;
        }
    }

    /// <summary>Gives a program's number back; no worker may still use it.</summary>
    internal static void Release(XdpProgram program)
    {
        lock (Changing)
        {
            var entry = Entries[program];
            if (--entry.Uses == 0)
            {
                Entries.Remove(program);
                Free.Push(entry.Number);
                entry.Handle.Dispose();
            }
        }
    }
}
