using System.Buffers.Binary;
using System.Text;
using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Verdicts;

/// <summary>The types of the corpus: without the types of functions the kernel lets no program take a function's address.</summary>
internal static class VerdictTypes
{
    private const string Strings = "\0int\0function\0bpf_spin_lock\0val\0value\0count\0lock\0rest\0";

    /// <summary>The id of <c>int</c>.</summary>
    public const int Integer = 1;

    /// <summary>The id of a static function's type: <c>static int function(void)</c>.</summary>
    public const int StaticFunction = 3;

    /// <summary>The id of a value with a lock: <c>struct value { int count; struct bpf_spin_lock lock; int rest[2]; }</c>.</summary>
    public const int LockedValue = 6;

    /// <summary>Where its lock is.</summary>
    public const int LockOffset = 4;

    /// <summary>The types.</summary>
    public static Btf Btf { get; } = Make();

    private static Btf Make()
    {
        // struct btf_type: name, kind and count, size or type; an integer's encoding behind it.
        uint[] types =
        [
            Name("int"),
            Kind(BtfKind.Integer),
            4,
            (1 << 24) | 32,
            0,
            Kind(BtfKind.FunctionPrototype),
            1,
            Name("function"),
            Kind(BtfKind.Function),
            2,
            Name("bpf_spin_lock"),
            Kind(BtfKind.Struct) | 1,
            4,
            Name("val"),
            Integer,
            0,
            0,
            Kind(BtfKind.Array),
            0,
            Integer,
            Integer,
            2,
            Name("value"),
            Kind(BtfKind.Struct) | 3,
            16,
            Name("count"),
            Integer,
            0,
            Name("lock"),
            4,
            LockOffset * 8,
            Name("rest"),
            5,
            64,
        ];
        var section = new byte[24 + (types.Length * sizeof(uint)) + Strings.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(section, 0xeb9f);
        section[2] = 1;
        uint[] header =
        [
            24,
            0,
            (uint)types.Length * sizeof(uint),
            (uint)types.Length * sizeof(uint),
            (uint)Strings.Length,
        ];
        for (var index = 0; index < header.Length; index++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(4 + (index * sizeof(uint))), header[index]);
        }
        for (var index = 0; index < types.Length; index++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(24 + (index * sizeof(uint))), types[index]);
        }
        Encoding.ASCII.GetBytes(Strings, section.AsSpan(24 + (types.Length * sizeof(uint))));
        return Btf.Read(section, "verdicts");
    }

    private static uint Name(string name) => (uint)Strings.IndexOf('\0' + name + '\0', StringComparison.Ordinal) + 1;

    private static uint Kind(BtfKind kind) => (uint)kind << 24;
}
