using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Network;

/// <summary>Where the members of a kernel structure are, by the kernel's BTF.</summary>
internal sealed class StructureLayout
{
    private readonly Btf _types;
    private readonly int _id;

    private StructureLayout(Btf types, int id)
    {
        _types = types;
        _id = id;
    }

    /// <summary>Its size in bytes.</summary>
    public int Size => (int)_types[_id].Size;

    /// <summary>The structure of that name, or null if there is none.</summary>
    public static StructureLayout? Find(Btf? types, string name) =>
        types?.Find(name, BtfKind.Struct) is { } id and > 0 ? new(types, id) : null;

    /// <summary>Where a member is, in bytes from the start; -1 if there is none.</summary>
    /// <param name="path">The member's name, or several parted by dots; members of anonymous structures are found too.</param>
    public int OffsetOf(string path)
    {
        var (offset, type) = (0, _id);
        foreach (var name in path.Split('.'))
        {
            if (FindMember(type, name, 0) is not { } member)
            {
                return -1;
            }
            offset += (int)(member.BitOffset / 8);
            type = _types.SkipModifiers(member.Type);
        }
        return offset;
    }

    private BtfMember? FindMember(int id, string name, int depth)
    {
        var type = _types[id];
        if (type.Kind is not (BtfKind.Struct or BtfKind.Union) || depth > Btf.MaxResolveDepth)
        {
            return null;
        }
        for (var i = 0; i < type.Count; i++)
        {
            var member = type.Member(i);
            if (member.Name == name)
            {
                return member;
            }
            if (member.Name.Length == 0 && FindMember(_types.SkipModifiers(member.Type), name, depth + 1) is { } inner)
            {
                return inner with { BitOffset = member.BitOffset + inner.BitOffset };
            }
        }
        return null;
    }
}
