using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Objects;

public class SpecialFieldsTests
{
    private readonly BtfBuilder _btf = new();
    private readonly int _number;
    private readonly int _lock;
    private readonly int _timer;

    public SpecialFieldsTests()
    {
        _number = _btf.Integer("u32", 4, BtfEncoding.None);
        _lock = _btf.Add("bpf_spin_lock", BtfKind.Struct, 0, 4);
        _timer = _btf.Add("bpf_timer", BtfKind.Struct, 0, 16);
    }

    [Fact]
    public void LocksAndTimersAreFoundByTheirNames()
    {
        var value = Structure(32, (_number, 0), (_lock, 4), (_timer, 16));
        Assert.Equal(
            [new SpecialField(SpecialFieldKind.SpinLock, 4, 4), new SpecialField(SpecialFieldKind.Timer, 16, 16)],
            Find(value)
        );
    }

    [Fact]
    public void FieldsOfStructuresInsideAreFound()
    {
        var inner = Structure(8, (_number, 0), (_lock, 4));
        Assert.Equal([new SpecialField(SpecialFieldKind.SpinLock, 20, 4)], Find(Structure(24, (inner, 16))));
    }

    [Fact]
    public void KernelPointersInArraysAreFoundOneByOne()
    {
        var connection = _btf.Add("nf_conn", BtfKind.Struct, 0, 248);
        var tag = _btf.Reference(BtfKind.TypeTag, connection, "kptr");
        var pointer = _btf.Reference(BtfKind.Pointer, tag);
        var array = _btf.Array(pointer, 2);
        Assert.Equal(
            [
                new SpecialField(SpecialFieldKind.Kptr, 8, 8, "nf_conn"),
                new SpecialField(SpecialFieldKind.Kptr, 16, 8, "nf_conn"),
            ],
            Find(Structure(24, (array, 8)))
        );
    }

    [Fact]
    public void TypesThatAreNoStructuresHaveNone() => Assert.Empty(Find(_number));

    [Fact]
    public void TwoLocksAreRefused()
    {
        var error = Assert.Throws<InputException>(() => Find(Structure(8, (_lock, 0), (_lock, 4))));
        Assert.Contains("more than one SpinLock", error.Message);
    }

    [Fact]
    public void ATimerThatIsNotAlignedIsRefused()
    {
        var error = Assert.Throws<InputException>(() => Find(Structure(20, (_timer, 4))));
        Assert.Contains("not aligned to 8", error.Message);
    }

    [Fact]
    public void AStructureThatHoldsItselfIsRefused()
    {
        var self = _btf.NextId;
        Structure(8, (self, 0));
        var error = Assert.Throws<InputException>(() => Find(self));
        Assert.Contains("nested too deeply", error.Message);
    }

    [Fact]
    public void AHugeArrayOfFieldsIsRefused()
    {
        var pointer = _btf.Reference(BtfKind.Pointer, _btf.Reference(BtfKind.TypeTag, _lock, "kptr"));
        var error = Assert.Throws<InputException>(() => Find(Structure(8, (_btf.Array(pointer, uint.MaxValue), 0))));
        Assert.Contains("more than 11", error.Message);
    }

    private int Structure(uint size, params (int Type, uint Offset)[] members) =>
        _btf.Add(
            "",
            BtfKind.Struct,
            members.Length,
            size,
            [.. members.SelectMany(member => new[] { 0u, (uint)member.Type, member.Offset * 8 })]
        );

    private IReadOnlyList<SpecialField> Find(int type) => new SpecialFields(_btf.Build(), "test").Find(type, "map");
}
