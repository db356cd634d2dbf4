using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Objects;

public class CoreRelocationTests
{
    public static TheoryData<string> Objects => TestObjects.CompiledFrom("core");

    [Theory]
    [MemberData(nameof(Objects))]
    public void EveryKindOfQuestionIsAnsweredByTheTargetsTypes(string name)
    {
        var target = TargetTypes;
        var spec = Read(name, target);
        long[] expected =
        [
            20, // net_device.ifindex, in anonymous members
            24, // net_device.mtu
            2, // its size
            0, // signed
            1, // net_device.ifindex signed
            1, // net_device.mtu exists
            0, // net_device.no_such_field
            1, // net_device___renamed.mtu
            4, // size of net_device.addr_len
            17, // sk_buff.pkt_type: offset, size, shifts and sign of a bit field
            1,
            61,
            61,
            0,
            52, // sk_buff.cb[5], of integers in the target
            24, // sk_buff.queue_mapping, behind qualifiers
            16, // sk_buff.hash, a bit field in the target
            0, // sk_buff.list.next
            15, // task_struct.comm[3], without a size in the target
            40, // task[2].pid
            0, // task_struct___old.state exists
            12, // ethhdr.h_proto
            0, // types: no_such_structure, net_device___empty, bpf_attr___local, no_such_function_t
            1,
            1,
            0,
            80, // sizes: sk_buff, no_such_structure
            0,
            target.Find("sk_buff", BtfKind.Struct), // ids: sk_buff, no_such_structure
            0,
            spec.Btf!.Find("sk_buff", BtfKind.Struct),
            1, // XDP_DROP___local: exists, value
            -2,
            0, // XDP_NOT_THERE___local
            .. name.EndsWith("19", StringComparison.Ordinal) ? [1, 0, 0] : Array.Empty<long>(),
        ];
        Assert.Equal(expected, AnswersOf(spec.FindProgram("asks")).Take(expected.Length));
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void WithoutATargetProgramsAreFittedToTheirOwnTypes(string name)
    {
        var answers = AnswersOf(Read(name, target: null).FindProgram("asks"));
        Assert.Equal([0, 4, 4, 0, 1, 1, 1, 1, 1], answers.Take(9));
        Assert.Equal(77, answers[32]);
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void WhatIsMissingAndGuardedIsNeverReached(string name)
    {
        var spec = Read(name, TargetTypes);
        foreach (var program in new[] { "guarded", "guarded_load" })
        {
            Assert.Null(spec.FindProgram(program).Unsupported);
            LoadedObject.Verify(spec, spec.FindProgram(program));
        }
        Assert.NotEmpty(spec.FindProgram("guarded_load").Unresolved);
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void WhatIsMissingAndReachedIsNamed(string name)
    {
        var spec = Read(name, TargetTypes);
        var error = Assert.Throws<VerificationException>(() =>
            LoadedObject.Verify(spec, spec.FindProgram("unguarded"))
        );
        Assert.Contains("<byte_off>", error.Problem, StringComparison.Ordinal);
        Assert.Contains("struct task_struct___old.state (0:0 @ offset 0)", error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void TypesThatAnswerDifferentlyAreAmbiguous()
    {
        var local = new BtfBuilder();
        var number = local.Integer("int", 4, BtfEncoding.Signed);
        local.Struct("pair", 8, ("a", number, 0), ("b", number, 32));
        var target = new BtfBuilder();
        number = target.Integer("int", 4, BtfEncoding.Signed);
        target.Struct("pair", 8, ("a", number, 0), ("b", number, 32));
        target.Struct("pair___other", 8, ("a", number, 32), ("b", number, 32));
        target.Struct("pair___less", 4, ("a", number, 0));
        var relocator = new CoreRelocator(local.Build(), target.Build());
        var error = Assert.Throws<CoreRelocationException>(() =>
            relocator.Resolve(new CoreRelocation(0, 2, "0:0", CoreKind.FieldByteOffset))
        );
        Assert.Contains("ambiguous", error.Message, StringComparison.Ordinal);
        Assert.Equal(4u, relocator.Resolve(new CoreRelocation(0, 2, "0:1", CoreKind.FieldByteOffset)).NewValue);
    }

    [Fact]
    public void PointersAreAsWideAsTheTargetsLong()
    {
        var local = Pointers(longSize: 8);
        var target = Pointers(longSize: 4);
        var relocator = new CoreRelocator(local, target);
        var result = relocator.Resolve(new CoreRelocation(0, 4, "0:1", CoreKind.FieldByteOffset));
        Assert.Equal((8u, 4u, false), (result.OriginalSize, result.NewSize, result.IsSizeFixed));

        static Btf Pointers(uint longSize)
        {
            var btf = new BtfBuilder();
            var number = btf.Integer("long unsigned int", longSize, BtfEncoding.None);
            btf.Integer("int", 4, BtfEncoding.Signed);
            var pointer = btf.Reference(BtfKind.Pointer, number);
            btf.Struct("pair", longSize * 2, ("a", number, 0), ("b", pointer, longSize * 8));
            return btf.Build();
        }
    }

    [Theory]
    [InlineData("r1 = 8", 8, 24, "r1 = 24")]
    [InlineData("w1 = 8", 8, 24, "w1 = 24")]
    [InlineData("r1 += 8", 8, 24, "r1 += 24")]
    [InlineData("r1 = *(u32 *)(r2 + 8)", 8, 24, "r1 = *(u32 *)(r2 + 24)")]
    [InlineData("*(u16 *)(r2 + 8) = r3", 8, 24, "*(u16 *)(r2 + 24) = r3")]
    [InlineData("*(u8 *)(r2 + 8) = 5", 8, 24, "*(u8 *)(r2 + 24) = 5")]
    [InlineData("r1 = 8 ll", 8, 24, "r1 = 24 ll")]
    [InlineData("r1 = 8 ll", 8, 0x1234567890, "r1 = 0x1234567890 ll")]
    public void AnswersGoWhereTheCompilerLeftRoomForThem(string before, ulong original, ulong answer, string after) =>
        Assert.Equal(
            Assembler.Assemble(after),
            Patch(before, new CoreResult("x") { OriginalValue = original, NewValue = answer })
        );

    [Fact]
    public void LoadsAndStoresTakeTheWidthOfTheField()
    {
        var wider = new CoreResult("x") { OriginalSize = 4, NewSize = 8 };
        Assert.Equal(Assembler.Assemble("r1 = *(u64 *)(r2 + 0)"), Patch("r1 = *(u32 *)(r2 + 0)", wider));
        var narrower = new CoreResult("x") { OriginalSize = 4, NewSize = 1 };
        Assert.Equal(Assembler.Assemble("*(u8 *)(r2 + 0) = r1"), Patch("*(u32 *)(r2 + 0) = r1", narrower));
    }

    [Fact]
    public void SignedFieldsOfAnotherWidthPoisonLoadsButNotNumbers()
    {
        var result = new CoreResult("x")
        {
            OriginalSize = 4,
            NewSize = 8,
            IsSizeFixed = true,
        };
        Assert.Equal(CorePatch.PoisonedHelper, Patch("r1 = *(u32 *)(r2 + 0)", result)[0].Immediate);
        Assert.Equal(Assembler.Assemble("r1 = 0"), Patch("r1 = 0", result));
    }

    [Theory]
    [InlineData("r1 = 7", 8, 0)]
    [InlineData("r1 = r2", 8, 0)]
    [InlineData("r1 = *(u32 *)(r2 + 8)", 8, 40000)]
    [InlineData("exit", 0, 0)]
    [InlineData("goto +0", 0, 0)]
    public void WhatTheCompilerWouldNotHaveWrittenIsRefused(string text, ulong original, ulong answer) =>
        Assert.Throws<CoreRelocationException>(() =>
            Patch(text, new CoreResult("x") { OriginalValue = original, NewValue = answer })
        );

    [Theory]
    [InlineData(1, "0:0", CoreKind.FieldByteOffset)]
    [InlineData(2, "0:9", CoreKind.FieldByteOffset)]
    [InlineData(2, "0:-1", CoreKind.FieldByteOffset)]
    [InlineData(2, "", CoreKind.FieldByteOffset)]
    [InlineData(2, "1", CoreKind.TypeSize)]
    [InlineData(2, "0", CoreKind.EnumValue)]
    [InlineData(2, "0:0", (CoreKind)13)]
    [InlineData(3, "0:0", CoreKind.FieldByteOffset)]
    [InlineData(
        2,
        "0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0",
        CoreKind.FieldByteOffset
    )]
    public void BrokenQuestionsAreRefused(int type, string access, object kind)
    {
        var btf = new BtfBuilder();
        var number = btf.Integer("int", 4, BtfEncoding.Signed);
        btf.Struct("pair", 8, ("a", number, 0), ("b", number, 32));
        btf.Struct("", 4, ("a", number, 0));
        var relocator = new CoreRelocator(btf.Build(), null);
        Assert.Throws<CoreRelocationException>(() =>
            relocator.Resolve(new CoreRelocation(0, type, access, (CoreKind)kind))
        );
    }

    [Fact]
    public void TypesThatNameEachOtherOverAndOverAreGivenUp()
    {
        var local = new BtfBuilder();
        var number = local.Integer("int", 4, BtfEncoding.Signed);
        local.Struct("deep", 4, ("field", number, 0));
        var target = new BtfBuilder();
        var inner = target.Integer("int", 4, BtfEncoding.Signed);
        // Each structure holds the one before four times, without names: more ways than can be gone.
        for (var depth = 0; depth < 40; depth++)
        {
            inner = target.Struct(
                depth == 39 ? "deep" : "",
                4,
                ("", inner, 0),
                ("", inner, 0),
                ("", inner, 0),
                ("", inner, 0)
            );
        }
        var relocator = new CoreRelocator(local.Build(), target.Build());
        Assert.Throws<CoreRelocationException>(() =>
            relocator.Resolve(new CoreRelocation(0, 2, "0:0", CoreKind.FieldByteOffset))
        );
    }

    private static Btf TargetTypes => TestObjects.Read("core_target.clang-19").Btf!;

    private static ObjectSpec Read(string name, Btf? target) =>
        ObjectReader.Read(TestObjects.Bytes(name), name, TargetKernel.Of(target, config: null));

    private static Instruction[] Patch(string text, CoreResult result)
    {
        var instructions = Assembler.Assemble(text).ToArray();
        var second = instructions.Length > 1 ? instructions[1] : default;
        CorePatch.Apply(ref instructions[0], ref second, result);
        if (instructions.Length > 1)
        {
            instructions[1] = second;
        }
        return instructions;
    }

    /// <summary>What the program stores in its array, by running it in the head: it loads constants and stores them.</summary>
    private static List<long> AnswersOf(ProgramSpec program)
    {
        Assert.Null(program.Unsupported);
        var registers = new long[11];
        var answers = new SortedDictionary<int, long>();
        for (var slot = 0; slot < program.Instructions.Length; slot++)
        {
            var instruction = program.Instructions[slot];
            if (instruction.IsWide)
            {
                slot++;
                registers[instruction.Destination] =
                    (uint)instruction.Immediate | ((long)program.Instructions[slot].Immediate << 32);
            }
            else if (instruction is { IsAlu: true, AluOperation: AluOperation.Mov, UsesSourceRegister: false })
            {
                registers[instruction.Destination] =
                    instruction.Class == InstructionClass.Alu ? (uint)instruction.Immediate : instruction.Immediate;
            }
            else if (instruction.Class == InstructionClass.Stx)
            {
                answers[instruction.Offset] = registers[instruction.Source];
            }
        }
        return [.. answers.Values];
    }
}
