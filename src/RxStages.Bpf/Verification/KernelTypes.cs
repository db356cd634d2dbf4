using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Verification;

/// <summary>
/// The structures that pointers to kernel objects point to, by the kernel's BTF; after the kernel's
/// <c>btf_struct_access</c>.
/// </summary>
internal sealed class KernelTypes(VerifierEnvironment environment)
{
    private readonly Dictionary<string, int> _ids = [];

    private Btf Btf =>
        environment.Options.Kernel.Types
        ?? throw environment.Reject(
            "a structure of the kernel is accessed, but the kernel's types (BTF) are not known",
            "give the BTF of a kernel, such as /sys/kernel/btf/vmlinux"
        );

    /// <summary>What a member of a structure is to who loads it.</summary>
    /// <param name="Type">A scalar, a pointer to a structure, or memory that a pointer to no structure points to.</param>
    /// <param name="Structure">For pointers to structures: the type's id.</param>
    public readonly record struct Member(RegisterType Type, int Structure);

    /// <summary>The id of a structure by its name.</summary>
    public int Find(string? name)
    {
        if (_ids.TryGetValue(name ?? "", out var id))
        {
            return id;
        }
        id = Btf.Find(name ?? "", BtfKind.Struct);
        if (id == 0)
        {
            throw environment.Reject($"the kernel's types (BTF) do not have struct {name}");
        }
        return _ids[name ?? ""] =
            Btf[id].Size <= BpfRuntime.MaxStructureSize
                ? id
                : throw environment.Reject($"the kernel's struct {name} is too large: {Btf[id].Size} bytes");
    }

    /// <summary>
    /// The id of the one structure of a name, whatever <c>___flavor</c> is behind it there: the kernel takes no type of a
    /// program's for one of its own where there are several (<c>btf_get_ptr_to_btf_id</c>).
    /// </summary>
    public int FindOnly(string name)
    {
        var found = Btf.FindAll(name).Where(id => Btf[id].Kind == BtfKind.Struct).Take(2).ToArray();
        return found.Length == 1
            ? found[0]
            : throw environment.Reject(
                $"the kernel's types (BTF) have {(found.Length == 0 ? "no" : "several variants of")} struct {name}"
            );
    }

    /// <summary>The structure or union of that id, behind <c>typedef</c>s and <c>const</c>.</summary>
    public int FindStructure(int id)
    {
        var type = id > 0 && id < Btf.Count ? Btf[Btf.SkipModifiers(id)] : Btf[0];
        return type.Kind is BtfKind.Struct or BtfKind.Union
            ? type.Id
            : throw environment.Reject($"type {id} of the kernel (BTF) is no structure");
    }

    /// <summary>The name of a structure.</summary>
    public string NameOf(int structure) => "struct " + Btf[structure].Name;

    /// <summary>Where a member of a structure begins, in bytes, or null if there is none of that name.</summary>
    public int? OffsetOf(string structure, string name) => Btf.OffsetOf(Find(structure), name);

    /// <summary>
    /// True when so far into a structure there is one of that name: itself, or a first or nested member. A structure that is
    /// still being made (<c>___init</c>) does not count as what it will be (<c>btf_type_ids_nocast_alias</c>).
    /// </summary>
    public bool IsAt(int structure, int offset, string? name)
    {
        var type = Btf[structure];
        if (type.Name.EndsWith("___init", StringComparison.Ordinal))
        {
            return offset == 0 && type.Name == name;
        }
        for (var depth = 0; depth < Btf.MaxResolveDepth && offset >= 0; depth++)
        {
            if (offset == 0 && type.Name == name)
            {
                return true;
            }
            if (type.Kind != BtfKind.Struct || FindNested(type, offset) is not { } member)
            {
                return false;
            }
            offset -= (int)(member.BitOffset / 8);
            type = Btf[Btf.SkipModifiers(member.Type)];
        }
        return false;
    }

    /// <summary>What is loaded from a structure, or null where there is no such member; a reason is then given.</summary>
    public Member? Load(int structure, int offset, int size, out string problem)
    {
        var type = Btf[structure];
        var isUnion = false;
        problem = $"there is no member of {size} bytes at offset {offset} of {NameOf(structure)}";
        if (offset < 0 || (long)offset + size > type.Size)
        {
            problem = $"{NameOf(structure)} has only {type.Size} bytes";
            return null;
        }
        for (var depth = 0; depth < Btf.MaxResolveDepth; depth++)
        {
            isUnion |= type.Kind == BtfKind.Union && type.Count != 1;
            if (FindMember(type, offset, size, out var member) is not { } kind)
            {
                return null;
            }
            if (kind == BtfKind.Integer)
            {
                return new Member(RegisterType.Scalar, 0);
            }
            var element = Element(member, ref offset, out var length);
            switch (element.Kind)
            {
                case BtfKind.Struct or BtfKind.Union:
                    type = element;
                    continue;
                case BtfKind.Pointer when size != 8 || offset != 0:
                    problem = $"member '{member.Name}' is a pointer, which is read whole";
                    return null;
                case BtfKind.Pointer:
                    return PointerTo(element, isUnion);
                case BtfKind.Void or BtfKind.Function or BtfKind.FunctionPrototype or BtfKind.Forward:
                    return null;
                default:
                    if (offset + size > length)
                    {
                        problem = $"{size} bytes from there lead beyond member '{member.Name}'";
                        return null;
                    }
                    return new Member(RegisterType.Scalar, 0);
            }
        }
        return null;
    }

    /// <summary>The member that holds the bytes: <see cref="BtfKind.Integer"/> where they are bit fields.</summary>
    private BtfKind? FindMember(BtfType type, int offset, int size, out BtfMember found)
    {
        for (var index = 0; index < type.Count; index++)
        {
            found = type.Member(index);
            var start = (int)(found.BitOffset / 8);
            if (offset + size <= start)
            {
                break;
            }
            if (found.BitSize != 0)
            {
                var end = (int)((found.BitOffset + (uint)found.BitSize + 7) / 8);
                if (offset <= start && end <= offset + size)
                {
                    return BtfKind.Integer;
                }
                continue;
            }
            if (offset < start)
            {
                break;
            }
            if (offset < start + (long)(Btf.SizeOf(found.Type) ?? 0))
            {
                return BtfKind.Struct;
            }
        }
        found = default;
        return null;
    }

    /// <summary>A member's type; of an array, its elements', with the offset within the element.</summary>
    /// <param name="member">The member.</param>
    /// <param name="offset">From the structure's start; then from the member's or element's.</param>
    /// <param name="length">Bytes from there to the end of the member, all elements of an array together.</param>
    private BtfType Element(BtfMember member, ref int offset, out long length)
    {
        offset -= (int)(member.BitOffset / 8);
        length = Btf.SizeOf(member.Type) ?? 0;
        var type = Btf[Btf.SkipModifiers(member.Type)];
        while (type.Kind == BtfKind.Array)
        {
            type = Btf[Btf.SkipModifiers(type.ElementType)];
        }
        if (Btf.SizeOf(type.Id) is { } size and > 0 && offset >= size)
        {
            length -= offset / size * size;
            offset %= (int)size;
        }
        return type;
    }

    private Member PointerTo(BtfType pointer, bool isInUnion)
    {
        var modifiers = isInUnion ? RegisterType.Untrusted : default;
        var tag = Btf[pointer.Target];
        if (tag.Kind == BtfKind.TypeTag)
        {
            modifiers |= tag.Name switch
            {
                "rcu" => RegisterType.Rcu,
                "percpu" or "user" => RegisterType.Percpu,
                _ => default,
            };
        }
        var target = Btf[Btf.SkipModifiers(pointer.Target)];
        return target.Kind is BtfKind.Struct or BtfKind.Union
            ? new Member(RegisterType.Btf | modifiers, target.Id)
            : new Member(RegisterType.Memory | RegisterType.ReadOnly | RegisterType.Untrusted, 0);
    }

    private BtfMember? FindNested(BtfType type, int offset)
    {
        for (var index = 0; index < type.Count; index++)
        {
            var member = type.Member(index);
            var start = (int)(member.BitOffset / 8);
            if (
                member.BitSize == 0
                && offset >= start
                && offset < start + (long)(Btf.SizeOf(member.Type) ?? 0)
                && Btf[Btf.SkipModifiers(member.Type)].Kind == BtfKind.Struct
            )
            {
                return member;
            }
        }
        return null;
    }
}
