using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Objects;

public class ObjectSpecTests
{
    private readonly ObjectSpec _several = TestObjects.Read("programs.clang-19");

    [Fact]
    public void TheOnlyProgramIsFoundWithoutAName() =>
        Assert.Equal("program", TestObjects.Read("globals.clang-19").FindProgram(null).Name);

    [Fact]
    public void AProgramIsFoundByItsFunctionsName() => Assert.Equal("two", _several.FindProgram("two").Name);

    [Fact]
    public void AProgramIsFoundByItsSectionsNameWhereItIsAlone() =>
        Assert.Equal("three", _several.FindProgram("xdp/three").Name);

    [Theory]
    [InlineData(null, "one, two, three, frags, old_name")]
    [InlineData("xdp", "one, two")]
    [InlineData("nobody", "one (xdp), two (xdp), three (xdp/three)")]
    public void WhereNoneOrSeveralAreMeantTheErrorListsThem(string? name, string list)
    {
        var error = Assert.Throws<InputException>(() => _several.FindProgram(name));
        Assert.Contains(list, error.Message, StringComparison.Ordinal);
    }
}
