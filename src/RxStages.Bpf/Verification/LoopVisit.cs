namespace RxStages.Bpf.Verification;

/// <summary>
/// One time that paths went into a loop, until all of them have left it; after the kernel's <c>struct bpf_scc_visit</c>.
/// Where a path ends because it came round to a state of the same loop, it is not known yet which numbers of that state
/// matter: other paths from there are still to be gone. So the end of the path is kept, and when all paths are gone, what
/// matters is carried back from where it ended until nothing new is found.
/// </summary>
/// <param name="entry">The state kept first in the loop.</param>
internal sealed class LoopVisit(VerifierState entry)
{
    // MAX_BACKEDGE_ITERS of the kernel: then all numbers count as if they mattered.
    private const int MaxRounds = 64;

    private readonly List<(VerifierState End, VerifierState Kept)> _backEdges = [];
    private readonly List<VerifierState> _finished = [];

    /// <summary>The state kept first in the loop: when no path from it is left, the visit is over.</summary>
    public VerifierState Entry { get; } = entry;

    /// <summary>True while some path ended by coming round, so that it is not known what matters in the loop's states.</summary>
    public bool IsIncomplete => _backEdges.Count > 0;

    /// <summary>Notes that the path in progress ended at a state of the loop.</summary>
    public void AddBackEdge(VerifierEnvironment environment, VerifierState kept)
    {
        var end = new VerifierState { Parent = environment.State.Parent };
        end.CopyFramesFrom(environment.State);
        end.History.CopyFrom(environment.State.History);
        environment.TakeMemory(end.MemorySize);
        _backEdges.Add((end, kept));
    }

    /// <summary>Keeps a state from which no path is left, for going back through it at the end.</summary>
    public void Hold(VerifierState state)
    {
        state.IsHeld = true;
        _finished.Add(state);
    }

    /// <summary>The visit is over: finds what matters.</summary>
    /// <returns>The states that were held, which nobody goes back through any more.</returns>
    public IReadOnlyList<VerifierState> Complete(VerifierEnvironment environment)
    {
        for (var round = 0; FindMore(environment.Precision); round++)
        {
            if (round == MaxRounds)
            {
                foreach (var (end, _) in _backEdges)
                {
                    PrecisionTracker.MarkEverything(end.Parent);
                }
                break;
            }
        }
        foreach (var (end, _) in _backEdges)
        {
            environment.TakeMemory(-end.MemorySize);
        }
        _backEdges.Clear();
        return _finished;
    }

    private bool FindMore(PrecisionTracker precision)
    {
        var found = false;
        foreach (var (end, kept) in _backEdges)
        {
            found |= precision.Propagate(kept, end);
        }
        return found;
    }
}

/// <summary>The loops that paths are in, by the loop and the calls that led there (<c>struct bpf_scc_callchain</c>).</summary>
internal sealed class LoopVisits(ControlFlow flow)
{
    private readonly Dictionary<Place, LoopVisit> _present = [];

    /// <summary>A state is kept: it may be in a loop, or begin one.</summary>
    public void Enter(VerifierState kept)
    {
        if (PlaceOf(kept) is not { } place)
        {
            return;
        }
        if (!_present.TryGetValue(place, out var visit))
        {
            visit = new LoopVisit(kept);
            _present.Add(place, visit);
        }
        kept.Loop = visit;
    }

    /// <summary>A visit is over.</summary>
    public void Leave(LoopVisit visit) => _present.Remove(PlaceOf(visit.Entry)!.Value);

    /// <summary>The outermost loop that a state is in, counting those of the functions that called.</summary>
    private Place? PlaceOf(VerifierState state)
    {
        var place = default(Place);
        for (var index = 0; index <= state.Depth; index++)
        {
            var slot = index == state.Depth ? state.Slot : state.Frame(index + 1).CallSite;
            if (flow.LoopOf(slot) is not 0 and var loop)
            {
                place[index] = -loop;
                return place;
            }
            place[index] = slot + 1;
        }
        return null;
    }

    /// <summary>Call sites plus one, then the loop, negated.</summary>
    [System.Runtime.CompilerServices.InlineArray(VerifierState.MaxFrames)]
    private struct Place : IEquatable<Place>
    {
        private int _first;

        public readonly bool Equals(Place other) => ((ReadOnlySpan<int>)this).SequenceEqual(other);

        public override readonly bool Equals(object? obj) => obj is Place other && Equals(other);

        public override readonly int GetHashCode()
        {
            var hash = default(HashCode);
            foreach (var part in this)
            {
                hash.Add(part);
            }
            return hash.ToHashCode();
        }
    }
}
