using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Tests.Isa;

public class AssemblerTests
{
    [Theory]
    [InlineData("r1 = *(u32 *)(r1 + 4)", 0x61, 1, 1, 4, 0)]
    [InlineData("w1 = *(u32 *)(r2 - 0x4)", 0x61, 1, 2, -4, 0)]
    [InlineData("r1 = *(s8 *)(r1 + 0x0)", 0x91, 1, 1, 0, 0)]
    [InlineData("*(u64 *)(r10 - 8) = r1", 0x7b, 10, 1, -8, 0)]
    [InlineData("*(u16 *)(r10 - 2) = -5", 0x6a, 10, 0, -2, -5)]
    [InlineData("r0 s>>= 3", 0xc7, 0, 0, 0, 3)]
    [InlineData("w2 += w3", 0x0c, 2, 3, 0, 0)]
    [InlineData("w2 = 0xffffffff", 0xb4, 2, 0, 0, -1)]
    [InlineData("r2 = -1", 0xb7, 2, 0, 0, -1)]
    [InlineData("r1 s/= r2", 0x3f, 1, 2, 1, 0)]
    [InlineData("w1 s%= 0x7", 0x94, 1, 0, 1, 7)]
    [InlineData("r1 = -r1", 0x87, 1, 0, 0, 0)]
    [InlineData("r1 = (s16)r2", 0xbf, 1, 2, 16, 0)]
    [InlineData("r1 = be16 r1", 0xdc, 1, 0, 0, 16)]
    [InlineData("r1 = bswap32 r1", 0xd7, 1, 0, 0, 32)]
    [InlineData("if r1 s> 5 goto +3 <label>", 0x65, 1, 0, 3, 5)]
    [InlineData("if w1 & w2 goto -0x3", 0x4e, 1, 2, -3, 0)]
    [InlineData("goto -1", 0x05, 0, 0, -1, 0)]
    [InlineData("gotol +100000", 0x06, 0, 0, 0, 100000)]
    [InlineData("may_goto +0x2", 0xe5, 0, 0, 2, 0)]
    [InlineData("call 12", 0x85, 0, 0, 0, 12)]
    [InlineData("callx r3", 0x8d, 3, 0, 0, 0)]
    [InlineData("exit", 0x95, 0, 0, 0, 0)]
    [InlineData("lock *(u64 *)(r1 + 8) += r2", 0xdb, 1, 2, 8, 0x00)]
    [InlineData("lock *(u32 *)(r1 + 8) ^= w2", 0xc3, 1, 2, 8, 0xa0)]
    [InlineData("r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)", 0xdb, 1, 2, 0, 0x01)]
    [InlineData("w2 = atomic_fetch_or((u32 *)(r1 - 4), w2)", 0xc3, 1, 2, -4, 0x41)]
    [InlineData("r2 = xchg_64(r1 + 0x8, r2)", 0xdb, 1, 2, 8, 0xe1)]
    [InlineData("w0 = cmpxchg32_32(r1 - 0x8, w0, w2)", 0xc3, 1, 2, -8, 0xf1)]
    [InlineData("w3 = load_acquire((u8 *)(r1 + 1))", 0xd3, 3, 1, 1, 0x100)]
    [InlineData("store_release((u64 *)(r1 + 8), r3)", 0xdb, 1, 3, 8, 0x110)]
    [InlineData("r0 = *(u16 *)skb[0xc]", 0x28, 0, 0, 0, 12)]
    public void AnInstructionIsEncodedAsRfc9669Says(
        string text,
        int opcode,
        int dst,
        int src,
        int offset,
        int immediate
    )
    {
        var program = Assembler.Assemble(text);
        Assert.Equal([new Instruction(opcode, dst, src, offset, immediate)], program);
    }

    [Theory]
    [InlineData("r1 = 0x1122334455667788 ll", 0, 0x55667788, 0x11223344)]
    [InlineData("r1 = -1 ll", 0, -1, -1)]
    [InlineData("r1 = 0xffffffffffffffff ll", 0, -1, -1)]
    [InlineData("r1 = map[3] ll", PseudoLoad.MapIndex, 3, 0)]
    [InlineData("r1 = map_value[3]+0x8 ll", PseudoLoad.MapIndexValue, 3, 8)]
    [InlineData("r1 = map_value[3]+0 ll", PseudoLoad.MapIndexValue, 3, 0)]
    [InlineData("r1 = map_value[3] ll", PseudoLoad.MapIndexValue, 3, 0)]
    [InlineData("ld_pseudo\tr1, 0x1, 0x700000005", PseudoLoad.MapFd, 5, 7)]
    public void AWideLoadTakesTwoSlots(string text, int source, int low, int high)
    {
        var program = Assembler.Assemble(text);
        Assert.Equal([new Instruction(0x18, 1, source, 0, low), new Instruction(0, 0, 0, 0, high)], program);
    }

    [Fact]
    public void LabelsCountSlotsFromTheNextInstruction()
    {
        var program = Assembler.Assemble(
            """
            start:              // a comment
                r1 = 5 ll       ; another
                if r1 == 5 goto done
                gotol start
                call function
            done: exit
            function:
                r2 = function function ll
                goto start
            """
        );
        Assert.Equal(2, program[2].Offset);
        Assert.Equal(-4, program[3].Immediate);
        Assert.True(program[4].IsLocalCall);
        Assert.Equal(6, program[4].CallTarget(4));
        Assert.Equal((PseudoLoad.Function, -1), (program[6].Source, program[6].Immediate));
        Assert.Equal(-9, program[8].Offset);
    }

    [Theory]
    [InlineData("r1 = w2", "r2 expected")]
    [InlineData("r1 = r11", "no register r11")]
    [InlineData("r1 = 0x80000000", "does not fit the immediate")]
    [InlineData("r1 += ", "register or number")]
    [InlineData("goto nowhere", "no label 'nowhere'")]
    [InlineData("goto +32768", "too far")]
    [InlineData("exit exit", "more than the instruction")]
    [InlineData("a:\na:", "defined twice")]
    [InlineData("w1 = *(u64 *)(r1 + 0)", "64-bit register")]
    [InlineData("r1 = *(u24 *)(r1 + 0)", "memory type")]
    [InlineData("lock *(u16 *)(r1 + 0) += r1", "u32 or u64")]
    [InlineData("r1 = be16 r2", "destination register")]
    [InlineData("r1 = 0x10000000000000000 ll", "not a number of at most 64 bits")]
    [InlineData("frobnicate", "not an instruction")]
    public void AnErrorNamesLineAndReason(string text, string reason)
    {
        var error = Assert.Throws<InputException>(() => Assembler.Assemble("exit\n" + text));
        Assert.StartsWith("assembler text: line ", error.Message, StringComparison.Ordinal);
        Assert.StartsWith(text.Contains('\n') ? "line 3" : "line 2", error.Place, StringComparison.Ordinal);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }
}
