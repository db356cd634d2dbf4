using System.Runtime.CompilerServices;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Values as the system call sees them: one value, or for per-CPU maps one for each CPU in a row, each rounded up to 8
/// bytes, which the slots have too; the bytes behind a value are kept (<c>bpf_percpu_array_copy</c>,
/// <c>bpf_percpu_array_update</c>).
/// </summary>
internal static unsafe class PerCpuValues
{
    /// <summary>
    /// Hot path: the address of a CPU's value of a key, in any map with values per CPU; null if the key or the CPU is not
    /// there (<c>map_lookup_percpu_elem</c>).
    /// </summary>
    internal static byte* Find(MapHeader* map, byte* key, uint cpu)
    {
        if (cpu >= (uint)map->CpuCount)
        {
            return null;
        }
        if (map->Type == MapType.PercpuArray)
        {
            var array = (ArrayHeader*)map;
            var place = Unsafe.ReadUnaligned<uint>(key);
            return place < map->MaxEntries ? array->Values + (cpu * array->CpuStride) + (place * array->Stride) : null;
        }
        var table = (HashHeader*)map;
        var index = table->Find(table, key);
        if (index == 0)
        {
            return null;
        }
        if (map->Type == MapType.LruPercpuHash)
        {
            LruElement.Mark(ElementPool.Element(&table->Pool, index));
        }
        return ElementPool.Value(&table->Pool, index, (int)cpu);
    }

    /// <summary>
    /// Copies out the value at a slot, zeros where fields belong to the kernel; a CPU stride of 0 means that there is one for
    /// all CPUs, which <see cref="UpdateFlags.Lock"/> copies while its lock is held.
    /// </summary>
    internal static void Read(MapHeader* map, byte* slot, nuint cpuStride, Span<byte> value, ulong flags)
    {
        fixed (byte* bytes = value)
        {
            if (cpuStride == 0)
            {
                if ((flags & UpdateFlags.Lock) != 0)
                {
                    WordLock.Enter(ValueFields.Lock(map, slot));
                }
                Unsafe.CopyBlockUnaligned(bytes, slot, map->ValueSize);
                if ((flags & UpdateFlags.Lock) != 0)
                {
                    WordLock.Exit(ValueFields.Lock(map, slot));
                }
                ValueFields.Clear(map, bytes);
                return;
            }
            var stride = value.Length / map->CpuCount;
            for (var cpu = 0; cpu < map->CpuCount; cpu++)
            {
                var to = bytes + (cpu * stride);
                Unsafe.CopyBlockUnaligned(to, slot + ((nuint)cpu * cpuStride), (uint)stride);
                ValueFields.Clear(map, to);
            }
        }
    }

    /// <summary>Copies values of all CPUs in, with the bytes behind each; the reverse of <see cref="Read"/>.</summary>
    internal static void Write(MapHeader* map, byte* slot, nuint cpuStride, byte* value)
    {
        var stride = (map->ValueSize + 7) & ~7u;
        for (var cpu = 0; cpu < map->CpuCount; cpu++)
        {
            var to = slot + ((nuint)cpu * cpuStride);
            var from = value + ((nuint)cpu * stride);
            ValueFields.Copy(map, to, from);
            Unsafe.CopyBlockUnaligned(to + map->ValueSize, from + map->ValueSize, stride - map->ValueSize);
        }
    }
}
