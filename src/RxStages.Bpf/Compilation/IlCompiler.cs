using System.Collections.Immutable;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// Compiles eBPF to IL, which RyuJIT makes machine code of. The room is for translating alone: what may be compiled the
/// verifier decides, what helpers and maps do is theirs.
/// </summary>
public static class IlCompiler
{
    /// <summary>Compiles a verified program.</summary>
    /// <param name="program">The program with the verifier's facts.</param>
    /// <param name="maps">The live maps, in the order of <see cref="VerifiedProgram.Maps"/>.</param>
    /// <param name="options">How; null for the default.</param>
    /// <exception cref="InputException">The program uses what the compiler does not have.</exception>
    public static CompiledProgram Compile(
        VerifiedProgram program,
        ImmutableArray<Map> maps,
        CompilerOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(program);
        if (maps.Length != program.Maps.Length)
        {
            throw new ArgumentException(
                $"{maps.Length} maps for a program that has {program.Maps.Length}",
                nameof(maps)
            );
        }
        return new CompiledProgram(new ProgramCompiler(program, maps, options ?? CompilerOptions.Default), maps);
    }

    /// <summary>
    /// Compiles instructions that are not an XDP program and not verified, for instruction-set conformance suites: all of
    /// RFC 9669 with local calls and <c>callx</c> of helpers, every access checked as it is made.
    /// </summary>
    /// <param name="instructions">The instructions, the entry first.</param>
    /// <param name="helpers">The functions that it may call by number, r1 to r5 in and r0 out; null for none.</param>
    /// <exception cref="InputException">
    /// The instructions are not well formed, or more than <see cref="CheckedProgram.MaxInstructions"/>.
    /// </exception>
    public static CheckedProgram CompileChecked(
        ReadOnlySpan<Instruction> instructions,
        IReadOnlyDictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>>? helpers = null
    )
    {
        if (InstructionValidator.Validate(instructions, mapCount: 0, rules: InstructionRules.Rfc9669) is { } error)
        {
            throw CheckedMachine.Fault(error.Slot, error.Reason);
        }
        if (instructions.Length > CheckedProgram.MaxInstructions)
        {
            throw new InputException(
                "program",
                place: null,
                $"{instructions.Length} instructions: up to {CheckedProgram.MaxInstructions} are compiled without being verified; the interpreter takes more"
            );
        }
        return new(new CheckedCompiler(instructions), helpers);
    }
}
