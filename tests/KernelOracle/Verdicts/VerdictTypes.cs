using System.Buffers.Binary;
using System.Text;
using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Verdicts;

/// <summary>The types of the corpus: without the types of functions the kernel lets no program take a function's address.</summary>
internal static class VerdictTypes
{
    private const string Strings = "\0int\0function\0";

    /// <summary>The id of a static function's type: <c>static int function(void)</c>.</summary>
    public const int StaticFunction = 3;

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

    private static uint Name(string name) => (uint)Strings.IndexOf(name, StringComparison.Ordinal);

    private static uint Kind(BtfKind kind) => (uint)kind << 24;
}
