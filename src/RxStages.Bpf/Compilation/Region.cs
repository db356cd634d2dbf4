namespace RxStages.Bpf.Compilation;

/// <summary>The part of a function that one method holds: all of it, or a chunk.</summary>
/// <param name="Flow">The function.</param>
/// <param name="Slots">The slots, a run of those of the function.</param>
/// <param name="Entries">The slots at which the region is entered; the whole function's one entry is its start.</param>
internal sealed record Region(FunctionFlow Flow, ReadOnlyMemory<int> Slots, IReadOnlyList<int> Entries)
{
    /// <summary>A function as a whole.</summary>
    public static Region Whole(FunctionFlow flow) => new(flow, flow.Slots, [flow.Start]);

    /// <summary>True when a slot belongs to this region.</summary>
    public bool Contains(int slot) => Slots.Span.BinarySearch(slot) >= 0;
}
