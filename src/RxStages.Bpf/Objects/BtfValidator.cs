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
        var names = new NameCheck(btf.Strings.Span, source);
        for (var id = 1; id < btf.Count; id++)
        {
            var type = btf[id];
            var record = btf.TypeBytes[type.RecordOffset..];
            // Tags carry free text, which nobody asks for.
            if (type.Kind is not (BtfKind.DeclarationTag or BtfKind.TypeTag))
            {
                names.Check(record, 0, id);
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
            CheckEntries(btf, type, record, names, source);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CheckEntries(
        Btf btf,
        BtfType type,
        ReadOnlySpan<byte> record,
        in NameCheck names,
        string source
    )
    {
        // How long an entry is, and where in it a name and a type are, or -1.
        var (length, name, member) = type.Kind switch
        {
            BtfKind.Struct or BtfKind.Union => (12, 0, 4),
            BtfKind.Enumeration => (8, 0, -1),
            BtfKind.Enumeration64 => (12, 0, -1),
            BtfKind.FunctionPrototype => (8, 0, 4),
            BtfKind.DataSection => (12, -1, 0),
            _ => default,
        };
        var count = length == 0 ? 0 : type.Count;
        for (var (i, at) = (0, 12); i < count; i++, at += length)
        {
            if (name >= 0)
            {
                names.Check(record, at + name, type.Id);
            }
            if (member >= 0)
            {
                CheckType(btf, record, at + member, type.Id, source);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CheckType(Btf btf, ReadOnlySpan<byte> record, int at, int id, string source)
    {
        var target = BinaryPrimitives.ReadUInt32LittleEndian(record[at..]);
        if (target >= (uint)btf.Count)
        {
            throw Btf.Broken(source, $"type {id} refers to type {target} of {btf.Count}");
        }
    }

    /// <summary>Checks that names are among the strings, and no longer than they may be.</summary>
    private readonly ref struct NameCheck
    {
        private readonly ReadOnlySpan<byte> _strings;
        private readonly string _source;
        private readonly bool _areAllShort;

        public NameCheck(ReadOnlySpan<byte> strings, string source)
        {
            _strings = strings;
            _source = source;
            // A kernel's types have half a million names: it is quicker to look at each string once.
            _areAllShort = AreAllShort(strings);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Check(ReadOnlySpan<byte> record, int at, int id)
        {
            var offset = BinaryPrimitives.ReadUInt32LittleEndian(record[at..]);
            if (offset >= (uint)_strings.Length || !_areAllShort)
            {
                CheckSlowly(offset, id);
            }
        }

        private void CheckSlowly(uint offset, int id)
        {
            if (offset >= (uint)_strings.Length)
            {
                throw Btf.Broken(_source, $"type {id} has a name at {offset}, outside of the strings");
            }
            var rest = _strings[(int)offset..];
            if (rest[..Math.Min(rest.Length, Btf.MaxNameLength + 1)].IndexOf((byte)0) < 0)
            {
                throw Btf.Broken(_source, $"type {id} has a name longer than {Btf.MaxNameLength} bytes");
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static bool AreAllShort(ReadOnlySpan<byte> strings)
        {
            for (var start = 0; start < strings.Length; )
            {
                var length = strings[start..].IndexOf((byte)0);
                if (length is < 0 or > Btf.MaxNameLength)
                {
                    return false;
                }
                start += length + 1;
            }
            return true;
        }
    }
}
