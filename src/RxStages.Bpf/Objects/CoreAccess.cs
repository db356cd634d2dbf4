using System.Globalization;
using System.Text;

namespace RxStages.Bpf.Objects;

/// <summary>One step of a <see cref="CoreAccess"/>.</summary>
/// <param name="Type">The id of the structure that a member is in; for an element the id of its type.</param>
/// <param name="Index">The number of the member, element or enumeration value.</param>
/// <param name="Name">The member's or value's name; null for an element.</param>
internal readonly record struct CoreStep(int Type, int Index, string? Name);

/// <summary>The way from a type to the field, element or enumeration value that a CO-RE relocation is about.</summary>
internal sealed class CoreAccess
{
    /// <summary>How many steps there may be, anonymous members included (<c>BPF_CORE_SPEC_MAX_LEN</c>).</summary>
    public const int MaxSteps = 64;

    // Names may have hundreds of bytes, and there may be very many relocations.
    private const int MaxDescription = 400;

    /// <summary>Begins a way.</summary>
    /// <param name="btf">The types it goes through.</param>
    /// <param name="root">The type where it begins.</param>
    public CoreAccess(Btf btf, int root)
    {
        Btf = btf;
        Root = root;
    }

    /// <summary>The types that it goes through.</summary>
    public Btf Btf { get; }

    /// <summary>The id of the type where it begins.</summary>
    public int Root { get; }

    /// <summary>The steps, without anonymous members.</summary>
    public List<CoreStep> Steps { get; } = [];

    /// <summary>How many steps there are with anonymous members.</summary>
    public int RawLength { get; set; }

    /// <summary>Bits from the type's start to where it leads.</summary>
    public ulong BitOffset { get; set; }

    /// <summary>Reads the way that a relocation describes through the object's own types.</summary>
    /// <exception cref="CoreRelocationException">There is no such way.</exception>
    public static CoreAccess Parse(Btf btf, CoreRelocation relocation)
    {
        var access = new CoreAccess(btf, relocation.Type);
        if (relocation.IsType)
        {
            return relocation.Access == "0" ? access : throw access.Broken(relocation, "a type has no fields");
        }
        var raw = ParseNumbers(relocation, access);
        var id = btf.SkipModifiers(relocation.Type);
        var type = btf[id];
        if (!relocation.IsField)
        {
            if (!IsEnumeration(type) || raw.Count != 1 || raw[0] >= type.Count)
            {
                throw access.Broken(relocation, "there is no such value of an enumeration");
            }
            access.Add(new CoreStep(id, raw[0], type.EnumerationValue(raw[0]).Name), 0);
            return access;
        }
        access.Add(new CoreStep(id, raw[0], null), access.ElementOffset(relocation, id, raw[0]));
        foreach (var index in raw.Skip(1))
        {
            id = btf.SkipModifiers(id);
            type = btf[id];
            switch (type.Kind)
            {
                case BtfKind.Struct or BtfKind.Union when index < type.Count:
                    var member = type.Member(index);
                    access.BitOffset += member.BitOffset;
                    access.RawLength++;
                    if (member.Name.Length > 0)
                    {
                        access.Steps.Add(new CoreStep(id, index, member.Name));
                    }
                    id = member.Type;
                    break;
                case BtfKind.Array when index < type.ElementCount || access.EndsInFlexibleArray(type):
                    id = btf.SkipModifiers(type.ElementType);
                    access.Add(new CoreStep(id, index, null), access.ElementOffset(relocation, id, index));
                    break;
                default:
                    throw access.Broken(relocation, $"its type {id} has no member or element {index}");
            }
        }
        return access;
    }

    /// <summary>Goes a step that has a name, or is an element.</summary>
    public void Add(CoreStep step, ulong bitOffset)
    {
        Steps.Add(step);
        BitOffset += bitOffset;
        RawLength++;
    }

    /// <summary>
    /// True when the array reached is without a size and its structure's last member, so that it has any number of elements.
    /// </summary>
    public bool EndsInFlexibleArray(BtfType array) =>
        array.ElementCount == 0
        && Steps.Count > 0
        && Steps[^1] is { Name: not null } step
        && step.Index == Btf[step.Type].Count - 1;

    /// <summary>True for enumerations of 32 and 64 bits.</summary>
    public static bool IsEnumeration(BtfType type) => type.Kind is BtfKind.Enumeration or BtfKind.Enumeration64;

    /// <summary>Says what a relocation is about, as libbpf does: <c>&lt;byte_off&gt; [8] struct x.y (0:1 @ offset 4)</c>.</summary>
    public string Describe(CoreRelocation relocation)
    {
        var type = Btf[Root];
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<{NameOf(relocation.Kind)}> [{Root}] {KindName(type)}");
        text.Append(type.Name.Length == 0 ? "<anon>" : type.Name);
        if (relocation.IsType || Steps.Count == 0)
        {
            return text.ToString();
        }
        if (!relocation.IsField)
        {
            return text.Append(CultureInfo.InvariantCulture, $"::{Steps[0].Name}").ToString();
        }
        foreach (var step in Steps.Skip(1))
        {
            if (text.Length > MaxDescription)
            {
                text.Append('…');
                break;
            }
            text.Append(step.Name is null ? $"[{step.Index}]" : "." + step.Name);
        }
        return text.Append(CultureInfo.InvariantCulture, $" ({relocation.Access} @ offset {BitOffset / 8})").ToString();
    }

    private static List<int> ParseNumbers(CoreRelocation relocation, CoreAccess access)
    {
        var numbers = new List<int>();
        foreach (var part in relocation.Access.Split(':', MaxSteps + 1))
        {
            if (
                numbers.Count == MaxSteps
                || !int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            )
            {
                throw access.Broken(relocation, "the way to the field is no list of numbers");
            }
            numbers.Add(number);
        }
        return numbers;
    }

    private static string NameOf(CoreKind kind) =>
        kind switch
        {
            CoreKind.FieldByteOffset => "byte_off",
            CoreKind.FieldByteSize => "byte_sz",
            CoreKind.FieldExists => "field_exists",
            CoreKind.FieldSigned => "signed",
            CoreKind.FieldLeftShift => "lshift_u64",
            CoreKind.FieldRightShift => "rshift_u64",
            CoreKind.TypeIdLocal => "local_type_id",
            CoreKind.TypeIdTarget => "target_type_id",
            CoreKind.TypeExists => "type_exists",
            CoreKind.TypeSize => "type_size",
            CoreKind.EnumValueExists => "enumval_exists",
            CoreKind.EnumValue => "enumval_value",
            CoreKind.TypeMatches => "type_matches",
            _ => "unknown",
        };

    private static string KindName(BtfType type) =>
        type.Kind switch
        {
            BtfKind.Struct => "struct ",
            BtfKind.Union => "union ",
            BtfKind.Enumeration or BtfKind.Enumeration64 => "enum ",
            BtfKind.Typedef => "typedef ",
            BtfKind.Forward => type.KindFlag ? "fwd union " : "fwd struct ",
            _ => "",
        };

    private ulong ElementOffset(CoreRelocation relocation, int id, int index) =>
        (ulong)index
        * 8
        * (
            Btf.SizeOf(id)
            ?? (index == 0 ? 0u : throw Broken(relocation, $"it goes to element {index} of a type that has no size"))
        );

    private CoreRelocationException Broken(CoreRelocation relocation, string reason) =>
        new($"{Describe(relocation)}, access '{relocation.Access}': {reason}");
}
