using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Programs;

namespace RxStages.Cli.Replay;

/// <summary>Collects what the interpreter stopped programs for: the first faults in full, the others by number.</summary>
internal sealed class FaultReport
{
    private const int MaxShown = 10;
    private readonly List<InterpreterFault> _first = [];
    private long _count;

    /// <summary>Listens to all programs of objects that are made so far.</summary>
    public FaultReport(IEnumerable<LoadedObject> objects)
    {
        foreach (var program in objects.SelectMany(each => each.Programs).OfType<InterpretedProgram>())
        {
            program.OnFault = Add;
        }
    }

    /// <summary>Prints the faults to the standard error; nothing if there were none.</summary>
    public void Print()
    {
        foreach (var fault in _first)
        {
            Console.Error.WriteLine($"rxstages: packet aborted: {fault}");
        }
        if (_count > _first.Count)
        {
            Console.Error.WriteLine($"rxstages: … and {_count - _first.Count} more packets aborted");
        }
    }

    private void Add(InterpreterFault fault)
    {
        _count++;
        if (_first.Count < MaxShown)
        {
            _first.Add(fault);
        }
    }
}
