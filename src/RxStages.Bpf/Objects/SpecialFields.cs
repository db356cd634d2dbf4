using System.Collections.Immutable;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>What a field of a map value is that programs may not simply read and write (<c>enum btf_field_type</c>).</summary>
public enum SpecialFieldKind
{
    /// <summary><c>struct bpf_spin_lock</c>, 4 bytes.</summary>
    SpinLock,

    /// <summary><c>struct bpf_res_spin_lock</c>, 8 bytes.</summary>
    ResilientSpinLock,

    /// <summary><c>struct bpf_timer</c>, 16 bytes.</summary>
    Timer,

    /// <summary><c>struct bpf_wq</c>, 16 bytes.</summary>
    Workqueue,

    /// <summary>A pointer marked <c>__kptr</c>: owns a kernel object, exchanged by <c>bpf_kptr_xchg</c>.</summary>
    Kptr,

    /// <summary>A pointer marked <c>__kptr_untrusted</c>.</summary>
    UntrustedKptr,

    /// <summary><c>struct bpf_list_head</c>, 16 bytes.</summary>
    ListHead,

    /// <summary><c>struct bpf_list_node</c>, 24 bytes.</summary>
    ListNode,

    /// <summary><c>struct bpf_rb_root</c>, 16 bytes.</summary>
    TreeRoot,

    /// <summary><c>struct bpf_rb_node</c>, 32 bytes.</summary>
    TreeNode,

    /// <summary><c>struct bpf_refcount</c>, 4 bytes.</summary>
    ReferenceCount,

    /// <summary><c>struct bpf_task_work</c>, 8 bytes.</summary>
    TaskWork,
}

/// <summary>A field of a map value that belongs to the kernel.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Offset">Where it begins, in bytes from the value's start.</param>
/// <param name="Size">How many bytes it has.</param>
/// <param name="Structure">For pointers: the name of the structure pointed to; else null.</param>
public readonly record struct SpecialField(SpecialFieldKind Kind, uint Offset, uint Size, string? Structure = null);

/// <summary>
/// Finds the fields of maps' values that belong to the kernel by the values' BTF types, after the kernel's
/// <c>btf_parse_fields</c>: by the names of structures, in structures and arrays inside of the value too.
/// </summary>
internal sealed class SpecialFields(Btf btf, string source)
{
    // BTF_FIELDS_MAX of the kernel.
    private const int MaxFields = 11;

    // What was found in a structure, so that the work is bounded by the types' size however they nest.
    private readonly Dictionary<int, ImmutableArray<SpecialField>> _byStructure = [];

    /// <summary>Finds the fields of a value type, by ascending offset.</summary>
    /// <param name="valueType">The id of a structure or DATASEC; others have no such fields.</param>
    /// <param name="map">The map, for errors.</param>
    /// <exception cref="InputException">There are more than the kernel takes, two locks, or one that is not aligned.</exception>
    public ImmutableArray<SpecialField> Find(int valueType, string map)
    {
        var type = btf[btf.SkipModifiers(valueType)];
        var fields = new List<SpecialField>();
        if (type.Kind == BtfKind.Struct)
        {
            fields.AddRange(FindIn(type, map, depth: 0));
        }
        else if (type.Kind == BtfKind.DataSection)
        {
            for (var index = 0; index < type.Count; index++)
            {
                var variable = type.SectionVariable(index);
                AddAt(fields, btf[variable.Type].Target, variable.Offset, map, depth: 0);
            }
        }
        return [.. fields.OrderBy(field => field.Offset)];
    }

    private ImmutableArray<SpecialField> FindIn(BtfType structure, string map, int depth)
    {
        if (_byStructure.TryGetValue(structure.Id, out var known))
        {
            return known;
        }
        if (depth > Btf.MaxResolveDepth)
        {
            throw Broken(map, "its value's type is nested too deeply");
        }
        var fields = new List<SpecialField>();
        for (var index = 0; index < structure.Count; index++)
        {
            var member = structure.Member(index);
            if (member.BitSize == 0 && member.BitOffset % 8 == 0)
            {
                AddAt(fields, member.Type, member.BitOffset / 8, map, depth);
            }
        }
        return _byStructure[structure.Id] = [.. fields];
    }

    private void AddAt(List<SpecialField> fields, int id, uint offset, string map, int depth)
    {
        ulong count = 1;
        var type = btf[id];
        for (var dimension = 0; type.Kind == BtfKind.Array && dimension < Btf.MaxResolveDepth; dimension++)
        {
            count = Math.Min(count * type.ElementCount, uint.MaxValue);
            type = btf[type.ElementType];
        }
        var found = type.Kind switch
        {
            BtfKind.Pointer => PointerOf(type),
            BtfKind.Struct when FieldOf(type.Name) is { } field => [field],
            BtfKind.Struct => FindIn(type, map, depth + 1),
            _ => [],
        };
        var distance = type.Kind == BtfKind.Struct ? type.Size : 8;
        for (ulong element = 0; element < count && !found.IsEmpty; element++)
        {
            foreach (var field in found)
            {
                Add(fields, field with { Offset = offset + field.Offset + (uint)(element * distance) }, map);
            }
        }
    }

    private void Add(List<SpecialField> fields, SpecialField field, string map)
    {
        var align = field.Kind == SpecialFieldKind.ResilientSpinLock ? 4 : Math.Min(field.Size, 8);
        if (field.Offset % align != 0)
        {
            throw Broken(
                map,
                $"the {field.Kind} at offset {field.Offset} of its value is not aligned to {align} bytes"
            );
        }
        if (fields.Count == MaxFields)
        {
            throw Broken(map, $"its value has more than {MaxFields} fields that belong to the kernel");
        }
        if (IsUnique(field.Kind) && fields.Exists(other => other.Kind == field.Kind))
        {
            throw Broken(map, $"its value has more than one {field.Kind}");
        }
        fields.Add(field);
    }

    private static bool IsUnique(SpecialFieldKind kind) =>
        kind
            is SpecialFieldKind.SpinLock
                or SpecialFieldKind.ResilientSpinLock
                or SpecialFieldKind.Timer
                or SpecialFieldKind.Workqueue
                or SpecialFieldKind.TaskWork
                or SpecialFieldKind.ReferenceCount;

    private static SpecialField? FieldOf(string structure) =>
        structure switch
        {
            "bpf_spin_lock" => new(SpecialFieldKind.SpinLock, 0, 4),
            "bpf_res_spin_lock" => new(SpecialFieldKind.ResilientSpinLock, 0, 8),
            "bpf_timer" => new(SpecialFieldKind.Timer, 0, 16),
            "bpf_wq" => new(SpecialFieldKind.Workqueue, 0, 16),
            "bpf_list_head" => new(SpecialFieldKind.ListHead, 0, 16),
            "bpf_list_node" => new(SpecialFieldKind.ListNode, 0, 24),
            "bpf_rb_root" => new(SpecialFieldKind.TreeRoot, 0, 16),
            "bpf_rb_node" => new(SpecialFieldKind.TreeNode, 0, 32),
            "bpf_refcount" => new(SpecialFieldKind.ReferenceCount, 0, 4),
            "bpf_task_work" => new(SpecialFieldKind.TaskWork, 0, 8),
            _ => null,
        };

    private ImmutableArray<SpecialField> PointerOf(BtfType pointer)
    {
        var tag = btf[pointer.Target];
        SpecialFieldKind? kind = (tag.Kind, tag.Name) switch
        {
            (BtfKind.TypeTag, "kptr") => SpecialFieldKind.Kptr,
            (BtfKind.TypeTag, "kptr_untrusted") => SpecialFieldKind.UntrustedKptr,
            _ => null,
        };
        return kind is { } known ? [new SpecialField(known, 0, 8, btf[btf.SkipModifiers(tag.Target)].Name)] : [];
    }

    private InputException Broken(string map, string reason) => new(source, $"map '{map}'", reason);
}
