using System.Collections.Immutable;
using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>Sets the configuration that a program has in its global variables, as a loader does before loading.</summary>
internal static class GlobalVariables
{
    /// <summary>The object with other values for some variables, by their names.</summary>
    public static ObjectSpec With(ObjectSpec spec, IReadOnlyDictionary<string, uint> variables)
    {
        foreach (var (name, value) in variables)
        {
            spec = With(spec, name, value);
        }
        return spec;
    }

    private static ObjectSpec With(ObjectSpec spec, string name, uint value)
    {
        var btf = spec.Btf ?? throw new ArgumentException("the object has no BTF", nameof(spec));
        foreach (var map in spec.Maps.Where(map => map.IsGlobalData && map.BtfValueType != 0))
        {
            var section = btf[map.BtfValueType];
            for (var i = 0; i < section.Count; i++)
            {
                var variable = section.SectionVariable(i);
                if (btf[variable.Type].Name == name)
                {
                    return spec with { Maps = spec.Maps.Replace(map, With(map, variable, value)) };
                }
            }
        }
        throw new ArgumentException($"{spec.Source} has no global variable {name}", nameof(name));
    }

    private static MapSpec With(MapSpec map, BtfSectionVariable variable, uint value)
    {
        var contents = map.InitialValue.IsEmpty ? new byte[map.ValueSize] : map.InitialValue.ToArray();
        for (var i = 0; i < variable.Size; i++)
        {
            contents[variable.Offset + i] = i < sizeof(uint) ? (byte)(value >> (8 * i)) : (byte)0;
        }
        return map with { InitialValue = ImmutableArray.Create(contents) };
    }
}
