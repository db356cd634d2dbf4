using RxStages.Bpf.Helpers;

namespace RxStages.Bpf.Tests.Helpers;

public class HelperTableTests
{
    [Theory]
    [InlineData(1, "map_lookup_elem")]
    [InlineData(12, "tail_call")]
    [InlineData(160, "ktime_get_coarse_ns")]
    public void AHelperIsFoundByItsNumberInTheKernel(int id, string name) =>
        Assert.Equal(name, HelperTable.Find(id)?.Name);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void AnUnknownNumberHasNoHelper(int id) => Assert.Null(HelperTable.Find(id));

    [Fact]
    public void HelpersHaveTheKernelsNames()
    {
        Assert.All(HelperTable.All, helper => Assert.Equal(helper.Name, HelperNames.Find(helper.Id)));
        Assert.Null(HelperNames.Find(0));
        Assert.Equal("perf_event_output", HelperNames.Find(25));
        Assert.Equal("cgrp_storage_delete", HelperNames.Find(211));
        Assert.Null(HelperNames.Find(212));
        Assert.Null(HelperNames.Find(-1));
    }

    [Fact]
    public void EveryEntryIsWhole() =>
        Assert.All(
            HelperTable.All,
            helper =>
            {
                Assert.Same(helper, HelperTable.Find(helper.Id));
                Assert.InRange(helper.Arguments.Length, 0, 5);
                Assert.NotEmpty(helper.KernelSource);
                Assert.NotEmpty(helper.Doc);
                // Compiler and interpreter carry these out.
                Assert.True(
                    helper.Implementation is { IsStatic: true }
                        || helper.Name is "tail_call" or "loop" or "for_each_map_elem" or "timer_set_callback"
                );
            }
        );

    [Fact]
    public void ASizeAlwaysFollowsItsMemory() =>
        Assert.All(
            HelperTable.All,
            helper =>
            {
                for (var i = 0; i < helper.Arguments.Length; i++)
                {
                    var isMemory =
                        helper.Arguments[i].Type
                        is ArgumentType.ReadableMemory
                            or ArgumentType.ReadableMemoryOrNull
                            or ArgumentType.WritableMemory
                            or ArgumentType.WritableMemoryOrNull
                            or ArgumentType.UpdatedMemory;
                    var isSize =
                        i + 1 < helper.Arguments.Length
                        && helper.Arguments[i + 1].Type is ArgumentType.Size or ArgumentType.SizeOrZero;
                    Assert.Equal(isMemory, isSize);
                }
            }
        );
}
