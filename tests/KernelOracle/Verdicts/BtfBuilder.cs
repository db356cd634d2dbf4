using System.Buffers.Binary;
using System.Text;
using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Verdicts;

/// <summary>Makes types, one after the other: each call gives the new type's id.</summary>
internal sealed class BtfBuilder
{
    private readonly List<uint> _words = [];
    private readonly List<byte> _strings = [0];
    private int _count;

    public int Integer(string name, uint size) => Add(name, BtfKind.Integer, 0, [size, (1 << 24) | (size * 8)]);

    public int Float(string name, uint size) => Add(name, BtfKind.Float, 0, [size]);

    public int Enumeration(string name) => Add(name, BtfKind.Enumeration, 1, [4, Text("only"), 0]);

    public int Pointer(int target) => Add("", BtfKind.Pointer, 0, [(uint)target]);

    public int Const(int target) => Add("", BtfKind.Const, 0, [(uint)target]);

    public int Typedef(string name, int target) => Add(name, BtfKind.Typedef, 0, [(uint)target]);

    public int Forward(string name) => Add(name, BtfKind.Forward, 0, [0]);

    public int Array(int element, int index, uint count) =>
        Add("", BtfKind.Array, 0, [0, (uint)element, (uint)index, count]);

    public int Struct(string name, uint size, params (string Name, int Type, uint Offset)[] members) =>
        Composite(BtfKind.Struct, name, size, members);

    public int Union(string name, uint size, params (string Name, int Type, uint Offset)[] members) =>
        Composite(BtfKind.Union, name, size, members);

    public int Prototype(int result, params int[] parameters) =>
        Add(
            "",
            BtfKind.FunctionPrototype,
            parameters.Length,
            [(uint)result, .. parameters.SelectMany((type, index) => (uint[])[Text($"p{index}"), (uint)type])]
        );

    /// <summary>A function, global or static, of a prototype made for it.</summary>
    public int Function(string name, BtfLinkage linkage, int result, params int[] parameters) =>
        Add(name, BtfKind.Function, (int)linkage, [(uint)Prototype(result, parameters)]);

    /// <summary>A declaration tag of a parameter.</summary>
    public int Tag(string text, int target, int component) =>
        Add(text, BtfKind.DeclarationTag, 0, [(uint)target, (uint)component]);

    /// <summary>The types made so far.</summary>
    public Btf Build()
    {
        var types = _words.Count * sizeof(uint);
        var section = new byte[24 + types + _strings.Count];
        BinaryPrimitives.WriteUInt16LittleEndian(section, 0xeb9f);
        section[2] = 1;
        uint[] words = [24, 0, (uint)types, (uint)types, (uint)_strings.Count, .. _words];
        for (var index = 0; index < words.Length; index++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(4 + (index * sizeof(uint))), words[index]);
        }
        _strings.CopyTo(section, 24 + types);
        return Btf.Read(section, "verdicts");
    }

    private int Composite(BtfKind kind, string name, uint size, (string Name, int Type, uint Offset)[] members) =>
        Add(
            name,
            kind,
            members.Length,
            [size, .. members.SelectMany(m => (uint[])[Text(m.Name), (uint)m.Type, m.Offset * 8])]
        );

    // struct btf_type: name, kind and count, size or type; what is particular to the kind behind it.
    private int Add(string name, BtfKind kind, int count, uint[] rest)
    {
        var text = name.Length == 0 ? 0 : Text(name);
        _words.AddRange([text, ((uint)kind << 24) | (uint)count, .. rest]);
        return ++_count;
    }

    private uint Text(string text)
    {
        var offset = _strings.Count;
        _strings.AddRange(Encoding.ASCII.GetBytes(text));
        _strings.Add(0);
        return (uint)offset;
    }
}
