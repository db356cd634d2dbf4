using RxStages.Telemetry;
using RxStages.TestKit;

namespace RxStages.Tests.Telemetry;

public class FateTests
{
    [Fact]
    public void NamesAreThoseOfTheEnumerationInSnakeCase() =>
        Assert.All(
            Enum.GetValues<Fate>(),
            fate =>
                Assert.Equal(
                    string.Concat(fate.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{c}" : $"{c}"))
                        .ToLowerInvariant(),
                    fate.Name()
                )
        );

    [Fact]
    public void EachFateIsInTheDocumentation()
    {
        var text = File.ReadAllText(Repository.PathOf("docs", "verdicts-and-fates.md"));
        Assert.All(
            Enum.GetValues<Fate>(),
            fate => Assert.Contains($"| `{fate.Name()}` |", text, StringComparison.Ordinal)
        );
    }
}
