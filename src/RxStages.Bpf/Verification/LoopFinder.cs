using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Finds the loops of functions: the strongly connected components of their control flow (the kernel's
/// <c>compute_scc</c>), by R. Tarjan's algorithm.
/// </summary>
internal sealed class LoopFinder(ControlFlow flow)
{
    private readonly Stack<int> _component = new();
    private readonly Stack<(int Slot, int Next)> _path = new();
    private int[] _order = [];
    private int[] _lowest = [];
    private int[] _loopOf = [];
    private int _visited;
    private int _loops;

    /// <summary>By slot: the number of its loop, from 1, or 0.</summary>
    public int[] Find(FunctionSpec[] functions, int slots)
    {
        _order = new int[slots];
        _lowest = new int[slots];
        _loopOf = new int[slots];
        foreach (var function in functions)
        {
            Visit(function.Start);
        }
        return _loopOf;
    }

    private void Visit(int start)
    {
        Enter(start);
        while (_path.TryPop(out var top))
        {
            var (slot, next) = top;
            var (first, second) = flow.Successors(slot);
            if (next == 2)
            {
                Leave(slot, isOwnSuccessor: first == slot || second == slot);
                continue;
            }
            _path.Push((slot, next + 1));
            var successor = next == 0 ? first : second;
            if (successor < 0)
            {
                continue;
            }
            if (_order[successor] == 0)
            {
                Enter(successor);
            }
            else if (_lowest[successor] != int.MaxValue)
            {
                _lowest[slot] = Math.Min(_lowest[slot], _order[successor]);
            }
        }
    }

    private void Enter(int slot)
    {
        _order[slot] = _lowest[slot] = ++_visited;
        _component.Push(slot);
        _path.Push((slot, 0));
    }

    private void Leave(int slot, bool isOwnSuccessor)
    {
        if (_path.TryPeek(out var parent))
        {
            _lowest[parent.Slot] = Math.Min(_lowest[parent.Slot], _lowest[slot]);
        }
        if (_lowest[slot] != _order[slot])
        {
            return;
        }
        var isLoop = _component.Peek() != slot || isOwnSuccessor || flow.CallsBack[slot];
        var loop = isLoop ? ++_loops : 0;
        int member;
        do
        {
            member = _component.Pop();
            _loopOf[member] = loop;
            // Done: nothing that comes later is connected with it.
            _lowest[member] = int.MaxValue;
        } while (member != slot);
    }
}
