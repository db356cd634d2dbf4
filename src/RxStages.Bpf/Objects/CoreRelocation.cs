namespace RxStages.Bpf.Objects;

/// <summary>What a CO-RE relocation asks of the target's types (<c>enum bpf_core_relo_kind</c>).</summary>
internal enum CoreKind : uint
{
    /// <summary>Where a field begins, in bytes.</summary>
    FieldByteOffset = 0,

    /// <summary>A field's size in bytes.</summary>
    FieldByteSize = 1,

    /// <summary>1 where there is such a field, else 0.</summary>
    FieldExists = 2,

    /// <summary>1 where a field is signed, else 0.</summary>
    FieldSigned = 3,

    /// <summary>For a bit field: how far to shift left what was loaded.</summary>
    FieldLeftShift = 4,

    /// <summary>For a bit field: how far to shift right then.</summary>
    FieldRightShift = 5,

    /// <summary>The type's id in the object's own types.</summary>
    TypeIdLocal = 6,

    /// <summary>The type's id in the target's types.</summary>
    TypeIdTarget = 7,

    /// <summary>1 where there is such a type, else 0.</summary>
    TypeExists = 8,

    /// <summary>A type's size in bytes.</summary>
    TypeSize = 9,

    /// <summary>1 where an enumeration has such a value, else 0.</summary>
    EnumValueExists = 10,

    /// <summary>An enumeration's value.</summary>
    EnumValue = 11,

    /// <summary>1 where there is a type that has all that the object's has, else 0.</summary>
    TypeMatches = 12,
}

/// <summary>
/// An instruction that depends on how the target's types are laid out (compile once, run everywhere).
/// </summary>
/// <param name="Slot">The instruction's slot in its section.</param>
/// <param name="Type">The id of the object's type that it is about.</param>
/// <param name="Access">The way from the type to a field, e.g. <c>0:1:2</c>, or the number of an enumeration's value.</param>
/// <param name="Kind">What it asks.</param>
internal sealed record CoreRelocation(int Slot, int Type, string Access, CoreKind Kind)
{
    /// <summary>True for questions about fields.</summary>
    public bool IsField => Kind <= CoreKind.FieldRightShift;

    /// <summary>True for questions about whole types.</summary>
    public bool IsType =>
        Kind
            is CoreKind.TypeIdLocal
                or CoreKind.TypeIdTarget
                or CoreKind.TypeExists
                or CoreKind.TypeSize
                or CoreKind.TypeMatches;
}

/// <summary>A relocation cannot be carried out; the message says which, and why.</summary>
internal sealed class CoreRelocationException(string message) : Exception(message);
