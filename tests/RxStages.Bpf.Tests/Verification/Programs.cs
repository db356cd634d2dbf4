using System.Collections.Immutable;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>Programs in assembler text, and what the verifier says of them.</summary>
internal static class Programs
{
    /// <summary>The maps that the programs may use, by index.</summary>
    public static readonly ImmutableArray<MapSpec> Maps =
    [
        MapOf("array", MapType.Array, 4, 48, 4),
        MapOf("hash", MapType.Hash, 8, 16, 64),
        MapOf("programs", MapType.ProgArray, 4, 4, 8),
        MapOf("devices", MapType.Devmap, 4, 4, 8),
        MapOf(".rodata", MapType.Array, 4, 16, 1) with
        {
            Flags = MapFlags.ReadOnlyProgram,
            IsFrozen = true,
            InitialValue = [40, 0, 0, 0, 41, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0],
        },
        MapOf(".data", MapType.Array, 4, 16, 1),
        MapOf("sockets", MapType.Xskmap, 4, 4, 8),
        MapOf("ring", MapType.Ringbuf, 0, 0, 4096),
        MapOf("write_only", MapType.Array, 4, 8, 1) with
        {
            Flags = MapFlags.WriteOnlyProgram,
        },
    ];

    /// <summary>Behind it r2 is data, r3 data_end, and r2 to r2 + <paramref name="length"/> is proved to be there.</summary>
    public static string Packet(int length, string body) =>
        $"""
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r4 = r2
            r4 += {length}
            if r4 > r3 goto out
            {body}
            out:
            r0 = 2
            exit
            """;

    /// <summary>Behind it r0 is a value of map 0 (48 bytes), not null.</summary>
    public static string ArrayValue(string body) =>
        $"""
            r6 = r1
            *(u32 *)(r10 - 4) = 9
            r2 = r10
            r2 += -4
            r1 = map[0] ll
            call 1
            if r0 == 0 goto out
            {body}
            out:
            r0 = 2
            exit
            """;

    public static ProgramSpec Assemble(string text, AttachKind attachKind = AttachKind.Xdp)
    {
        var instructions = Assembler.Assemble(text);
        var starts = InstructionValidator.FindFunctions(instructions.AsSpan());
        return new ProgramSpec
        {
            Name = "test",
            Section = "xdp",
            AttachKind = attachKind,
            Instructions = instructions,
            Functions =
            [
                .. starts
                    .Zip(starts.Skip(1).Append(instructions.Length))
                    .Select(
                        (range, index) =>
                            new FunctionSpec(
                                index == 0 ? "main" : $"function{index}",
                                range.First,
                                range.Second - range.First,
                                IsGlobal: false,
                                BtfType: 0
                            )
                    ),
            ],
        };
    }

    public static VerifiedProgram Verify(string text, VerifierOptions? options = null) =>
        Verifier.Verify(Assemble(text), Maps, options);

    /// <summary>Expects a rejection whose problem contains some words.</summary>
    public static VerificationException Rejects(string text, string words, VerifierOptions? options = null)
    {
        var error = Assert.Throws<VerificationException>(() => Verify(text, options));
        Assert.Contains(words, error.Problem, StringComparison.Ordinal);
        return error;
    }

    private static MapSpec MapOf(string name, MapType type, uint key, uint value, uint entries) =>
        new()
        {
            Name = name,
            Type = type,
            KeySize = key,
            ValueSize = value,
            MaxEntries = entries,
        };
}
