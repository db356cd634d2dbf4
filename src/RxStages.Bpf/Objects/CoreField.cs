namespace RxStages.Bpf.Objects;

/// <summary>A field's place and form in one set of types.</summary>
/// <param name="Value">What the relocation asks of it.</param>
/// <param name="Size">For a question of its offset: its size in bytes; 0 for bit fields.</param>
/// <param name="Type">For a question of its offset: its type; 0 for bit fields.</param>
/// <param name="IsChecked">True when the compiler knows the value too.</param>
internal readonly record struct CoreField(ulong Value, uint Size, int Type, bool IsChecked)
{
    /// <summary>Looks at the field or element that a way leads to.</summary>
    /// <exception cref="CoreRelocationException">It has no answer to such a question.</exception>
    public static CoreField Read(CoreAccess way, CoreKind kind, string description)
    {
        var last = way.Steps[^1];
        if (last.Name is null)
        {
            var size = SizeOf(way.Btf, last.Type, description);
            return kind switch
            {
                CoreKind.FieldByteOffset => new CoreField(way.BitOffset / 8, size, last.Type, IsChecked: true),
                CoreKind.FieldByteSize => new CoreField(size, 0, 0, IsChecked: true),
                _ => throw new CoreRelocationException($"{description}: an element has an offset and a size only"),
            };
        }
        var member = way.Btf[last.Type].Member(last.Index);
        var type = way.Btf[way.Btf.SkipModifiers(member.Type)];
        return member.BitSize > 0
            ? ReadBitField(way.BitOffset, (uint)member.BitSize, type, kind, description)
            : ReadWhole(way, type, kind, description);
    }

    private static CoreField ReadWhole(CoreAccess way, BtfType type, CoreKind kind, string description)
    {
        var size = SizeOf(way.Btf, type.Id, description);
        return kind switch
        {
            CoreKind.FieldByteOffset => new CoreField(way.BitOffset / 8, size, type.Id, IsChecked: true),
            CoreKind.FieldByteSize => new CoreField(size, 0, 0, IsChecked: true),
            CoreKind.FieldSigned => new CoreField(IsSigned(type), 0, 0, IsChecked: true),
            _ => new CoreField(64 - ((ulong)size * 8), 0, 0, IsChecked: true),
        };
    }

    private static CoreField ReadBitField(ulong bitOffset, uint bits, BtfType type, CoreKind kind, string description)
    {
        ulong size = type.Kind is BtfKind.Integer or BtfKind.Enumeration or BtfKind.Enumeration64 ? type.Size : 0;
        if (size == 0)
        {
            throw new CoreRelocationException($"{description}: a bit field of a type that is no integer");
        }
        // The smallest aligned integer that holds all of it; it may lie across two of its own type.
        var offset = bitOffset / 8 / size * size;
        while (bitOffset + bits - (offset * 8) > size * 8)
        {
            if (size >= 8)
            {
                throw new CoreRelocationException($"{description}: no load of 8 bytes holds the bit field");
            }
            size *= 2;
            offset = bitOffset / 8 / size * size;
        }
        return kind switch
        {
            CoreKind.FieldByteOffset => new CoreField(offset, 0, 0, IsChecked: false),
            CoreKind.FieldByteSize => new CoreField(size, 0, 0, IsChecked: false),
            CoreKind.FieldSigned => new CoreField(IsSigned(type), 0, 0, IsChecked: true),
            CoreKind.FieldLeftShift => new CoreField(64 - (bitOffset + bits - (offset * 8)), 0, 0, IsChecked: false),
            _ => new CoreField(64 - bits, 0, 0, IsChecked: true),
        };
    }

    private static ulong IsSigned(BtfType type) =>
        type.Kind == BtfKind.Integer
            ? (type.Encoding.HasFlag(BtfEncoding.Signed) ? 1u : 0u)
            : (CoreAccess.IsEnumeration(type) && type.KindFlag ? 1u : 0u);

    private static uint SizeOf(Btf btf, int type, string description) =>
        btf.SizeOf(type) ?? throw new CoreRelocationException($"{description}: it is of a type that has no size");
}
