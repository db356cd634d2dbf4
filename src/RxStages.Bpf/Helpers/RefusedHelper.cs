using System.Collections.Frozen;
using System.Collections.Immutable;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// A helper that the kernel offers XDP programs and that is not there: what it answers would have to be made up, or is not
/// worth its cost. Programs that come to a call of it are refused, with the reason.
/// </summary>
/// <param name="Id">Its number (<c>enum bpf_func_id</c>).</param>
/// <param name="Reason">Why, as half a sentence.</param>
public sealed record RefusedHelper(int Id, string Reason)
{
    /// <summary>All of them, by number: with those of <see cref="HelperTable"/> all that the kernel offers XDP programs.</summary>
    public static ImmutableArray<RefusedHelper> All { get; } =
    [
        new(141, "there are no stacks of tasks"),
        new(149, "structures of the kernel are not printed"),
        new(153, "there are no variables of the kernel"),
        new(154, "there are no variables of the kernel"),
        new(156, "tasks have no storage"),
        new(157, "tasks have no storage"),
        new(158, "there are no structures of tasks"),
        new(175, "there are no registers of tasks"),
        new(180, "tasks have no memory"),
        new(
            194,
            "map values may own tasks, cgroups, CPU masks, crypto contexts and objects of the program, none of which there are"
        ),
        new(209, "user space writes to no ring buffers"),
        new(210, "cgroups have no storage"),
        new(211, "cgroups have no storage"),
    ];

    private static readonly FrozenDictionary<int, RefusedHelper> ById = All.ToFrozenDictionary(helper => helper.Id);

    /// <summary>The name as programs spell it.</summary>
    public string FullName => "bpf_" + HelperNames.Find(Id);

    /// <summary>The refused helper of that number, or null if it is none.</summary>
    public static RefusedHelper? Find(int id) => ById.GetValueOrDefault(id);
}
