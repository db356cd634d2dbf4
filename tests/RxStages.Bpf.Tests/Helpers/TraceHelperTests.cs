using System.Text;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Helpers;

// Lines, lengths and errors are those of the same calls on Linux 6.18.
public unsafe class TraceHelperTests
{
    [Theory]
    [InlineData("n %d|%5d|%-5d|", -5L, 42L, -42L, "n -5|   42|-42  |")]
    [InlineData("u %05d|%+d|% d|", -5L, 42L, 42L, "u -0005|+42| 42|")]
    [InlineData("x %x|%X|%lx|", -5L, 0xabcdefL, -1L, "x fffffffb|ABCDEF|ffffffffffffffff|")]
    [InlineData("l %ld|%llu|%llx|", -5L, -1L, 0x1234567890abcdefL, "l -5|18446744073709551615|1234567890abcdef|")]
    [InlineData("c %c%c%3c|", 97L, 98L, 99L, "c ab  c|")]
    [InlineData("p %px|%5px|%%", 0x1234L, 0x1234L, 0L, "p 0000000000001234| 1234|%")]
    [InlineData("%ps|%pS|%pB", 1L, 2L, 3L, "0x1|0x2|0x3")]
    [InlineData("%px!%20px|%-20px|", 1L, 2L, 3L, "0000000000000001!                   2|3                   |")]
    [InlineData("%pxy", 1L, 0L, 0L, "0000000000000001")]
    [InlineData("%0-6d|%-06d|%0 5d|", 1L, 2L, 3L, "1     |2     | 0003|")]
    [InlineData("%i %u %lu", -1L, -1L, -1L, "-1 4294967295 18446744073709551615")]
    [InlineData("", 0L, 0L, 0L, "")]
    public void ValuesArePrinted(string format, long first, long second, long third, string line)
    {
        var (result, lines) = Print(format + "\0", (ulong)first, (ulong)second, (ulong)third);
        Assert.Equal(line.Length, result);
        Assert.Equal([line], lines);
    }

    [Theory]
    [InlineData("%d%d%d%d\0")]
    [InlineData("%q\0")]
    [InlineData("%\0")]
    [InlineData("%#x\0")]
    [InlineData("%.3s\0")]
    [InlineData("abc\u0001\0")]
    [InlineData("abcd")]
    [InlineData("%sx\0")]
    [InlineData("%lld %hd\0")]
    [InlineData("%lc\0")]
    [InlineData("%pA\0")]
    [InlineData("caf\u00e9\0")]
    public void AWrongFormatIsAnErrorAndPrintsNothing(string format)
    {
        var (result, lines) = Print(format, 1, 2, 3);
        Assert.Equal(-Errno.EINVAL, result);
        Assert.Empty(lines);
    }

    [Fact]
    public void ALongLineIsCutButItsLengthIsTold()
    {
        var (result, lines) = Print("%2000d\0", 1, 0, 0);
        Assert.Equal(2000, result);
        Assert.Equal([new string(' ', 1023)], lines);
        Assert.Equal(8388607, Print("%99999999999d\0", 1, 0, 0).Result);
    }

    [Fact]
    public void ALineBreakAtTheEndIsNotPartOfTheLine()
    {
        var (result, lines) = Print("a\nb\n\0", 0, 0, 0);
        Assert.Equal(4, result);
        Assert.Equal(["a\nb"], lines);
    }

    [Fact]
    public void MemoryThatMayBeReadIsPrinted()
    {
        var hi = "hi\0"u8.ToArray();
        var ip = new byte[] { 10, 0, 0, 255, 5, 6, 7, 8, 0, 0, 0, 0, 13, 14, 15, 16 };
        fixed (
            byte* h = hi,
                i = ip
        )
        {
            var (text, address) = ((ulong)h, (ulong)i);
            Func<nint, int> readable = at =>
                at == (nint)text ? 3
                : at == (nint)address ? 16
                : 0;
            Assert.Equal("s hi|      hi|hi      |", Line("s %s|%8s|%-8s|\0", text, text, text));
            Assert.Equal("hi|", Line("%pks|\0", text, 0, 0));
            Assert.Equal(
                "i 10.0.0.255|010.000.000.255|0a00:00ff:0506:0708:0000:0000:0d0e:0f10|",
                Line("i %pI4|%pi4|%pI6|\0", address, address, address)
            );
            Assert.Equal("i 0a0000ff05060708000000000d0e0f10|", Line("i %pi6|\n\0", address, 0, 0));

            string Line(string format, ulong r3, ulong r4, ulong r5) =>
                Assert.Single(Print(format, r3, r4, r5, readable).Lines);
        }
    }

    [Fact]
    public void MemoryThatMayNotBeReadIsNot()
    {
        Assert.Equal(["s |"], Print("s %s|\0", 16, 0, 0).Lines);
        Assert.Equal(["0.0.0.0"], Print("%pI4\0", 16, 0, 0).Lines);
        Assert.Equal(["s |"], Print("s %s|\0", 16, 0, 0, _ => 0).Lines);
    }

    [Fact]
    public void LongStringsFillTheKernelsBufferOfValues()
    {
        var text = Encoding.ASCII.GetBytes(new string('x', 600));
        fixed (byte* t = text)
        {
            var (result, lines) = Print("%s\0", (ulong)t, 0, 0, _ => 600);
            Assert.Equal(511, result);
            Assert.Equal([new string('x', 511)], lines);
            Assert.Equal(-Errno.ENOSPC, Print("%s%d\0", (ulong)t, 1, 0, _ => 600).Result);
        }
    }

    private static (int Result, List<string> Lines) Print(
        string format,
        ulong r3,
        ulong r4,
        ulong r5,
        Func<nint, int>? readable = null
    )
    {
        var lines = new List<string>();
        using var bench = new HelperBench();
        bench.Services = new RuntimeServices { TracePrint = lines.Add, ReadableBytes = readable };
        var bytes = Encoding.Latin1.GetBytes(format);
        fixed (byte* text = bytes)
        {
            return ((int)bench.Call("trace_printk", (ulong)text, (ulong)bytes.Length, r3, r4, r5), lines);
        }
    }
}
