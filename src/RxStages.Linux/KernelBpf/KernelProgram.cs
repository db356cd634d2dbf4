using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Linux.KernelBpf;

/// <summary>What one test run gave.</summary>
/// <param name="ReturnValue">What the program returned.</param>
/// <param name="Length">Bytes of the packet afterwards.</param>
/// <param name="Duration">Nanoseconds that a run took, the average of all repeats.</param>
public readonly record struct TestRunResult(uint ReturnValue, int Length, uint Duration);

/// <summary>An XDP program that the kernel has verified and loaded, attached to nothing.</summary>
public sealed unsafe class KernelProgram : IDisposable
{
    // enum bpf_prog_type, enum bpf_attach_type and flags of BPF_PROG_LOAD, include/uapi/linux/bpf.h.
    private const uint ProgramTypeXdp = 6;
    private const uint ProgramTypeExtension = 28;
    private const uint AttachXdpDevmap = 33;
    private const uint AttachXdpCpumap = 35;
    private const uint AttachXdp = 37;
    private const uint HasFragments = 1 << 5;
    private const uint LogLevel = 1;

    // A helper that no kernel has, in place of a kfunc that this kernel lacks (POISON_CALL_KFUNC_BASE of libbpf).
    private const int MissingKfunc = 2_002_000_000;
    private const int FirstLogSize = 1 << 18;
    private const int LastLogSize = 1 << 26;

    private readonly FileDescriptor _descriptor;

    private KernelProgram(FileDescriptor descriptor, ProgramSpec spec)
    {
        _descriptor = descriptor;
        Spec = spec;
    }

    /// <summary>What the program was made from.</summary>
    public ProgramSpec Spec { get; }

    internal FileDescriptor Descriptor => _descriptor;

    /// <summary>Loads a program (<c>BPF_PROG_LOAD</c>); the kernel verifies it.</summary>
    /// <param name="spec">The program, linked.</param>
    /// <param name="license">Its licence: some helpers want a GPL-compatible one.</param>
    /// <param name="maps">The maps that its wide loads index.</param>
    /// <exception cref="KernelBpfException">The kernel refused; the exception has the verifier's log.</exception>
    public static KernelProgram Load(ProgramSpec spec, string license, IReadOnlyList<KernelMap> maps) =>
        Load(spec, license, maps, types: null);

    internal static KernelProgram Load(
        ProgramSpec spec,
        string license,
        IReadOnlyList<KernelMap> maps,
        KernelBtf? types,
        KernelAttachPoint? place = null
    )
    {
        var descriptor = TryLoad(spec, license, maps, types, place, log: null, out var error);
        if (descriptor is not null)
        {
            return new KernelProgram(descriptor, spec);
        }
        // Logging costs far more than verifying, so only a program that fails is verified with it, a second time.
        var log = "";
        for (var size = FirstLogSize; size <= LastLogSize; size *= 4)
        {
            var buffer = new byte[size];
            using var again = TryLoad(spec, license, maps, types, place, buffer, out var logError);
            log = Encoding.UTF8.GetString(buffer, 0, Math.Max(buffer.AsSpan().IndexOf((byte)0), 0));
            if (logError != Errno.ENOSPC)
            {
                break;
            }
        }
        throw new KernelBpfException($"load program {spec.Name}", error, log);
    }

    /// <summary>Whether the kernel takes the program: its verdict alone, without a log. Quick, for many programs.</summary>
    /// <returns>0 when it does; else the error number, positive.</returns>
    public static int Judge(ProgramSpec spec, string license, IReadOnlyList<KernelMap> maps) =>
        Judge(spec, license, maps, types: null);

    internal static int Judge(ProgramSpec spec, string license, IReadOnlyList<KernelMap> maps, KernelBtf? types)
    {
        using var descriptor = TryLoad(spec, license, maps, types, place: null, log: null, out var error);
        return error;
    }

    /// <summary>
    /// Runs the program on a packet (<c>BPF_PROG_TEST_RUN</c>), as if it came in by the loopback device. Up to 3,520 bytes
    /// are linear, what is more is in fragments of a page, up to 17, whether the program is for them or not.
    /// </summary>
    /// <param name="packet">The packet, at least 14 bytes.</param>
    /// <param name="output">Gets the packet as the program left it.</param>
    /// <param name="repeat">How often to run it, each time on what the run before left.</param>
    /// <exception cref="KernelBpfException">The kernel refused, or <paramref name="output"/> is too short.</exception>
    public TestRunResult TestRun(ReadOnlySpan<byte> packet, Span<byte> output, int repeat = 1) =>
        TestRun(packet, default, output, repeat);

    /// <summary>Runs the program on a packet that comes with a context: metadata, interface, queue.</summary>
    /// <param name="packet">Metadata, then the packet.</param>
    /// <param name="context">
    /// A <c>struct xdp_md</c> whose <c>data_meta</c> is 0, <c>data</c> the length of the metadata and <c>data_end</c> the length
    /// of all; empty for none. The interface must exist and have the queue; loopback has no XDP queue but 0.
    /// </param>
    /// <param name="output">Gets metadata and packet as the program left them.</param>
    /// <param name="repeat">How often to run it.</param>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public TestRunResult TestRun(
        ReadOnlySpan<byte> packet,
        ReadOnlySpan<byte> context,
        Span<byte> output,
        int repeat = 1
    )
    {
        ObjectDisposedException.ThrowIf(_descriptor.IsClosed, this);
        fixed (
            byte* input = packet,
                xdpMd = context,
                result = output
        )
        {
            var attributes = new TestRunAttributes
            {
                ProgramFd = (uint)_descriptor.Number,
                DataSizeIn = (uint)packet.Length,
                DataSizeOut = (uint)output.Length,
                DataIn = (ulong)input,
                DataOut = (ulong)result,
                Repeat = (uint)repeat,
                ContextSizeIn = (uint)context.Length,
                ContextIn = (ulong)xdpMd,
            };
            var error = BpfSystemCall.Invoke(BpfCommand.ProgramTestRun, ref attributes);
            GC.KeepAlive(_descriptor);
            return error == 0
                ? new TestRunResult(attributes.ReturnValue, (int)attributes.DataSizeOut, attributes.Duration)
                : throw new KernelBpfException($"run program {Spec.Name} on {packet.Length} bytes", -error);
        }
    }

    /// <summary>Puts the program, an extension, in the place of a function (<c>BPF_LINK_CREATE</c>) until the link is disposed.</summary>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    internal FileDescriptor Attach(KernelAttachPoint place)
    {
        var attributes = new LinkCreateAttributes
        {
            ProgramFd = (uint)_descriptor.Number,
            TargetFd = (uint)place.Program._descriptor.Number,
            TargetBtfId = (uint)place.Function,
        };
        var link = BpfSystemCall.Open(
            BpfCommand.LinkCreate,
            ref attributes,
            $"replace a function of {place.Program.Spec.Name} by {Spec.Name}"
        );
        GC.KeepAlive(place);
        return link;
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();

    private static FileDescriptor? TryLoad(
        ProgramSpec spec,
        string license,
        IReadOnlyList<KernelMap> maps,
        KernelBtf? types,
        KernelAttachPoint? place,
        byte[]? log,
        out int error
    )
    {
        var instructions = ForKernel(spec, maps);
        var functions = types is null ? [] : FunctionInfoOf(spec);
        fixed (FunctionInfo* functionInfo = functions)
        fixed (Instruction* slots = instructions)
        fixed (byte* licenseText = Encoding.UTF8.GetBytes(license + '\0'))
        fixed (byte* logBuffer = log)
        {
            var attributes = new ProgramLoadAttributes
            {
                ProgramType = place is null ? ProgramTypeXdp : ProgramTypeExtension,
                InstructionCount = (uint)instructions.Length,
                Instructions = (ulong)slots,
                License = (ulong)licenseText,
                LogLevel = log is null ? 0 : LogLevel,
                LogSize = (uint)(log?.Length ?? 0),
                LogBuffer = (ulong)logBuffer,
                Flags = spec.IsFrags ? HasFragments : 0,
                ExpectedAttachType = place is null ? AttachTypeOf(spec.AttachKind) : 0,
                AttachProgramFd = (uint)(place?.Program._descriptor.Number ?? 0),
                AttachBtfId = (uint)(place?.Function ?? 0),
                BtfFd = (uint)(types?.Descriptor.Number ?? 0),
                FunctionInfoRecordSize = (uint)sizeof(FunctionInfo),
                FunctionInfo = (ulong)functionInfo,
                FunctionInfoCount = (uint)functions.Length,
            };
            BpfSystemCall.WriteName(ref attributes.Name, spec.Name);
            var result = BpfSystemCall.Invoke(BpfCommand.ProgramLoad, ref attributes);
            GC.KeepAlive(maps);
            GC.KeepAlive(types);
            GC.KeepAlive(place);
            error = result < 0 ? -result : 0;
            return result < 0 ? null : new FileDescriptor(result);
        }
    }

    // The kernel wants to know the types of all functions of a program, or of none.
    private static FunctionInfo[] FunctionInfoOf(ProgramSpec spec) =>
        spec.Functions.All(function => function.BtfType != 0)
            ? [.. spec.Functions.Select(function => new FunctionInfo((uint)function.Start, (uint)function.BtfType))]
            : [];

    // The kernel knows maps by descriptor, and kfuncs by BTF id, where a linked program has indices.
    private static Instruction[] ForKernel(ProgramSpec spec, IReadOnlyList<KernelMap> maps)
    {
        var result = spec.Instructions.ToArray();
        for (var slot = 0; slot < result.Length; slot++)
        {
            var load = result[slot];
            if (load is { Opcode: Opcode.Call, Source: PseudoCall.KernelFunction })
            {
                var id = KfuncId(spec, load.Immediate);
                result[slot] =
                    id != 0 ? load with { Immediate = id } : new Instruction(Opcode.Call, 0, 0, 0, MissingKfunc);
                continue;
            }
            if (!load.IsWide)
            {
                continue;
            }
            if (load.Source == PseudoLoad.BtfId)
            {
                var id = KfuncId(spec, load.Immediate);
                result[slot] = new Instruction(load.Opcode, load.Destination, id != 0 ? PseudoLoad.BtfId : 0, 0, id);
            }
            var pseudo = load.Source switch
            {
                PseudoLoad.MapIndex => PseudoLoad.MapFd,
                PseudoLoad.MapIndexValue => PseudoLoad.MapFdValue,
                _ => -1,
            };
            if (pseudo >= 0)
            {
                var descriptor = maps[load.Immediate].Descriptor.Number;
                result[slot] = new Instruction(load.Opcode, load.Destination, pseudo, load.Offset, descriptor);
            }
            slot++;
        }
        return result;
    }

    private static int KfuncId(ProgramSpec spec, int index) =>
        TargetKernel.Running.Types?.Find(spec.Kfuncs[index].Name, BtfKind.Function) ?? 0;

    private static uint AttachTypeOf(AttachKind kind) =>
        kind switch
        {
            AttachKind.Devmap => AttachXdpDevmap,
            AttachKind.Cpumap => AttachXdpCpumap,
            _ => AttachXdp,
        };
}

/// <summary>Which function begins at a slot (<c>struct bpf_func_info</c>).</summary>
/// <param name="Slot">Its first slot.</param>
/// <param name="Type">The id of its <c>FUNC</c>.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FunctionInfo(uint Slot, uint Type);

/// <summary>A function of a loaded program that an extension is to replace.</summary>
/// <param name="Program">The program.</param>
/// <param name="Function">The BTF id of the function's <c>FUNC</c>.</param>
internal sealed record KernelAttachPoint(KernelProgram Program, int Function);
