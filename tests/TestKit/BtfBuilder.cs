using System.Buffers.Binary;
using System.Text;
using RxStages.Bpf.Objects;

namespace RxStages.TestKit;

/// <summary>Makes <c>.BTF</c> sections, of types that no compiler would write too: each call gives the new type's id.</summary>
public sealed class BtfBuilder
{
    private readonly List<byte> _types = [];
    private readonly List<byte> _strings = [0];

    public int NextId { get; private set; } = 1;

    public int Integer(string name, uint size, BtfEncoding encoding = BtfEncoding.Signed) =>
        Add(name, BtfKind.Integer, 0, size, ((uint)encoding << 24) | (size * 8));

    public int Array(int element, uint count) => Add("", BtfKind.Array, 0, 0, (uint)element, (uint)element, count);

    public int Reference(BtfKind kind, int target, string name = "") => Add(name, kind, 0, (uint)target);

    public int Struct(uint size, params (string Name, int Type)[] members) =>
        Add(
            "",
            BtfKind.Struct,
            members.Length,
            size,
            [.. members.SelectMany(member => new[] { NameOf(member.Name), (uint)member.Type, 0u })]
        );

    public int Struct(string name, uint size, params (string Name, int Type, uint BitOffset)[] members) =>
        Composite(BtfKind.Struct, name, size, members);

    public int Union(string name, uint size, params (string Name, int Type, uint BitOffset)[] members) =>
        Composite(BtfKind.Union, name, size, members);

    public int Enumeration(string name) => Add(name, BtfKind.Enumeration, 1, 4, NameOf("only"), 0);

    public int Pointer(int target) => Reference(BtfKind.Pointer, target);

    public int Prototype(int result, params int[] parameters) =>
        Add(
            "",
            BtfKind.FunctionPrototype,
            parameters.Length,
            (uint)result,
            [.. parameters.SelectMany((type, index) => new[] { NameOf($"p{index}"), (uint)type })]
        );

    /// <summary>A function of a prototype made for it.</summary>
    public int Function(string name, BtfLinkage linkage, int result, params int[] parameters) =>
        Add(name, BtfKind.Function, (int)linkage, (uint)Prototype(result, parameters));

    /// <summary>A declaration tag of a member or parameter, by its number.</summary>
    public int Tag(string text, int target, int component) =>
        Add(text, BtfKind.DeclarationTag, 0, (uint)target, (uint)component);

    public int Add(string name, BtfKind kind, int count, uint sizeOrType, params uint[] rest)
    {
        foreach (var word in (uint[])[NameOf(name), ((uint)kind << 24) | (uint)count, sizeOrType, .. rest])
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, word);
            _types.AddRange(bytes);
        }
        return NextId++;
    }

    public byte[] ToArray()
    {
        var section = new byte[24];
        BinaryPrimitives.WriteUInt16LittleEndian(section, 0xeb9f);
        section[2] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(4), 24);
        BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(12), (uint)_types.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(16), (uint)_types.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(20), (uint)_strings.Count);
        return [.. section, .. _types, .. _strings];
    }

    public Btf Build() => Btf.Read(ToArray(), "test");

    private int Composite(BtfKind kind, string name, uint size, (string Name, int Type, uint BitOffset)[] members) =>
        Add(
            name,
            kind,
            members.Length,
            size,
            [.. members.SelectMany(member => new[] { NameOf(member.Name), (uint)member.Type, member.BitOffset })]
        );

    private uint NameOf(string name)
    {
        if (name.Length == 0)
        {
            return 0;
        }
        var offset = (uint)_strings.Count;
        _strings.AddRange(Encoding.UTF8.GetBytes(name));
        _strings.Add(0);
        return offset;
    }
}
