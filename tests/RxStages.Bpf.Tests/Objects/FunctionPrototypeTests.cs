using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Objects;

public class FunctionPrototypeTests
{
    private readonly BtfBuilder _types = new();
    private readonly int _integer;

    public FunctionPrototypeTests() => _integer = _types.Integer("int", 4);

    [Fact]
    public void MemoryHasTheSizeOfWhatIsPointedToAndMayBeNull()
    {
        var pair = _types.Reference(
            BtfKind.Typedef,
            _types.Struct("pair", 8, ("first", _integer, 0), ("second", _integer, 32)),
            "pair_t"
        );
        var table = _types.Array(pair, 6);
        Assert.Equal(
            [
                new PrototypeParameter(ParameterKind.Memory) { Size = 8, MayBeNull = true },
                new PrototypeParameter(ParameterKind.Memory) { Size = 48, MayBeNull = true },
                new PrototypeParameter(ParameterKind.Scalar),
            ],
            Read(_types.Pointer(_types.Reference(BtfKind.Const, pair)), _types.Pointer(table), _integer).Parameters
        );
    }

    [Fact]
    public void TagsSayWhatTypesCannot()
    {
        var any = _types.Pointer(0);
        var function = _types.Function("f", BtfLinkage.Global, _integer, any, _types.Pointer(_integer), any);
        _types.Tag("arg:ctx", function, 0);
        _types.Tag("arg:nonnull", function, 1);
        _types.Tag("arg:untrusted", function, 2);
        _types.Tag("something else", function, 2);
        Assert.Equal(
            [
                new PrototypeParameter(ParameterKind.Context),
                new PrototypeParameter(ParameterKind.Memory) { Size = 4 },
                new PrototypeParameter(ParameterKind.UntrustedMemory),
            ],
            FunctionPrototype.Read(_types.Build(), function).Parameters
        );
    }

    [Fact]
    public void TheContextAndDynptrsAreKnownByTheirNames() =>
        Assert.Equal(
            [new PrototypeParameter(ParameterKind.Context), new PrototypeParameter(ParameterKind.Dynptr)],
            Read(
                _types.Pointer(_types.Struct("xdp_md", 4, ("data", _integer, 0))),
                _types.Pointer(_types.Add("bpf_dynptr", BtfKind.Forward, 0, 0))
            ).Parameters
        );

    [Fact]
    public void AStructureOfTheKernelIsKnownByItsNameWithoutItsFlavor()
    {
        var task = _types.Pointer(_types.Struct("task_struct___mine", 4, ("pid", _integer, 0)));
        var function = _types.Function("f", BtfLinkage.Global, _integer, task);
        _types.Tag("arg:trusted", function, 0);
        _types.Tag("arg:nullable", function, 0);
        Assert.Equal(
            [new PrototypeParameter(ParameterKind.TrustedStructure) { Structure = "task_struct", MayBeNull = true }],
            FunctionPrototype.Read(_types.Build(), function).Parameters
        );
    }

    [Theory]
    [InlineData("arg:other", "argument 1 has tag 'arg:other'")]
    [InlineData("arg:arena", "argument 1 has tag 'arg:arena'")]
    [InlineData("arg:nullable", "tags that do not go together")]
    [InlineData("arg:ctx", "no 'struct xdp_md *'")]
    public void TagsThatDoNotFitAreNamed(string tag, string problem)
    {
        var function = _types.Function("f", BtfLinkage.Global, _integer, _types.Pointer(_integer));
        _types.Tag(tag, function, 0);
        Assert.Contains(problem, FunctionPrototype.Read(_types.Build(), function).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatHasNoSizeIsNoArgument() =>
        Assert.Equal(
            "argument 2 points to a type whose size is not known",
            Read(_integer, _types.Pointer(_types.Add("somewhere_else", BtfKind.Forward, 0, 0))).Problem
        );

    [Fact]
    public void MoreThanFiveArgumentsAreTooMany() =>
        Assert.Equal(
            "it takes 6 arguments, more than 5",
            Read(_integer, _integer, _integer, _integer, _integer, _integer).Problem
        );

    [Fact]
    public void OnlyNumbersAreReturned()
    {
        var function = _types.Function("f", BtfLinkage.Global, _types.Pointer(_integer));
        Assert.Equal("it returns no number", FunctionPrototype.Read(_types.Build(), function).Problem);
    }

    private FunctionPrototype Read(params int[] parameters)
    {
        var function = _types.Function("f", BtfLinkage.Global, _integer, parameters);
        return FunctionPrototype.Read(_types.Build(), function);
    }
}
