using System.Collections.Frozen;
using System.Collections.Immutable;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Programs;

/// <summary>A program of a <see cref="ProgramChain"/>.</summary>
/// <param name="Object">The object that it is of; it must live as long as the chain.</param>
/// <param name="Program">Its name; null for the only one.</param>
/// <param name="Config">When it runs; null: what the object says.</param>
public sealed record ChainEntry(LoadedObject Object, string? Program = null, RunConfig? Config = null);

/// <summary>
/// Several programs on one port, after libxdp's dispatcher: they run in order of their priority (those of one priority in
/// order of their names), each while the verdict of the one before is among those after which it goes on. After the last a
/// packet passes.
/// </summary>
/// <remarks>
/// Program by program over the whole vector, where nobody can tell that from packet by packet: the programs are of
/// different objects, so that they share no map, and at most one of them uses what all share (random numbers, trace output,
/// the redirect's target, connection tracking). Otherwise packet by packet, which costs a call for each.
/// </remarks>
public sealed unsafe class ProgramChain : XdpProgram
{
    // What the dispatcher stands in for, where no program is attached: always goes on.
    private const uint NothingAttached = 1u << 31;
    private const int MaxVector = 64;

    // enum bpf_func_id of the helpers whose results depend on their arguments, the packet and the program's own maps only.
    private static readonly FrozenSet<int> Independent = FrozenSet.Create([
        1,
        2,
        3, // map_lookup_elem, map_update_elem, map_delete_elem
        5,
        125,
        160,
        208,
        118, // ktime_get_ns, _boot_ns, _coarse_ns, _tai_ns, jiffies64
        8,
        42, // get_smp_processor_id, get_numa_node_id
        10,
        11,
        28, // l3_csum_replace, l4_csum_replace, csum_diff
        25, // perf_event_output
        44,
        54,
        65, // xdp_adjust_head, _meta, _tail
        69,
        163, // fib_lookup, check_mtu
        87,
        88,
        89, // map_push_elem, map_pop_elem, map_peek_elem
        93,
        94, // spin_lock, spin_unlock
        130,
        131,
        132,
        133,
        134, // ringbuf_*
        164,
        165,
        181,
        182,
        195, // for_each_map_elem, snprintf, loop, strncmp, map_lookup_percpu_elem
        188,
        189,
        190, // xdp_get_buff_len, xdp_load_bytes, xdp_store_bytes
    ]);

    private readonly XdpProgram[] _programs;
    private readonly uint[] _chainActions;
    private readonly bool _isPacketByPacket;

    /// <summary>Puts programs together; the order of the entries does not matter.</summary>
    /// <exception cref="InputException">A program is missing, or rejected.</exception>
    public ProgramChain(IEnumerable<ChainEntry> entries)
    {
        var ordered = entries
            .Select(entry => (entry.Object, Spec: entry.Object.Spec.FindProgram(entry.Program), entry.Config))
            .Select(entry => (entry.Object, entry.Spec, Config: entry.Config ?? entry.Spec.RunConfig))
            .OrderBy(entry => entry.Config.Priority)
            .ThenBy(entry => entry.Spec.Name, StringComparer.Ordinal)
            .ToArray();
        if (ordered.Length == 0)
        {
            throw new ArgumentException("a chain of no programs", nameof(entries));
        }
        _programs = [.. ordered.Select(entry => entry.Object.GetProgram(entry.Spec.Name))];
        _chainActions = [.. ordered.Select(entry => entry.Config.ChainActions | NothingAttached)];
        _isPacketByPacket =
            ordered.DistinctBy(entry => entry.Object).Count() < ordered.Length
            || ordered.Count(entry => entry.Object.HasReplacements || IsDependent(entry.Spec)) > 1;
        Name = string.Join('+', _programs.Select(program => program.Name));
        CpuCount = _programs.Min(program => program.CpuCount);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override int CpuCount { get; }

    /// <summary>The programs, in the order in which they run.</summary>
    public ImmutableArray<string> Programs => [.. _programs.Select(program => program.Name)];

    /// <summary>True when the order in which programs and packets meet can be told, so that packets go through one by one.</summary>
    public bool IsPacketByPacket => _isPacketByPacket;

    /// <inheritdoc/>
    public override void RunVector(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime)
    {
        var step = _isPacketByPacket ? 1 : MaxVector;
        for (var first = 0; first < count; first += step)
        {
            RunPart(packets + first, verdicts + first, Math.Min(step, count - first), runtime);
        }
    }

    /// <inheritdoc/>
    public override void PrepareTail()
    {
        foreach (var program in _programs)
        {
            program.PrepareTail();
        }
    }

    /// <inheritdoc/>
    public override ulong RunTail(XdpBuff* packet, BpfRuntime* runtime)
    {
        for (var i = 0; i < _programs.Length; i++)
        {
            var verdict = _programs[i].RunTail(packet, runtime);
            if (!GoesOn(i, (uint)verdict))
            {
                return verdict;
            }
        }
        return (ulong)XdpAction.Pass;
    }

    private static bool IsDependent(ProgramSpec program)
    {
        for (var slot = 0; slot < program.Instructions.Length; slot += program.Instructions[slot].IsWide ? 2 : 1)
        {
            var instruction = program.Instructions[slot];
            if (
                instruction is { Opcode: Opcode.Call, Source: not PseudoCall.Local }
                && !(instruction.IsHelperCall && Independent.Contains(instruction.Immediate))
            )
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Runs program after program over the packets that are still on their way.</summary>
    private void RunPart(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime)
    {
        var left = stackalloc XdpBuff*[MaxVector];
        var leftVerdicts = stackalloc uint[MaxVector];
        var places = stackalloc int[MaxVector];
        for (var i = 0; i < count; i++)
        {
            left[i] = packets[i];
            places[i] = i;
        }
        for (var program = 0; program < _programs.Length && count > 0; program++)
        {
            _programs[program].RunVector(left, leftVerdicts, count, runtime);
            var still = 0;
            for (var i = 0; i < count; i++)
            {
                if (GoesOn(program, leftVerdicts[i]))
                {
                    left[still] = left[i];
                    places[still++] = places[i];
                }
                else
                {
                    verdicts[places[i]] = leftVerdicts[i];
                }
            }
            count = still;
        }
        for (var i = 0; i < count; i++)
        {
            verdicts[places[i]] = (uint)XdpAction.Pass;
        }
    }

    // The dispatcher shifts by the verdict in 32 bits, so that only the verdict's low five bits count.
    private bool GoesOn(int program, uint verdict) => (_chainActions[program] >> (int)(verdict & 31) & 1) != 0;
}
