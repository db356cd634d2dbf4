using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

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

    /// <summary>Its size in bytes, at most <see cref="BpfRuntime.MaxStructureSize"/>.</summary>
    public int Size => (int)_types[_id].Size;

    /// <summary>The structure of that name, or null if there is none, or one too large for programs.</summary>
    public static StructureLayout? Find(Btf? types, string name) =>
        types?.Find(name, BtfKind.Struct) is { } id and > 0 && types[id].Size <= BpfRuntime.MaxStructureSize
            ? new(types, id)
            : null;

    /// <summary>
    /// Where a member is, in bytes from the start; -1 if there is none, or if so many bytes from there on are not in the
    /// structure, whatever the types say.
    /// </summary>
    /// <param name="path">The member's name, or several parted by dots; members of anonymous structures are found too.</param>
    /// <param name="size">How many bytes from there on are needed.</param>
    public int OffsetOf(string path, int size)
    {
        var (offset, type) = (0L, _id);
        foreach (var name in path.Split('.'))
        {
            if (_types.FindMember(type, name) is not { } member)
            {
                return -1;
            }
            offset += member.BitOffset / 8;
            type = member.Type;
        }
        return offset + size <= Size ? (int)offset : -1;
    }
}
