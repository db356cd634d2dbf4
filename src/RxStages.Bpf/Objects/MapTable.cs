using System.Collections.Immutable;
using System.Globalization;

namespace RxStages.Bpf.Objects;

/// <summary>The maps of an object file while it is read, and where in the file they stand, which is how code names them.</summary>
internal sealed class MapTable
{
    private readonly List<MapSpec> _maps = [];
    private readonly Dictionary<(int Section, ulong Offset), int> _definitions = [];
    private readonly Dictionary<int, int> _dataSections = [];
    private readonly HashSet<int> _definitionSections = [];
    private readonly Dictionary<uint, int> _ids = [];

    /// <summary>The maps, in the order in which they were added.</summary>
    public ImmutableArray<MapSpec> Maps => [.. _maps];

    /// <summary>Adds a map whose definition stands at an offset of a section; false when another stands there.</summary>
    public bool AddDefinition(int section, ulong offset, MapSpec map)
    {
        _definitionSections.Add(section);
        if (!_definitions.TryAdd((section, offset), _maps.Count))
        {
            return false;
        }
        _maps.Add(map);
        return true;
    }

    /// <summary>Gives a map that is defined the identity by which sections <c>ID/INDEX</c> name it (iproute2).</summary>
    public void AddId(uint id, int section, ulong offset)
    {
        if (_definitions.TryGetValue((section, offset), out var index))
        {
            _ids.TryAdd(id, index);
        }
    }

    /// <summary>
    /// Puts a program into the prog array that its section names: <c>ID/INDEX</c>, as iproute2 has it. False when the name
    /// is no such one.
    /// </summary>
    public bool AddToProgArray(string section, string program)
    {
        var parts = section.Split('/', 3);
        if (
            parts.Length != 2
            || ParseNumber(parts[0]) is not { } id
            || ParseNumber(parts[1]) is not { } entry
            || !_ids.TryGetValue(id, out var index)
            || _maps[index].Type != MapType.ProgArray
            || _maps[index].InitialPrograms.ContainsKey(entry)
        )
        {
            return false;
        }
        _maps[index] = _maps[index] with { InitialPrograms = _maps[index].InitialPrograms.Add(entry, program) };
        return true;
    }

    private static uint? ParseNumber(string text)
    {
        var isHexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return uint.TryParse(
            isHexadecimal ? text.AsSpan(2) : text,
            isHexadecimal ? NumberStyles.HexNumber : NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var number
        )
            ? number
            : null;
    }

    /// <summary>Adds a map that stands nowhere in the file; returns its index.</summary>
    public int Add(MapSpec map)
    {
        _maps.Add(map);
        return _maps.Count - 1;
    }

    /// <summary>Adds the map that holds a whole section.</summary>
    public void AddData(int section, MapSpec map)
    {
        _dataSections.Add(section, _maps.Count);
        _maps.Add(map);
    }

    /// <summary>True for sections that hold map definitions.</summary>
    public bool HoldsDefinitions(int section) => _definitionSections.Contains(section);

    /// <summary>The index of the map defined at an offset of a section.</summary>
    public bool TryFindDefinition(int section, ulong offset, out int index) =>
        _definitions.TryGetValue((section, offset), out index);

    /// <summary>The index of the map that holds a section's data.</summary>
    public bool TryFindData(int section, out int index) => _dataSections.TryGetValue(section, out index);
}
