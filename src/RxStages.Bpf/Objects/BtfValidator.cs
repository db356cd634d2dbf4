using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Checks a BTF section as it is read, so that nobody who uses it need do so. A kernel's has 150,000 types and is read
/// once: the methods with loops over them are optimised at once, since no second call would be quicker.
/// </summary>
internal static class BtfValidator
{
    private const int MaxTypes = 0x000fffff;

    /// <summary>The offset of each type's record, by id (that of <c>void</c> is unused), each record being inside the section.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int[] FindTypes(ReadOnlySpan<byte> types, string source)
    {
        var offsets = new List<int> { 0 };
        for (var at = 0; at < types.Length; )
        {
            var id = offsets.Count;
            if (id > MaxTypes)
            {
                throw Btf.Broken(source, $"more than {MaxTypes} types");
            }
            var left = types.Length - at;
            if (left < 12)
            {
                throw Btf.Broken(source, $"type {id} is cut off");
            }
            var info = BinaryPrimitives.ReadUInt32LittleEndian(types[(at + 4)..]);
            var kind = BtfType.KindOf(info);
            var count = (int)(info & 0xffff);
            var size = kind switch
            {
                BtfKind.Integer or BtfKind.Variable or BtfKind.DeclarationTag => 16,
                BtfKind.Array => 24,
                BtfKind.Struct or BtfKind.Union or BtfKind.DataSection or BtfKind.Enumeration64 => 12 + (12 * count),
                BtfKind.Enumeration or BtfKind.FunctionPrototype => 12 + (8 * count),
                BtfKind.Pointer
                or BtfKind.Forward
                or BtfKind.Typedef
                or BtfKind.Volatile
                or BtfKind.Const
                or BtfKind.Restrict
                or BtfKind.Function
                or BtfKind.Float
                or BtfKind.TypeTag => 12,
                _ => throw Btf.Broken(source, $"type {id} is of unknown kind {(int)kind}"),
            };
            if (left < size)
            {
                throw Btf.Broken(source, $"type {id} is cut off");
            }
            offsets.Add(at);
            at += size;
        }
        return [.. offsets];
    }

    /// <summary>Checks that all names and types that types refer to exist and are of a kind that may stand there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CheckReferences(Btf btf, string source)
    {
        var strings = btf.Strings.Span;
        for (var id = 1; id < btf.Count; id++)
        {
            var type = btf[id];
            var record = btf.TypeBytes[type.RecordOffset..];
            // Tags carry free text, which nobody asks for.
            if (type.Kind is not (BtfKind.DeclarationTag or BtfKind.TypeTag))
            {
                CheckName(strings, record, 0, id, source);
            }
            switch (type.Kind)
            {
                case BtfKind.Pointer
                or BtfKind.Typedef
                or BtfKind.Volatile
                or BtfKind.Const
                or BtfKind.Restrict
                or BtfKind.TypeTag
                or BtfKind.FunctionPrototype
                or BtfKind.Function
                or BtfKind.Variable
                or BtfKind.DeclarationTag:
                    CheckType(btf, record, 8, id, source);
                    break;
                case BtfKind.Array:
                    CheckType(btf, record, 12, id, source);
                    CheckType(btf, record, 16, id, source);
                    break;
                case BtfKind.Integer
                    when type.Size is not (1 or 2 or 4 or 8 or 16)
                        || type.BitSize == 0
                        || type.BitOffset + type.BitSize > type.Size * 8:
                    throw Btf.Broken(source, $"integer type {id} has {type.BitSize} bits in {type.Size} bytes");
                case BtfKind.Enumeration or BtfKind.Enumeration64 when type.Size is not (1 or 2 or 4 or 8):
                    throw Btf.Broken(source, $"enumeration type {id} has {type.Size} bytes");
            }
            if (type.Kind == BtfKind.Function && btf[type.Target].Kind != BtfKind.FunctionPrototype)
            {
                throw Btf.Broken(source, $"function {id} is of type {type.Target}, which is no prototype");
            }
            CheckEntries(btf, type, record, source);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CheckEntries(Btf btf, BtfType type, ReadOnlySpan<byte> record, string source)
    {
        var strings = btf.Strings.Span;
        for (var i = 0; i < type.Count; i++)
        {
            switch (type.Kind)
            {
                case BtfKind.Struct or BtfKind.Union:
                    CheckName(strings, record, 12 + (12 * i), type.Id, source);
                    CheckType(btf, record, 12 + (12 * i) + 4, type.Id, source);
                    break;
                case BtfKind.Enumeration:
                    CheckName(strings, record, 12 + (8 * i), type.Id, source);
                    break;
                case BtfKind.Enumeration64:
                    CheckName(strings, record, 12 + (12 * i), type.Id, source);
                    break;
                case BtfKind.FunctionPrototype:
                    CheckName(strings, record, 12 + (8 * i), type.Id, source);
                    CheckType(btf, record, 12 + (8 * i) + 4, type.Id, source);
                    break;
                case BtfKind.DataSection:
                    CheckType(btf, record, 12 + (12 * i), type.Id, source);
                    break;
                default:
                    return;
            }
        }
    }

    private static void CheckName(ReadOnlySpan<byte> strings, ReadOnlySpan<byte> record, int at, int id, string source)
    {
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(record[at..]);
        if (offset >= (uint)strings.Length)
        {
            throw Btf.Broken(source, $"type {id} has a name at {offset}, outside of the strings");
        }
        var rest = strings[(int)offset..];
        if (rest[..Math.Min(rest.Length, Btf.MaxNameLength + 1)].IndexOf((byte)0) < 0)
        {
            throw Btf.Broken(source, $"type {id} has a name longer than {Btf.MaxNameLength} bytes");
        }
    }

    private static void CheckType(Btf btf, ReadOnlySpan<byte> record, int at, int id, string source)
    {
        var target = BinaryPrimitives.ReadUInt32LittleEndian(record[at..]);
        if (target >= (uint)btf.Count)
        {
            throw Btf.Broken(source, $"type {id} refers to type {target} of {btf.Count}");
        }
    }
}
