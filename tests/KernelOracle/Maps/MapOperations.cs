using System.Buffers.Binary;
using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Maps;

/// <summary>Random operations on a map, of few enough keys that they meet: each can be done to both sides.</summary>
internal sealed class MapOperations(MapSpec spec, int valueSize, Random random)
{
    /// <summary>Chooses an operation; doing it gives a line that says what was done and what came of it.</summary>
    public Func<IMapCommands, string> Next(ulong[] flags)
    {
        var key = Key();
        var keyText = Convert.ToHexStringLower(key);
        switch (random.Next(12))
        {
            case <= 3 when IsMapOfMaps:
                var inner = random.Next(InnerMaps);
                var how = flags[random.Next(flags.Length)];
                return map => $"set {keyText} to map {inner} {how:x}: {map.SetMap(key, inner, how)}";
            case <= 3 when !HoldsReferences:
                var value = Value();
                var flag = flags[random.Next(flags.Length)];
                return map =>
                    $"update {keyText} {Convert.ToHexStringLower(value)} {flag:x}: {map.Update(key, value, flag)}";
            case <= 6:
                var lookupFlag = random.Next(4) == 0 ? flags[random.Next(flags.Length)] : 0;
                // A Bloom filter is asked about the value given.
                var asked = spec.Type == MapType.BloomFilter ? Value() : new byte[valueSize];
                return map =>
                {
                    var found = (byte[])asked.Clone();
                    var error = map.Lookup(key, found, lookupFlag);
                    return $"look up {keyText} {Convert.ToHexStringLower(asked)} {lookupFlag:x}: {error} {Text(error, found)}";
                };
            case 9:
                var takeFlag = random.Next(4) == 0 ? flags[random.Next(flags.Length)] : 0;
                return map =>
                {
                    var found = new byte[valueSize];
                    var error = map.LookupAndDelete(key, found, takeFlag);
                    return $"take {keyText} {takeFlag:x}: {error} {Text(error, found)}";
                };
            case 7 or 8:
                return map => $"delete {keyText}: {map.Delete(key)}";
            default:
                // The order of hashes depends on a seed that the kernel chooses.
                if (IsHash)
                {
                    return map => $"count: {MapDump.Keys(map).Count}";
                }
                var isFirst = random.Next(4) == 0;
                return map =>
                {
                    var next = new byte[key.Length];
                    var error = map.GetNextKey(isFirst ? [] : key, next);
                    return $"next of {(isFirst ? "nothing" : keyText)}: {error} "
                        + (error == 0 ? Convert.ToHexStringLower(next) : "");
                };
        }
    }

    /// <summary>How many maps there are to put into a map of maps; the last two do not fit.</summary>
    internal const int InnerMaps = 4;

    // The numbers of maps differ.
    private string Text(int error, byte[] value) => error != 0 || IsMapOfMaps ? "" : Convert.ToHexStringLower(value);

    private bool IsMapOfMaps => spec.Type is MapType.ArrayOfMaps or MapType.HashOfMaps;

    // Programs, sockets and events are descriptors to the kernel, and something else here.
    private bool HoldsReferences => spec.Type is MapType.ProgArray or MapType.Xskmap or MapType.PerfEventArray;

    private bool IsHash =>
        spec.Type
            is MapType.Hash
                or MapType.PercpuHash
                or MapType.LruHash
                or MapType.LruPercpuHash
                or MapType.DevmapHash
                or MapType.HashOfMaps;

    private byte[] Key()
    {
        var key = new byte[spec.KeySize];
        if (key.Length == 0)
        {
            return key;
        }
        if (spec.Type == MapType.LpmTrie)
        {
            // Few bits differ, so that prefixes nest; now and then a prefix is too long for its key.
            var bits = (int)(spec.KeySize - 4) * 8;
            BinaryPrimitives.WriteInt32LittleEndian(key, random.Next(20) == 0 ? bits + 1 : random.Next(bits + 1));
            for (var i = 4; i < key.Length; i++)
            {
                key[i] = (byte)((random.Next(2) * 0x80) | (random.Next(2) * 0x01));
            }
            return key;
        }
        // A little more than there is room for.
        var number = random.Next((int)spec.MaxEntries + 1 + (int)(spec.MaxEntries / 4));
        key[0] = (byte)number;
        if (key.Length > 1)
        {
            key[1] = (byte)(number >> 8);
        }
        if (IsHash && key.Length > 4)
        {
            // Keys that differ in their last byte alone.
            key[^1] = (byte)random.Next(2);
        }
        return key;
    }

    // Values of maps that refer to something must be right for the kernel to take them: interface 1, loopback, exists.
    private byte[] Value()
    {
        var value = new byte[valueSize];
        switch (spec.Type)
        {
            case MapType.Devmap or MapType.DevmapHash:
                BinaryPrimitives.WriteInt32LittleEndian(value, random.Next(4) == 0 ? 0 : 1);
                break;
            case MapType.Cpumap:
                BinaryPrimitives.WriteInt32LittleEndian(
                    value,
                    random.Next(3) switch
                    {
                        0 => 0,
                        1 => 192,
                        _ => 20000,
                    }
                );
                break;
            case MapType.BloomFilter:
                // Few, so that they are asked for again.
                value[0] = (byte)random.Next(64);
                break;
            default:
                random.NextBytes(value);
                break;
        }
        return value;
    }
}
