using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Objects;

public class BtfTests
{
    [Fact]
    public void SizesAreFoundBehindModifiersAndDimensions()
    {
        var btf = new BtfBuilder();
        var number = btf.Integer("short", 2, BtfEncoding.Signed);
        var row = btf.Array(btf.Reference(BtfKind.Const, number), 3);
        var matrix = btf.Array(btf.Reference(BtfKind.Typedef, row, "row_t"), 5);
        var pointer = btf.Reference(BtfKind.Pointer, 0);
        var types = btf.Build();
        Assert.Equal(30u, types.SizeOf(matrix));
        Assert.Equal(8u, types.SizeOf(pointer));
        Assert.Null(types.SizeOf(0));
        Assert.Equal("short", types[types.SkipModifiers(number)].Name);
    }

    [Fact]
    public void SizesThatDoNotFitAreNone()
    {
        var btf = new BtfBuilder();
        var type = btf.Integer("long", 8, BtfEncoding.Signed);
        for (var i = 0; i < 4; i++)
        {
            type = btf.Array(type, uint.MaxValue);
        }
        Assert.Null(btf.Build().SizeOf(type));
    }

    [Fact]
    public void TypesThatReferToEachOtherInACircleHaveNoSizeAndNoEnd()
    {
        var btf = new BtfBuilder();
        var first = btf.Reference(BtfKind.Const, btf.NextId + 1);
        btf.Reference(BtfKind.Volatile, first);
        var array = btf.Array(btf.NextId, 1);
        var types = btf.Build();
        Assert.Null(types.SizeOf(first));
        Assert.Equal(0, types.SkipModifiers(first));
        Assert.Null(types.SizeOf(array));
    }

    [Fact]
    public void NamesAndKindsAreFound()
    {
        var spec = TestObjects.Read("types.clang-19");
        var id = spec.Btf!.Find("point", BtfKind.Struct);
        var point = spec.Btf[id];
        Assert.Equal((8u, 2), (point.Size, point.Count));
        Assert.Equal(("y", 32u, 0), (point.Member(1).Name, point.Member(1).BitOffset, point.Member(1).BitSize));
        Assert.Equal(0, spec.Btf.Find("point", BtfKind.Union));
        var sign = spec.Btf[spec.Btf.Find("sign", BtfKind.Enumeration)];
        Assert.Equal(("MINUS", -1L), sign.EnumerationValue(0));
        var wide = spec.Btf[spec.Btf.Find("wide", BtfKind.Enumeration64)];
        Assert.Equal(("LARGE", 0x123456789abcL), wide.EnumerationValue(1));
    }

    [Fact]
    public void DataSectionsHaveTheSizesAndOffsetsOfTheirSymbols()
    {
        var spec = TestObjects.Read("types.clang-19");
        var section = spec.Btf![spec.Maps.Single(map => map.Name == ".data").BtfValueType];
        Assert.Equal(14u, section.Size);
        var variables = Enumerable
            .Range(0, section.Count)
            .Select(section.SectionVariable)
            .Select(variable => (spec.Btf[variable.Type].Name, variable.Offset, variable.Size));
        Assert.Equal([("answer", 0u, 4u), ("hidden_answer", 12u, 2u), ("origin", 4u, 8u)], variables.Order());
    }

    [Fact]
    public void ReferencesToTypesThatDoNotExistAreRefused()
    {
        var btf = new BtfBuilder();
        btf.Reference(BtfKind.Const, 2);
        AssertRefused(btf, "type 1 refers to type 2 of 2");
    }

    [Fact]
    public void NamesLongerThanTheKernelsAreRefused()
    {
        var btf = new BtfBuilder();
        btf.Struct(0);
        btf.Reference(BtfKind.Typedef, 1, new string('n', Btf.MaxNameLength + 1));
        AssertRefused(btf, "a name longer than 511 bytes");
    }

    [Fact]
    public void UnknownKindsAreRefused()
    {
        var btf = new BtfBuilder();
        btf.Add("", (BtfKind)30, 0, 0);
        AssertRefused(btf, "unknown kind 30");
    }

    [Fact]
    public void IntegersWiderThanTheirBytesAreRefused()
    {
        var btf = new BtfBuilder();
        btf.Add("int", BtfKind.Integer, 0, 4, 33);
        AssertRefused(btf, "33 bits in 4 bytes");
    }

    private static void AssertRefused(BtfBuilder btf, string reason)
    {
        var error = Assert.Throws<InputException>(btf.Build);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("test: .BTF: ", error.Message, StringComparison.Ordinal);
    }
}
