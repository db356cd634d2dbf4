using System.Runtime.CompilerServices;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Tests.Isa;

public class InstructionTests
{
    [Fact]
    public void AnInstructionHasTheLayoutOfAnObjectFile()
    {
        var bytes = new byte[] { 0x61, 0x21, 0xfc, 0xff, 0x78, 0x56, 0x34, 0x12 };
        var instruction = Unsafe.ReadUnaligned<Instruction>(ref bytes[0]);
        Assert.Equal(Instruction.Size, Unsafe.SizeOf<Instruction>());
        Assert.Equal((1, 2), (instruction.Destination, instruction.Source));
        Assert.Equal(-4, instruction.Offset);
        Assert.Equal(0x12345678, instruction.Immediate);
        Assert.Equal(
            (InstructionClass.Ldx, MemoryMode.Mem, 4),
            (instruction.Class, instruction.MemoryMode, instruction.AccessSize)
        );
    }
}
