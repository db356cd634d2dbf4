using System.Collections.Immutable;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Cli.Shared;
using RxStages.Engine;

namespace RxStages.Cli.Replay;

/// <summary>What the user asked of a replay; each is an option of the command.</summary>
internal sealed record ReplayOptions
{
    public required string[] Captures { get; init; }
    public required ProgramReference[] Programs { get; init; }

    /// <summary>The objects of the programs, each once.</summary>
    public required ImmutableArray<ObjectSpec> Objects { get; init; }
    public NamedRunConfig[] RunConfigs { get; init; } = [];

    /// <summary>Functions to replace (null: the one that the extension names), and by what.</summary>
    public (string? Function, ProgramReference Extension, ObjectSpec Spec)[] Replacements { get; init; } = [];
    public string? PinDirectory { get; init; }
    public int VectorSize { get; init; }
    public EngineMode Mode { get; init; }
    public ExecutionEngine Engine { get; init; }
    public int Repeat { get; init; }
    public string? Write { get; init; }
    public string? WritePass { get; init; }
    public string? WriteTx { get; init; }
    public string? WriteRedirect { get; init; }
    public string? WriteDrop { get; init; }
    public string[] Maps { get; init; } = [];
    public string? Events { get; init; }
    public string? DumpMaps { get; init; }
    public uint Ifindex { get; init; }
    public uint Queue { get; init; }
    public int Cpu { get; init; }
    public ReplayTime Time { get; init; }
    public ulong Seed { get; init; } = 1;
    public string? Routes { get; init; }
    public string? Sockets { get; init; }
    public bool Trace { get; init; }
    public bool Json { get; init; }
    public bool Data { get; init; }
}
