using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>
/// The first half of stage 6: runs the programs on entries of devmaps and cpumaps over the packets that are redirected to
/// them (the kernel's <c>dev_map_bpf_prog_run</c> and <c>cpu_map_bpf_prog_run_xdp</c>), packets with the same program
/// together. <c>XDP_PASS</c> sends a packet on to its target, on a cpumap <c>XDP_REDIRECT</c> to another one; all else drops it.
/// The kernel runs a cpumap's program on the CPU that the packet goes to; here the worker's own does.
/// </summary>
internal sealed unsafe class EntryProgramStage(BpfRuntime* runtime, Counters* counters) : IDisposable
{
    /// <summary>Redirects that a packet may go through: programs on cpumaps can send it in circles.</summary>
    private const int MaxHops = 8;

    private PacketVector* _passed = NativeBlock.Allocate<PacketVector>();
    private PacketVector* _group = NativeBlock.Allocate<PacketVector>();
    private uint* _verdicts = NativeBlock.Allocate<uint>(PacketVector.MaxCapacity);

    /// <summary>Runs what programs there are.</summary>
    /// <param name="vector">The packets with verdict <see cref="XdpAction.Redirect"/>.</param>
    /// <param name="outcome">Gets the fate of those dropped.</param>
    /// <returns>The packets that go on, in their order: the vector itself where no program ran. Good until the next call.</returns>
    public PacketVector* Run(PacketVector* vector, VectorOutcome* outcome)
    {
        for (var hop = 0; HasPrograms(vector); hop++)
        {
            if (hop == MaxHops)
            {
                Forget(vector);
                break;
            }
            RunOnce(vector, outcome);
            vector = _passed;
        }
        return vector;
    }

    /// <summary>Runs the program on an entry, if it has one, over a packet that goes to several.</summary>
    /// <returns>True if it goes on to the entry's interface.</returns>
    public bool Passes(XdpBuff* packet, DevmapTarget entry)
    {
        if (entry.Program == 0)
        {
            return true;
        }
        packet->Redirect = new RedirectTarget { Kind = RedirectKind.Interface, Value = entry.Interface };
        _group->Count = 0;
        _group->Add(packet, 0);
        RunGroup(entry.Program);
        return _verdicts[0] == (uint)XdpAction.Pass;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeBlock.Free(ref _passed);
        NativeBlock.Free(ref _group);
        NativeBlock.Free(ref _verdicts);
    }

    private static bool HasPrograms(PacketVector* vector)
    {
        nint any = 0;
        for (var i = 0; i < vector->Count; i++)
        {
            any |= vector->Packets[i]->Redirect.Program;
        }
        return any != 0;
    }

    // What still goes in circles has no target.
    private static void Forget(PacketVector* vector)
    {
        for (var i = 0; i < vector->Count; i++)
        {
            if (vector->Packets[i]->Redirect.Program != 0)
            {
                vector->Packets[i]->Redirect = default;
            }
        }
    }

    private void RunOnce(PacketVector* vector, VectorOutcome* outcome)
    {
        // What has passed once may be what is looked at now: it is written behind where it is read.
        var count = vector->Count;
        _passed->Count = 0;
        for (var start = 0; start < count; )
        {
            var target = vector->Packets[start]->Redirect;
            var end = start;
            _group->Count = 0;
            while (end < count && IsSame(vector->Packets[end]->Redirect, target))
            {
                _group->Add(vector->Packets[end], vector->Positions[end]);
                end++;
            }
            if (target.Program != 0)
            {
                RunGroup(target.Program);
            }
            for (var i = 0; i < _group->Count; i++)
            {
                var verdict = target.Program == 0 ? (uint)XdpAction.Pass : _verdicts[i];
                if (
                    verdict == (uint)XdpAction.Pass
                    || (verdict == (uint)XdpAction.Redirect && target.Kind == RedirectKind.Cpu)
                )
                {
                    _passed->Add(_group->Packets[i], _group->Positions[i]);
                }
                else
                {
                    counters->Fate[(int)Fate.DroppedAtTarget]++;
                    outcome->Fates[_group->Positions[i]] = Fate.DroppedAtTarget;
                }
            }
            start = end;
        }
    }

    private static bool IsSame(RedirectTarget one, RedirectTarget other) =>
        one.Program == other.Program && one.Kind == other.Kind;

    /// <summary>
    /// Runs a program over the group. It sees where the packets leave, and queue 0; a packet that it passes keeps its target,
    /// now without the program.
    /// </summary>
    private void RunGroup(nint program)
    {
        var packets = _group->Packets;
        var queues = stackalloc uint[PacketVector.MaxCapacity];
        for (var i = 0; i < _group->Count; i++)
        {
            var packet = packets[i];
            queues[i] = packet->RxQueueIndex;
            packet->RxQueueIndex = 0;
            packet->EgressIfindex = packet->Redirect.Kind == RedirectKind.Interface ? packet->Redirect.Value : 0;
        }
        ((XdpProgram)GCHandle.FromIntPtr(program).Target!).RunVector(packets, _verdicts, _group->Count, runtime);
        for (var i = 0; i < _group->Count; i++)
        {
            var packet = packets[i];
            packet->RxQueueIndex = queues[i];
            packet->EgressIfindex = 0;
            if (_verdicts[i] == (uint)XdpAction.Pass)
            {
                packet->Redirect.Program = 0;
            }
        }
    }
}
