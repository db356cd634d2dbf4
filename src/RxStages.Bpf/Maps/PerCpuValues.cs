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

    /// <summary>Copies out the value at a slot; a CPU stride of 0 means that there is one for all CPUs.</summary>
    internal static void Read(byte* slot, nuint cpuStride, int cpuCount, Span<byte> value, uint valueSize)
    {
        if (cpuStride == 0)
        {
            new ReadOnlySpan<byte>(slot, (int)valueSize).CopyTo(value);
            return;
        }
        var stride = value.Length / cpuCount;
        for (var cpu = 0; cpu < cpuCount; cpu++)
        {
            new ReadOnlySpan<byte>(slot + ((nuint)cpu * cpuStride), stride).CopyTo(value[(cpu * stride)..]);
        }
    }

    /// <summary>Copies a value in; the reverse of <see cref="Read"/>.</summary>
    internal static void Write(byte* slot, nuint cpuStride, int cpuCount, ReadOnlySpan<byte> value, uint valueSize)
    {
        if (cpuStride == 0)
        {
            value.CopyTo(new Span<byte>(slot, (int)valueSize));
            return;
        }
        var stride = value.Length / cpuCount;
        for (var cpu = 0; cpu < cpuCount; cpu++)
        {
            value.Slice(cpu * stride, stride).CopyTo(new Span<byte>(slot + ((nuint)cpu * cpuStride), stride));
        }
    }
}
