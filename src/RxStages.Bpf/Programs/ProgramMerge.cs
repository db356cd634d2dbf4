using System.Collections.Immutable;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Programs;

/// <summary>Puts an extension in the place of a function of a linked program: one program then, to verify and compile as any.</summary>
internal static class ProgramMerge
{
    /// <summary>The program with the extension in place of a function.</summary>
    /// <param name="program">The program.</param>
    /// <param name="replaced">The number of the function.</param>
    /// <param name="extension">The extension.</param>
    /// <param name="firstMap">What the extension's first map is numbered in the maps that both then share.</param>
    public static ProgramSpec Replace(ProgramSpec program, int replaced, ProgramSpec extension, int firstMap)
    {
        var own = program.Functions.Length;
        // The new functions: the program's, one of them with the extension's code, then those that the extension calls.
        var sources = program
            .Functions.Select((function, index) => index == replaced ? extension.Functions[0] : function)
            .Concat(extension.Functions.Skip(1))
            .ToArray();
        var starts = new int[sources.Length];
        for (var i = 1; i < starts.Length; i++)
        {
            starts[i] = starts[i - 1] + sources[i - 1].Length;
        }
        var instructions = ImmutableArray.CreateBuilder<Instruction>(starts[^1] + sources[^1].Length);
        var functions = ImmutableArray.CreateBuilder<FunctionSpec>(sources.Length);
        var lines = ImmutableArray.CreateBuilder<SourceLine>();
        var unresolved = ImmutableDictionary.CreateBuilder<int, string>();
        for (var i = 0; i < sources.Length; i++)
        {
            var isExtension = i == replaced || i >= own;
            var from = isExtension ? extension : program;
            var source = sources[i];
            functions.Add(
                i == replaced
                    ? program.Functions[i] with
                    {
                        Start = starts[i],
                        Length = source.Length,
                        IsExtension = true,
                    }
                : isExtension ? source with { Start = starts[i], BtfType = 0 }
                : source with { Start = starts[i] }
            );
            for (var slot = source.Start; slot < source.Start + source.Length; slot++)
            {
                var at = instructions.Count;
                var instruction = from.Instructions[slot];
                if (from.Unresolved.TryGetValue(slot, out var missing))
                {
                    unresolved.Add(at, missing);
                }
                if (instruction.IsLocalCall || instruction is { IsWide: true, Source: PseudoLoad.Function })
                {
                    var callee = from.Functions.IndexOf(from.FunctionOf(slot + 1 + instruction.Immediate));
                    var target =
                        !isExtension ? callee
                        : callee == 0 ? replaced
                        : own + callee - 1;
                    instruction = instruction with { Immediate = starts[target] - at - 1 };
                }
                else if (isExtension)
                {
                    instruction = Renumber(instruction, firstMap, program.Kfuncs.Length);
                }
                instructions.Add(instruction);
                if (instruction.IsWide)
                {
                    instructions.Add(from.Instructions[++slot]);
                }
            }
            foreach (var line in from.Lines)
            {
                if (line.Slot >= source.Start && line.Slot < source.Start + source.Length)
                {
                    lines.Add(line with { Slot = line.Slot - source.Start + starts[i] });
                }
            }
        }
        return program with
        {
            Unsupported = program.Unsupported ?? extension.Unsupported,
            Instructions = instructions.DrainToImmutable(),
            Functions = functions.DrainToImmutable(),
            Kfuncs = program.Kfuncs.AddRange(extension.Kfuncs),
            Lines = lines.DrainToImmutable(),
            Unresolved = unresolved.ToImmutable(),
        };
    }

    private static Instruction Renumber(Instruction instruction, int firstMap, int firstKfunc) =>
        instruction switch
        {
            { IsWide: true, Source: PseudoLoad.MapIndex or PseudoLoad.MapIndexValue } => instruction with
            {
                Immediate = instruction.Immediate + firstMap,
            },
            { IsWide: true, Source: PseudoLoad.BtfId } or { Opcode: Opcode.Call, Source: PseudoCall.KernelFunction } =>
                instruction with
                {
                    Immediate = instruction.Immediate + firstKfunc,
                },
            _ => instruction,
        };
}
