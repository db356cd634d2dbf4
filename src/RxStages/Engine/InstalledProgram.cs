using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Engine;

/// <summary>What a worker runs: a program and the live maps that it redirects through. Not owned: who made them disposes them.</summary>
/// <param name="Program">The program.</param>
/// <param name="Maps">The maps of its object; empty for programs without.</param>
public sealed record InstalledProgram(XdpProgram Program, ImmutableArray<Map> Maps)
{
    /// <summary>A program without maps.</summary>
    public InstalledProgram(XdpProgram program)
        : this(program, []) { }
}
