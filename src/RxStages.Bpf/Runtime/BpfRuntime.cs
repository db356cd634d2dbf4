using System.Runtime.InteropServices;

namespace RxStages.Bpf.Runtime;

/// <summary>
/// What a running program needs beside its packet: one per worker thread, in native memory, never shared between
/// threads. The counterpart of the kernel's per-CPU <c>bpf_redirect_info</c> and friends. Compiled code, interpreter and
/// helpers all get its address.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct BpfRuntime
{
    /// <summary>The CPU that programs see, and the slot of per-CPU maps that they use: 0 to the number of CPUs less one.</summary>
    public int Cpu;

    /// <summary>Tail calls made for the present packet; at most <see cref="MaxTailCalls"/>.</summary>
    public int TailCallCount;

    /// <summary>
    /// What the last redirect helper chose. As in the kernel it stays from packet to packet until a redirect uses it up
    /// (<c>xdp_do_redirect</c>).
    /// </summary>
    public RedirectTarget Redirect;

    /// <summary>The NUMA node of that CPU; 0 unless the engine knows better.</summary>
    public int NumaNode;

    /// <summary>State of <c>bpf_get_prandom_u32</c>; never 0.</summary>
    public ulong RandomState;

    /// <summary>A <see cref="GCHandle{T}"/> (or <see cref="GCHandle"/>) to the <see cref="RuntimeServices"/>: clock, trace output; for slow helpers only.</summary>
    public nint Services;

    /// <summary>The packet that the program works on, or null; compiled code sets it only for programs that read a clock.</summary>
    public XdpBuff* Packet;

    /// <summary>
    /// Where the stack of the program that runs ends: what lies between it and the machine's stack pointer may be read by
    /// helpers that take any address. Null while none runs.
    /// </summary>
    public byte* StackEnd;

    /// <summary>The worker's packet memory, which such helpers may read too, or null.</summary>
    public byte* Frames;

    /// <summary>How many bytes are at <see cref="Frames"/>.</summary>
    public nuint FramesLength;

    /// <summary>Kernel structures made for this worker's programs, which are read with care too, or null.</summary>
    public byte* Structures;

    /// <summary>How many bytes are at <see cref="Structures"/>.</summary>
    public nuint StructuresLength;

    /// <summary>
    /// When the worker's next timer is due, by the clock of <see cref="RuntimeServices.KtimeGetNs"/>; 0 while none is
    /// pending, so that a worker sees at once whether it has to look (<c>TimerQueue</c>).
    /// </summary>
    public ulong NextTimer;

    /// <summary>A <see cref="GCHandle{T}"/> to the worker's queue of timers (<c>TimerQueue</c>), or 0 before the first one was started.</summary>
    public nint Timers;

    /// <summary>The program has run: what it alone had is void.</summary>
    public void EndRun()
    {
        StackEnd = null;
        Packet = null;
        StructuresLength = 0;
    }

    /// <summary>The services behind <see cref="Services"/>; those of <see cref="RuntimeServices.Default"/> if none were set.</summary>
    public readonly RuntimeServices GetServices() =>
        Services == 0 ? RuntimeServices.Default : GCHandle<RuntimeServices>.FromIntPtr(Services).Target;

    /// <summary>The kernel's <c>BPF_MAX_LOOPS</c>: how often <c>bpf_loop</c> calls, how far a number iterator counts, how long <c>may_goto</c> stays.</summary>
    public const int MaxLoops = 8 << 20;

    /// <summary>Bytes that a structure of the kernel may have; programs that use a larger one are refused.</summary>
    public const int MaxStructureSize = 1 << 16;

    /// <summary>The kernel's <c>MAX_TAIL_CALL_CNT</c>.</summary>
    public const int MaxTailCalls = 33;
}
