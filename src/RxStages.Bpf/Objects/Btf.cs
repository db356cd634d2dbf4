using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// The type information of an object file's <c>.BTF</c> section (kernel documentation, <c>bpf/btf.rst</c>). Types have
/// numbers: 0 is <c>void</c>, the section's first type is 1. Everything that types refer to is checked once, when the
/// section is read; they may still form cycles, as C types do.
/// </summary>
public sealed class Btf
{
    /// <summary>The kernel's limit on the section's size, in bytes (<c>BTF_MAX_SIZE</c>).</summary>
    public const int MaxSize = 16 << 20;

    /// <summary>The kernel's limit on the length of names, in bytes (<c>KSYM_NAME_LEN</c> less one).</summary>
    public const int MaxNameLength = 511;

    /// <summary>How many modifiers, typedefs and array dimensions may stand between a type and what it is in the end (<c>MAX_RESOLVE_DEPTH</c>).</summary>
    public const int MaxResolveDepth = 32;

    // Anonymous structures that are looked through for one member.
    private const int MaxAnonymous = 256;

    private const ushort Magic = 0xeb9f;
    private const int HeaderSize = 24;

    private readonly byte[] _types;
    private readonly ReadOnlyMemory<byte> _strings;
    private readonly int[] _offsets;
    private readonly Lazy<BtfNames> _names;
    private readonly Lazy<ILookup<int, int>> _tags;
    private readonly Lazy<uint> _pointerSize;

    private Btf(byte[] types, ReadOnlyMemory<byte> strings, int[] offsets)
    {
        _types = types;
        _strings = strings;
        _offsets = offsets;
        _names = new(() => new BtfNames(this));
        _tags = new(() =>
            Enumerable
                .Range(1, Count - 1)
                .Where(id => this[id].Kind == BtfKind.DeclarationTag)
                .ToLookup(id => this[id].Target)
        );
        _pointerSize = new(FindPointerSize);
    }

    /// <summary>How many types there are, <c>void</c> included: ids go from 0 to one less.</summary>
    public int Count => _offsets.Length;

    /// <summary>All strings, for readers of sections that share them.</summary>
    internal ReadOnlyMemory<byte> Strings => _strings;

    /// <summary>The type section.</summary>
    internal ReadOnlySpan<byte> TypeBytes => _types;

    /// <summary>The type of that number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public BtfType this[int id]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, Count);
            return new BtfType(this, id, _offsets[id]);
        }
    }

    /// <summary>Reads a <c>.BTF</c> section.</summary>
    /// <param name="section">Its bytes; they are copied.</param>
    /// <param name="source">The file as the user named it, for errors.</param>
    /// <exception cref="InputException">The section is broken, or too large for the kernel.</exception>
    public static Btf Read(ReadOnlySpan<byte> section, string source)
    {
        if (section.Length > MaxSize)
        {
            throw Broken(source, $"{section.Length} bytes: the limit is {MaxSize}");
        }
        if (section.Length < HeaderSize || BinaryPrimitives.ReadUInt16LittleEndian(section) != Magic)
        {
            throw Broken(source, "no BTF header");
        }
        if (section[2] != 1)
        {
            throw Broken(source, $"BTF version {section[2]} is not supported: version 1 is");
        }
        var headerLength = BinaryPrimitives.ReadUInt32LittleEndian(section[4..]);
        if (headerLength < HeaderSize || headerLength > section.Length)
        {
            throw Broken(source, $"a header of {headerLength} bytes in a section of {section.Length}");
        }
        var body = section[(int)headerLength..];
        var types = Part(body, section[8..], source, "types");
        var strings = Part(body, section[16..], source, "strings");
        if (strings.IsEmpty || strings[0] != 0 || strings[^1] != 0)
        {
            throw Broken(source, "the strings do not begin and end with a zero byte");
        }
        var typeBytes = types.ToArray();
        var btf = new Btf(typeBytes, strings.ToArray(), BtfValidator.FindTypes(typeBytes, source));
        BtfValidator.CheckReferences(btf, source);
        return btf;
    }

    /// <summary>The number of the first type of that name and kind, or 0.</summary>
    public int Find(string name, BtfKind kind)
    {
        foreach (var id in FindAll(Externs.WithoutFlavor(name)))
        {
            if (this[id].Kind == kind && this[id].Name == name)
            {
                return id;
            }
        }
        return 0;
    }

    /// <summary>The numbers of all types of that name, in order; types count whose name has a <c>___flavor</c> behind it.</summary>
    internal IEnumerable<int> FindAll(string name) => _names.Value.Find(name);

    /// <summary>The numbers of the declaration tags of a type and its members or parameters.</summary>
    internal IEnumerable<int> DeclarationTagsOf(int id) => _tags.Value[id];

    /// <summary>What a type is behind its typedefs, qualifiers and tags; 0 when there are more than <see cref="MaxResolveDepth"/> of them.</summary>
    public int SkipModifiers(int id)
    {
        for (var depth = 0; depth < MaxResolveDepth; depth++)
        {
            var type = this[id];
            if (
                type.Kind
                is not (BtfKind.Typedef or BtfKind.Volatile or BtfKind.Const or BtfKind.Restrict or BtfKind.TypeTag)
            )
            {
                return id;
            }
            id = type.Target;
        }
        return 0;
    }

    /// <summary>Where a member of a structure or union begins, in bytes, or null if there is none; members of anonymous ones in it are its own.</summary>
    public int? OffsetOf(int structure, string name) =>
        FindMember(structure, name) is { } member ? (int)(member.BitOffset / 8) : null;

    /// <summary>
    /// A member of a structure or union, where it begins being counted from that one's start; null if there is none. Members
    /// of anonymous ones in it are its own.
    /// </summary>
    internal BtfMember? FindMember(int structure, string name) => FindMember(SkipModifiers(structure), name, []);

    // Types can name each other so that the ways through them are without number: each is looked at once.
    private BtfMember? FindMember(int structure, string name, HashSet<int> seen)
    {
        var type = this[structure];
        if (type.Kind is not (BtfKind.Struct or BtfKind.Union) || seen.Count > MaxAnonymous || !seen.Add(structure))
        {
            return null;
        }
        for (var index = 0; index < type.Count; index++)
        {
            var member = type.Member(index);
            if (member.Name == name)
            {
                return member;
            }
            if (member.Name.Length == 0 && FindMember(SkipModifiers(member.Type), name, seen) is { } inner)
            {
                return inner with { BitOffset = member.BitOffset + inner.BitOffset };
            }
        }
        return null;
    }

    /// <summary>
    /// A type's size in bytes, behind modifiers, arrays and variables; null for what has none (<c>void</c>, functions,
    /// declarations), nests deeper than <see cref="MaxResolveDepth"/>, or does not fit 32 bits.
    /// </summary>
    public uint? SizeOf(int id)
    {
        ulong factor = 1;
        for (var depth = 0; depth < MaxResolveDepth; depth++)
        {
            var type = this[id];
            switch (type.Kind)
            {
                case BtfKind.Integer
                or BtfKind.Struct
                or BtfKind.Union
                or BtfKind.Enumeration
                or BtfKind.Enumeration64
                or BtfKind.Float
                or BtfKind.DataSection:
                    return Narrow(factor * type.Size);
                case BtfKind.Pointer:
                    return Narrow(factor * _pointerSize.Value);
                case BtfKind.Typedef
                or BtfKind.Volatile
                or BtfKind.Const
                or BtfKind.Restrict
                or BtfKind.TypeTag
                or BtfKind.Variable:
                    id = type.Target;
                    break;
                case BtfKind.Array:
                    factor *= type.ElementCount;
                    if (factor > uint.MaxValue)
                    {
                        return null;
                    }
                    id = type.ElementType;
                    break;
                default:
                    return null;
            }
        }
        return null;

        static uint? Narrow(ulong size) => size <= uint.MaxValue ? (uint)size : null;
    }

    /// <summary>A type's alignment in bytes, as compilers for eBPF align it; 1 for what has none.</summary>
    public uint AlignmentOf(int id)
    {
        for (var depth = 0; depth < MaxResolveDepth; depth++)
        {
            var type = this[id];
            switch (type.Kind)
            {
                case BtfKind.Integer or BtfKind.Enumeration or BtfKind.Enumeration64 or BtfKind.Float:
                    return Math.Clamp(type.Size, 1, 8);
                case BtfKind.Pointer:
                    return _pointerSize.Value;
                case BtfKind.Typedef
                or BtfKind.Volatile
                or BtfKind.Const
                or BtfKind.Restrict
                or BtfKind.TypeTag
                or BtfKind.Variable:
                    id = type.Target;
                    break;
                case BtfKind.Array:
                    id = type.ElementType;
                    break;
                default:
                    return 1;
            }
        }
        return 1;
    }

    internal string NameAt(uint offset) => Encoding.UTF8.GetString(NameBytesAt(offset));

    /// <summary>A type's name in UTF-8; empty for anonymous types, and for tags, whose text is no name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ReadOnlySpan<byte> NameBytes(int id) =>
        this[id].Kind is BtfKind.DeclarationTag or BtfKind.TypeTag
            ? []
            : NameBytesAt(BinaryPrimitives.ReadUInt32LittleEndian(_types.AsSpan(_offsets[id])));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> NameBytesAt(uint offset)
    {
        var name = _strings.Span[(int)offset..];
        return name[..name.IndexOf((byte)0)];
    }

    // Pointers are as wide as "long", whichever way the compiler writes that.
    private uint FindPointerSize()
    {
        foreach (var name in (string[])["long int", "long unsigned int", "long", "unsigned long"])
        {
            var id = Find(name, BtfKind.Integer);
            if (id != 0 && this[id].Size is 4 or 8)
            {
                return this[id].Size;
            }
        }
        return 8;
    }

    /// <summary>
    /// The same types with the sizes and offsets of a DATASEC as the object file's symbols have them: compilers leave them
    /// zero, and loaders fill them in.
    /// </summary>
    internal Btf WithDataSections(IReadOnlyDictionary<int, (uint Size, uint[] Offsets)> sections)
    {
        var types = _types.ToArray();
        foreach (var (id, layout) in sections)
        {
            var record = types.AsSpan(_offsets[id]);
            BinaryPrimitives.WriteUInt32LittleEndian(record[8..], layout.Size);
            for (var i = 0; i < layout.Offsets.Length; i++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(record[(12 + (i * 12) + 4)..], layout.Offsets[i]);
            }
        }
        return new Btf(types, _strings, _offsets);
    }

    /// <summary>Writes a section's header, for types that the strings follow at once.</summary>
    internal void WriteHeader(Span<byte> section, int typesLength)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(section, Magic);
        section[2] = 1;
        section[3] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(section[4..], HeaderSize);
        BinaryPrimitives.WriteInt32LittleEndian(section[8..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(section[12..], typesLength);
        BinaryPrimitives.WriteInt32LittleEndian(section[16..], typesLength);
        BinaryPrimitives.WriteInt32LittleEndian(section[20..], _strings.Length);
    }

    internal static InputException Broken(string source, string reason) => new(source, ".BTF", reason);

    private static ReadOnlySpan<byte> Part(
        ReadOnlySpan<byte> body,
        ReadOnlySpan<byte> header,
        string source,
        string what
    )
    {
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(header);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        return offset <= (uint)body.Length && length <= (uint)body.Length - offset
            ? body.Slice((int)offset, (int)length)
            : throw Broken(source, $"the {what} ({length} bytes at {offset}) are outside of the section");
    }
}
