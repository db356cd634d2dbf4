using RxStages.Bpf.Helpers;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Interpretation;

/// <summary>Helpers that call a function of the program back; their arguments are checked.</summary>
internal static unsafe class Callbacks
{
    /// <summary>Carries a helper out, result in r0.</summary>
    public static void Run(ref Machine machine, CallbackKind kind)
    {
        machine[0] =
            machine[4] != 0
                ? unchecked((ulong)-Errno.EINVAL)
                : kind switch
                {
                    CallbackKind.Loop => Loop(ref machine),
                    CallbackKind.ForEachMapElement => ForEachMapElement(ref machine),
                    _ => throw new MachineFault($"callbacks of kind {kind} are not supported"),
                };
    }

    /// <summary><c>bpf_loop</c></summary>
    private static ulong Loop(ref Machine machine)
    {
        var (count, function, context) = ((uint)machine[1], (int)machine[2], machine[3]);
        if (count > BpfRuntime.MaxLoops)
        {
            // The kernel puts calls of one function in line, and loses the upper half of the error on the way.
            return unchecked((uint)-Errno.E2BIG);
        }
        for (uint index = 0; index < count; index++)
        {
            if (machine.CallBack(function, index, context) != 0)
            {
                return index + 1;
            }
        }
        return count;
    }

    /// <summary><c>bpf_for_each_map_elem</c></summary>
    private static ulong ForEachMapElement(ref Machine machine)
    {
        var map = (MapHeader*)machine[1];
        var (function, context) = ((int)machine[2], machine[3]);
        var outerKey = machine.Memory.Key;
        var outerSize = machine.Memory.KeySize;
        var cursor = default(MapCursor);
        var count = 0ul;
        var ends = false;
        while (!ends && map->NextElement(map, machine.Runtime, &cursor))
        {
            machine.Memory.Key = cursor.Key;
            machine.Memory.KeySize = map->KeySize;
            ends = machine.CallBack(function, (ulong)map, (ulong)cursor.Key, (ulong)cursor.Value, context) != 0;
            count++;
        }
        machine.Memory.Key = outerKey;
        machine.Memory.KeySize = outerSize;
        return count;
    }
}
