using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The programs that one map's entries ever had. They keep their numbers as long as the map lives: a worker may be using one
/// that is being replaced.
/// </summary>
internal sealed class EntryPrograms : IDisposable
{
    private readonly Dictionary<XdpProgram, uint> _numbers = [];

    /// <summary>The number of a program for an entry; 0 for none. Any thread.</summary>
    internal uint NumberOf(XdpProgram? program)
    {
        if (program is null)
        {
            return 0;
        }
        lock (_numbers)
        {
            if (!_numbers.TryGetValue(program, out var number))
            {
                number = ProgramNumbers.Acquire(program);
                _numbers.Add(program, number);
            }
            return number;
        }
    }

    /// <summary>The program of a number, or null.</summary>
    internal XdpProgram? Find(uint number)
    {
        lock (_numbers)
        {
            return _numbers.FirstOrDefault(entry => entry.Value == number).Key;
        }
    }

    public void Dispose()
    {
        foreach (var program in _numbers.Keys)
        {
            ProgramNumbers.Release(program);
        }
        _numbers.Clear();
    }
}
