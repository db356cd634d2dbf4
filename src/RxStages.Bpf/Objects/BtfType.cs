using System.Buffers.Binary;

namespace RxStages.Bpf.Objects;

/// <summary>Kinds of BTF types, numbered as the kernel's <c>BTF_KIND_*</c>.</summary>
public enum BtfKind
{
    /// <summary>No type: <c>void</c>, id 0.</summary>
    Void = 0,

    /// <summary><c>BTF_KIND_INT</c></summary>
    Integer = 1,

    /// <summary><c>BTF_KIND_PTR</c></summary>
    Pointer = 2,

    /// <summary><c>BTF_KIND_ARRAY</c></summary>
    Array = 3,

    /// <summary><c>BTF_KIND_STRUCT</c></summary>
    Struct = 4,

    /// <summary><c>BTF_KIND_UNION</c></summary>
    Union = 5,

    /// <summary><c>BTF_KIND_ENUM</c></summary>
    Enumeration = 6,

    /// <summary><c>BTF_KIND_FWD</c>: a structure that is only declared.</summary>
    Forward = 7,

    /// <summary><c>BTF_KIND_TYPEDEF</c></summary>
    Typedef = 8,

    /// <summary><c>BTF_KIND_VOLATILE</c></summary>
    Volatile = 9,

    /// <summary><c>BTF_KIND_CONST</c></summary>
    Const = 10,

    /// <summary><c>BTF_KIND_RESTRICT</c></summary>
    Restrict = 11,

    /// <summary><c>BTF_KIND_FUNC</c></summary>
    Function = 12,

    /// <summary><c>BTF_KIND_FUNC_PROTO</c></summary>
    FunctionPrototype = 13,

    /// <summary><c>BTF_KIND_VAR</c></summary>
    Variable = 14,

    /// <summary><c>BTF_KIND_DATASEC</c></summary>
    DataSection = 15,

    /// <summary><c>BTF_KIND_FLOAT</c></summary>
    Float = 16,

    /// <summary><c>BTF_KIND_DECL_TAG</c></summary>
    DeclarationTag = 17,

    /// <summary><c>BTF_KIND_TYPE_TAG</c></summary>
    TypeTag = 18,

    /// <summary><c>BTF_KIND_ENUM64</c></summary>
    Enumeration64 = 19,
}

/// <summary>Linkage of a BTF function or variable.</summary>
public enum BtfLinkage
{
    /// <summary>Seen only in its file.</summary>
    Static = 0,

    /// <summary>Defined here, seen everywhere.</summary>
    Global = 1,

    /// <summary>Defined elsewhere.</summary>
    Extern = 2,
}

/// <summary>How an integer is meant to be shown (<c>BTF_INT_*</c>).</summary>
[Flags]
public enum BtfEncoding
{
    /// <summary>An unsigned number.</summary>
    None = 0,

    /// <summary>A signed number.</summary>
    Signed = 1,

    /// <summary>A character.</summary>
    Character = 2,

    /// <summary>True or false.</summary>
    Boolean = 4,
}

/// <summary>A member of a structure or union.</summary>
/// <param name="Name">Its name; empty for anonymous ones.</param>
/// <param name="Type">Its type's id.</param>
/// <param name="BitOffset">Where it begins, in bits from the structure's start.</param>
/// <param name="BitSize">For a bit field its width; else 0.</param>
public readonly record struct BtfMember(string Name, int Type, uint BitOffset, int BitSize);

/// <summary>What a DATASEC says of one of its variables.</summary>
/// <param name="Type">The variable's id.</param>
/// <param name="Offset">Where it begins in the section, in bytes.</param>
/// <param name="Size">Its size in bytes.</param>
public readonly record struct BtfSectionVariable(int Type, uint Offset, uint Size);

/// <summary>
/// One type of a <see cref="Btf"/>: a view of its record, which was checked when the section was read. Which properties
/// have a meaning depends on the kind.
/// </summary>
public readonly struct BtfType
{
    private readonly Btf _btf;
    private readonly int _offset;

    internal BtfType(Btf btf, int id, int offset)
    {
        _btf = btf;
        _offset = offset;
        Id = id;
    }

    /// <summary>The type's number.</summary>
    public int Id { get; }

    /// <summary>What it is.</summary>
    public BtfKind Kind => Id == 0 ? BtfKind.Void : KindOf(Info);

    /// <summary>Its name; empty for anonymous types.</summary>
    public string Name => Id == 0 ? "" : _btf.NameAt(Word(0));

    /// <summary>How many members, values, parameters or variables it has (<c>vlen</c>).</summary>
    public int Count => (int)(Info & 0xffff);

    /// <summary>The <c>kind_flag</c>: bit fields in a structure, a signed enumeration, a forward declared union.</summary>
    public bool KindFlag => Info >> 31 != 0;

    /// <summary>Size in bytes of an integer, float, structure, union, enumeration or DATASEC.</summary>
    public uint Size => Word(8);

    /// <summary>The id of the type that a pointer, modifier, typedef, variable, function or tag refers to; of a prototype: what it returns.</summary>
    public int Target => (int)Word(8);

    /// <summary>For an integer: how it is meant.</summary>
    public BtfEncoding Encoding => (BtfEncoding)((Word(12) >> 24) & 0xf);

    /// <summary>For an integer: its width in bits.</summary>
    public int BitSize => (int)(Word(12) & 0xff);

    /// <summary>For an integer: bits that it begins behind its storage's start.</summary>
    public int BitOffset => (int)((Word(12) >> 16) & 0xff);

    /// <summary>For an array: the id of its elements' type.</summary>
    public int ElementType => (int)Word(12);

    /// <summary>For an array: how many elements.</summary>
    public uint ElementCount => Word(20);

    /// <summary>For a function or variable: who sees it.</summary>
    public BtfLinkage Linkage => (BtfLinkage)(Kind == BtfKind.Function ? Count : (int)Word(12));

    /// <summary>For a declaration tag: the member or parameter that it is for; -1 for the whole.</summary>
    public int Component => (int)Word(12);

    /// <summary>The offset of the record in the type section.</summary>
    internal int RecordOffset => _offset;

    private uint Info => Id == 0 ? 0 : Word(4);

    /// <summary>A structure's or union's member, by its number.</summary>
    public BtfMember Member(int index)
    {
        var at = Entry(index, 12);
        var offset = Word(at + 8);
        return KindFlag
            ? new BtfMember(_btf.NameAt(Word(at)), (int)Word(at + 4), offset & 0xffffff, (int)(offset >> 24))
            : new BtfMember(_btf.NameAt(Word(at)), (int)Word(at + 4), offset, 0);
    }

    /// <summary>An enumeration's value, by its number: its name and its value, sign-extended when the enumeration is signed.</summary>
    public (string Name, long Value) EnumerationValue(int index)
    {
        if (Kind == BtfKind.Enumeration64)
        {
            var at = Entry(index, 12);
            return (_btf.NameAt(Word(at)), (long)(Word(at + 4) | ((ulong)Word(at + 8) << 32)));
        }
        var at32 = Entry(index, 8);
        return (_btf.NameAt(Word(at32)), KindFlag ? (int)Word(at32 + 4) : Word(at32 + 4));
    }

    /// <summary>A prototype's parameter, by its number: its name and its type's id (0 for the <c>...</c> at the end).</summary>
    public (string Name, int Type) Parameter(int index)
    {
        var at = Entry(index, 8);
        return (_btf.NameAt(Word(at)), (int)Word(at + 4));
    }

    /// <summary>A DATASEC's variable, by its number.</summary>
    public BtfSectionVariable SectionVariable(int index)
    {
        var at = Entry(index, 12);
        return new BtfSectionVariable((int)Word(at), Word(at + 4), Word(at + 8));
    }

    internal static BtfKind KindOf(uint info) => (BtfKind)((info >> 24) & 0x1f);

    private int Entry(int index, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return 12 + (index * size);
    }

    private uint Word(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_btf.TypeBytes[(_offset + offset)..]);
}
