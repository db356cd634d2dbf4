using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Maps;

/// <summary>A map with both its sides: what programs do, as one of several CPUs, and what system calls do.</summary>
internal sealed unsafe class MapBench : IDisposable
{
    private readonly BpfRuntime* _runtime = (BpfRuntime*)NativeMemory.AllocZeroed((nuint)sizeof(BpfRuntime));

    internal MapBench(MapSpec spec, int cpus = 2) => Map = MapFactory.Create(spec, new MapOptions { CpuCount = cpus });

    internal MapBench(MapType type, uint keySize, uint valueSize, uint entries, MapFlags flags = MapFlags.None)
        : this(Spec(type, keySize, valueSize, entries, flags)) { }

    internal NativeMap Map { get; }

    internal BpfRuntime* Runtime => _runtime;

    internal int Cpu
    {
        set => _runtime->Cpu = value;
    }

    internal static MapSpec Spec(
        MapType type,
        uint keySize,
        uint valueSize,
        uint entries,
        MapFlags flags = MapFlags.None
    ) =>
        new()
        {
            Name = "m",
            Type = type,
            KeySize = keySize,
            ValueSize = valueSize,
            MaxEntries = entries,
            Flags = flags,
        };

    internal byte* Address(byte[] key)
    {
        fixed (byte* k = key)
        {
            return Map.Header->LookupElement(Map.Header, _runtime, k);
        }
    }

    internal byte[]? Lookup(byte[] key)
    {
        var value = Address(key);
        return value is null ? null : new ReadOnlySpan<byte>(value, (int)Map.Spec.ValueSize).ToArray();
    }

    internal long Update(byte[] key, byte[] value, ulong flags = UpdateFlags.Any)
    {
        fixed (
            byte* k = key,
                v = value
        )
        {
            return Map.Header->UpdateElement(Map.Header, _runtime, k, v, flags);
        }
    }

    internal long Delete(byte[] key)
    {
        fixed (byte* k = key)
        {
            return Map.Header->DeleteElement(Map.Header, _runtime, k);
        }
    }

    internal long Redirect(ulong key, ulong flags) => Map.Header->Redirect(Map.Header, _runtime, key, flags);

    internal byte[]? SyscallLookup(byte[] key)
    {
        var value = new byte[Map.SyscallValueSize];
        var error = Map.Lookup(key, value);
        if (error != 0)
        {
            Assert.Equal(-Errno.ENOENT, error);
        }
        return error == 0 ? value : null;
    }

    internal List<byte[]> Keys()
    {
        var keys = new List<byte[]>();
        var next = new byte[Map.Spec.KeySize];
        for (var error = Map.GetNextKey([], next); error == 0; error = Map.GetNextKey(keys[^1], next))
        {
            keys.Add([.. next]);
            Assert.True(keys.Count <= 1_000_000);
        }
        return keys;
    }

    internal static byte[] U32(uint value) => BitConverter.GetBytes(value);

    internal static byte[] U64(ulong value) => BitConverter.GetBytes(value);

    public void Dispose()
    {
        Map.Dispose();
        NativeMemory.Free(_runtime);
    }
}
