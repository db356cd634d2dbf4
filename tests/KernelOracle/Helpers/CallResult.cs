using System.Buffers.Binary;
using System.Runtime.InteropServices;
using RxStages.Bpf.Network;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;
using RxStages.Linux.KernelBpf;
using RxStages.Packets;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>What calls left behind.</summary>
/// <param name="Verdict">The program's return value.</param>
/// <param name="Results">What was recorded.</param>
/// <param name="Memory">The memory that the program had.</param>
/// <param name="Packet">Metadata and packet.</param>
internal sealed record CallResult(uint Verdict, long[] Results, byte[] Memory, byte[] Packet)
{
    private const int MaxGrowth = 4096;

    /// <summary>Runs a case in the kernel.</summary>
    public static CallResult InKernel(CallCase @case)
    {
        using var kernel = KernelObject.Load(@case.ToObject());
        foreach (var (map, key, value) in @case.Entries)
        {
            Assert.Equal(0, kernel.Maps[map].Update(key, value, 0));
        }
        var packet = @case.MakePacket();
        var output = new byte[packet.Length + MaxGrowth];
        var run = kernel.Programs[0].TestRun(packet, output);
        return new CallResult(
            run.ReturnValue,
            ToNumbers(Value(CallCase.ResultMap, 8 * CallCase.MaxResults)),
            Value(CallCase.MemoryMap, CallCase.MemorySize),
            output[..run.Length]
        );

        byte[] Value(int map, int size)
        {
            var value = new byte[size];
            Assert.Equal(0, kernel.Maps[map].Lookup(new byte[4], value));
            return value;
        }
    }

    /// <summary>Runs a case here.</summary>
    public static unsafe CallResult InEngine(CallCase @case, ExecutionEngine engine, NetworkEnvironment? network = null)
    {
        using var loaded = LoadedObject.Load(
            @case.ToObject(),
            new LoadOptions
            {
                Engine = engine,
                Verifier = new VerifierOptions { Kernel = TargetKernel.Running },
            }
        );
        foreach (var (map, key, value) in @case.Entries)
        {
            Assert.Equal(0, loaded.Maps[map].Update(key, value, 0));
        }
        using var pool = new FramePool(1);
        using var services = new GCHandle<RuntimeServices>(
            new RuntimeServices { ReadableBytes = loaded.ReadableBytes, Network = network }
        );
        var runtime = new BpfRuntime
        {
            RandomState = 1,
            Services = GCHandle<RuntimeServices>.ToIntPtr(services),
            Frames = pool.Memory,
            FramesLength = (nuint)pool.FrameSize,
        };
        var packet = pool.Take();
        FramePool.ClearHeadroom(packet);
        Assert.True(pool.TryWrite(packet, @case.MakePacket()));
        packet->IngressIfindex = 1;
        uint verdict;
        loaded.GetProgram("calls").RunVector(&packet, &verdict, 1, &runtime);
        var metadata = packet->DataMeta < packet->Data ? (int)(packet->Data - packet->DataMeta) : 0;
        var bytes = new byte[metadata + packet->Length];
        new ReadOnlySpan<byte>(packet->Data - metadata, metadata).CopyTo(bytes);
        PacketBytes.CopyTo(packet, bytes.AsSpan(metadata));
        pool.Recycle(&packet, 1);
        return new CallResult(
            verdict,
            ToNumbers(Value(CallCase.ResultMap, 8 * CallCase.MaxResults)),
            Value(CallCase.MemoryMap, CallCase.MemorySize),
            bytes
        );

        byte[] Value(int map, int size)
        {
            var value = new byte[size];
            Assert.Equal(0, loaded.Maps[map].Lookup(new byte[4], value));
            return value;
        }
    }

    /// <summary>The first difference to another result, in words; null when there is none.</summary>
    public string? DifferenceTo(CallResult other)
    {
        for (var i = 0; i < Results.Length; i++)
        {
            if (Results[i] != other.Results[i])
            {
                return $"result {i} is {Results[i]} (0x{Results[i]:x}), not {other.Results[i]} (0x{other.Results[i]:x})";
            }
        }
        return Verdict != other.Verdict ? $"returned {Verdict}, not {other.Verdict}"
            : !Memory.AsSpan().SequenceEqual(other.Memory) ? $"memory is{OfBytes(Memory, other.Memory)}"
            : !Packet.AsSpan().SequenceEqual(other.Packet) ? $"packet is{OfBytes(Packet, other.Packet)}"
            : null;
    }

    private static string OfBytes(byte[] left, byte[] right)
    {
        var at = left.AsSpan().CommonPrefixLength(right);
        return $" {left.Length} bytes, not {right.Length}; from {at} on {Excerpt(left, at)}, not {Excerpt(right, at)}";
    }

    private static string Excerpt(byte[] bytes, int at) => Convert.ToHexStringLower(bytes.Skip(at).Take(40).ToArray());

    private static long[] ToNumbers(byte[] bytes) =>
        [.. bytes.Chunk(8).Select(number => BinaryPrimitives.ReadInt64LittleEndian(number))];
}
