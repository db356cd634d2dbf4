using System.Numerics;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// How a function is cut into regions that each make a method of bearable size: where few registers are live and few jumps
/// cross. A function that is small enough is one region.
/// </summary>
internal sealed class ChunkPlan
{
    // A chunk may be cut this much before it is full, where that is a better place.
    private const double EarliestCut = 0.7;

    // A jump that crosses costs a trip through the dispatcher, a live register only a load and a store.
    private const int CostOfCrossing = 4;

    /// <summary>Cuts a function.</summary>
    public ChunkPlan(Code code, FunctionFlow flow, MethodLimits limits)
    {
        var cuts = FindCuts(code, flow, limits);
        if (cuts.Count == 0)
        {
            Regions = [Region.Whole(flow)];
            return;
        }
        Regions = MakeRegions(code, flow, cuts);
    }

    /// <summary>The regions, in the order of their slots.</summary>
    public IReadOnlyList<Region> Regions { get; }

    /// <summary>True when there is more than one region.</summary>
    public bool IsChunked => Regions.Count > 1;

    // The indices into the function's slots at which a new region starts.
    private static List<int> FindCuts(Code code, FunctionFlow flow, MethodLimits limits)
    {
        var slots = flow.Slots;
        var crossings = CountCrossings(code, flow);
        var cuts = new List<int>();
        var start = 0;
        while (true)
        {
            var cost = default(Cost);
            var end = start;
            var earliest = -1;
            while (end < slots.Length)
            {
                var next = cost + Cost.Of(code, slots[end]);
                if (!next.Fits(limits, 1) && end > start)
                {
                    break;
                }
                cost = next;
                end++;
                if (earliest < 0 && !cost.Fits(limits, EarliestCut))
                {
                    earliest = end;
                }
            }
            if (end == slots.Length)
            {
                return cuts;
            }
            var best = end;
            for (var cut = end - 1; earliest > start && cut >= earliest; cut--)
            {
                if (Score(cut) < Score(best))
                {
                    best = cut;
                }
            }
            cuts.Add(best);
            start = best;
        }

        int Score(int index) =>
            BitOperations.PopCount((uint)flow.LiveBefore(slots[index])) + (CostOfCrossing * crossings[index]);
    }

    // Per index into the slots: how many jumps, falling through included, go over the border before it.
    private static int[] CountCrossings(Code code, FunctionFlow flow)
    {
        var slots = flow.Slots;
        var changes = new int[slots.Length + 2];
        for (var index = 0; index < slots.Length; index++)
        {
            if (code.Target(slots[index]) is >= 0 and var target)
            {
                var targetIndex = Array.BinarySearch(slots, target);
                if (targetIndex >= 0)
                {
                    changes[Math.Min(index, targetIndex) + 1]++;
                    changes[Math.Max(index, targetIndex) + 1]--;
                }
            }
            if (code.FallsThrough(slots[index]))
            {
                changes[index + 1]++;
                changes[index + 2]--;
            }
        }
        for (var index = 1; index < changes.Length; index++)
        {
            changes[index] += changes[index - 1];
        }
        return changes;
    }

    private static List<Region> MakeRegions(Code code, FunctionFlow flow, List<int> cuts)
    {
        var slots = flow.Slots;
        var regionOfIndex = new int[slots.Length];
        for (int index = 0, region = 0; index < slots.Length; index++)
        {
            if (region < cuts.Count && index == cuts[region])
            {
                region++;
            }
            regionOfIndex[index] = region;
        }
        var entries = new SortedSet<int>[cuts.Count + 1];
        for (var region = 0; region < entries.Length; region++)
        {
            entries[region] = [];
        }
        entries[regionOfIndex[Array.BinarySearch(slots, flow.Start)]].Add(flow.Start);
        for (var index = 0; index < slots.Length; index++)
        {
            if (code.Target(slots[index]) is >= 0 and var target)
            {
                AddEntry(index, target);
            }
            if (code.FallsThrough(slots[index]))
            {
                AddEntry(index, code.Next(slots[index]));
            }
        }
        var regions = new List<Region>();
        for (var region = 0; region < entries.Length; region++)
        {
            var start = region == 0 ? 0 : cuts[region - 1];
            var end = region == cuts.Count ? slots.Length : cuts[region];
            regions.Add(new Region(flow, slots.AsMemory(start, end - start), [.. entries[region]]));
        }
        return regions;

        void AddEntry(int index, int target)
        {
            var targetIndex = Array.BinarySearch(slots, target);
            if (targetIndex >= 0 && regionOfIndex[targetIndex] != regionOfIndex[index])
            {
                entries[regionOfIndex[targetIndex]].Add(target);
            }
        }
    }

    private readonly record struct Cost(int Instructions, int IlBytes, int Blocks, int LocalReferences)
    {
        public static Cost operator +(Cost a, Cost b) =>
            new(
                a.Instructions + b.Instructions,
                a.IlBytes + b.IlBytes,
                a.Blocks + b.Blocks,
                a.LocalReferences + b.LocalReferences
            );

        public bool Fits(MethodLimits limits, double share) =>
            Instructions <= limits.Instructions * share
            && IlBytes <= limits.IlBytes * share
            && Blocks <= limits.Blocks * share
            && LocalReferences <= limits.LocalReferences * share;

        public static Cost Of(Code code, int slot)
        {
            var instruction = code[slot];
            return instruction.Class switch
            {
                InstructionClass.Alu or InstructionClass.Alu64 => instruction.AluOperation
                    is AluOperation.Div
                        or AluOperation.Mod
                    ? new Cost(1, 70, 4, 8)
                    : new Cost(1, 24, 0, 3),
                InstructionClass.Jmp or InstructionClass.Jmp32 => instruction.JumpOperation switch
                {
                    JumpOperation.Call => new Cost(1, 100, 4, 12),
                    // A jump out of the region stores every live register.
                    _ when code.Target(slot) >= 0 => new Cost(1, 30, 2, 3),
                    _ => new Cost(1, 20, 1, 2),
                },
                _ => new Cost(1, 32, 0, 4),
            };
        }
    }
}
