using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Programs;

public class AbsentMapTests
{
    // Map 0 is of a type that is not supported.
    private static readonly ObjectSpec Object = new()
    {
        Source = "test.bpf.o",
        License = "GPL",
        Maps =
        [
            new MapSpec
            {
                Name = "events",
                Type = MapType.StructOps,
                KeySize = 4,
                ValueSize = 4,
            },
            new MapSpec
            {
                Name = "counters",
                Type = MapType.Array,
                KeySize = 4,
                ValueSize = 8,
                MaxEntries = 1,
            },
        ],
        Programs =
        [
            Program("counts", "r1 = map[1] ll\nr2 = r10\nr2 += -4\n*(u32 *)(r10 - 4) = 0\ncall 1\nr0 = 2\nexit"),
            Program("logs", "r1 = map[0] ll\nr2 = r10\nr2 += -4\n*(u32 *)(r10 - 4) = 0\ncall 1\nr0 = 2\nexit"),
            Program("never_logs", "r6 = 0\nif r6 == 0 goto +2\nr1 = map[0] ll\nr0 = 2\nexit"),
        ],
    };

    [Theory]
    [InlineData(ExecutionEngine.Compiler)]
    [InlineData(ExecutionEngine.Interpreter)]
    public void AMapOfAnUnsupportedTypeKeepsNoOtherProgramFromRunning(ExecutionEngine engine)
    {
        using var loaded = LoadedObject.Load(Object, new LoadOptions { Engine = engine });
        Assert.NotNull(loaded.GetProgram("counts"));
        Assert.Equal(["counters"], loaded.Maps.Select(map => map.Spec.Name));
        var error = Assert.Throws<InputException>(() => loaded.FindMap("events"));
        Assert.Contains(
            "map 'events' is of type StructOps, which is not supported",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(ExecutionEngine.Compiler)]
    [InlineData(ExecutionEngine.Interpreter)]
    public void AProgramThatUsesSuchAMapIsRefusedByTheMapsName(ExecutionEngine engine)
    {
        using var loaded = LoadedObject.Load(Object, new LoadOptions { Engine = engine });
        var error = Assert.ThrowsAny<InputException>(() => loaded.GetProgram("logs"));
        Assert.Contains(
            "map 'events' is of type StructOps, which is not supported",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(ExecutionEngine.Compiler)]
    [InlineData(ExecutionEngine.Interpreter)]
    public void AUseOfSuchAMapThatIsNeverReachedIsNone(ExecutionEngine engine)
    {
        using var loaded = LoadedObject.Load(Object, new LoadOptions { Engine = engine });
        Assert.NotNull(loaded.GetProgram("never_logs"));
    }

    [Fact]
    public void AMapOfASupportedTypeMustBeInOrderUsedOrNot()
    {
        var broken = Object with { Maps = [Object.Maps[0], Object.Maps[1] with { MaxEntries = 0 }] };
        var error = Assert.Throws<InputException>(() => LoadedObject.Load(broken));
        Assert.Contains("map counters", error.Message, StringComparison.Ordinal);
    }

    private static ProgramSpec Program(string name, string text) =>
        TestPrograms.Of(Assembler.Assemble(text)) with
        {
            Name = name,
        };
}
