using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Tests.Compilation;
using RxStages.Bpf.Tests.Objects;

namespace RxStages.Bpf.Tests.Programs;

public class ReplacementTests
{
    [Theory]
    [InlineData("clang-14", ExecutionEngine.Compiler)]
    [InlineData("clang-19", ExecutionEngine.Compiler)]
    [InlineData("clang-19", ExecutionEngine.Interpreter)]
    public void AnExtensionTakesAFunctionsPlaceWithItsMapsAndFunctions(string compiler, ExecutionEngine engine)
    {
        using var extension = LoadedObject.Load(TestObjects.Read("extension." + compiler));
        using var loaded = LoadedObject.Load(
            TestObjects.Read("replaceable." + compiler),
            new LoadOptions { Engine = engine, Replacements = [new Replacement(extension, "always_drop")] }
        );
        using var vector = new TestVector(new byte[64], new byte[100]);
        Assert.Equal([1u, 1u], vector.Run(loaded.GetProgram("program")));
        Assert.Equal([2u, 2u], vector.Run(loaded.GetProgram("plain")));
        var seen = new byte[8];
        Assert.Equal(0, extension.FindMap("seen").Lookup(new byte[4], seen));
        Assert.Equal(164ul, BitConverter.ToUInt64(seen));
    }

    [Theory]
    [InlineData("wrong", null, "1 and 1 arguments|argument 1")]
    [InlineData("always_drop", "hidden", "not global")]
    [InlineData("always_drop", "other", "arguments")]
    [InlineData("always_drop", "decid", "did you mean 'decide'")]
    [InlineData("nothing", null, "no extension 'nothing'")]
    [InlineData(null, null, "several extensions")]
    public void WhatDoesNotFitIsRefused(string? program, string? function, string reasons)
    {
        using var extension = LoadedObject.Load(TestObjects.Read("extension.clang-19"));
        var error = Assert.Throws<InputException>(() =>
        {
            using var loaded = LoadedObject.Load(
                TestObjects.Read("replaceable.clang-19"),
                new LoadOptions { Replacements = [new Replacement(extension, program, function)] }
            );
            loaded.GetProgram("program");
        });
        Assert.Contains(reasons.Split('|'), reason => error.Message.Contains(reason, StringComparison.Ordinal));
    }
}
