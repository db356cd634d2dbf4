using System.Collections.Immutable;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>
/// Programs that a test vouches for itself, so that the compiler is tested apart from the verifier: everything is
/// reachable, every branch goes both ways, and loads through a copy of r1 are loads from the context.
/// </summary>
internal static class Trusted
{
    public static CompiledProgram Compile(
        string text,
        ImmutableArray<Map> maps = default,
        CompilerOptions? options = null,
        bool readsUninitializedStack = false,
        string name = "test"
    ) => Compile(Assembler.Assemble(text), maps, options, readsUninitializedStack, name);

    public static CompiledProgram Compile(
        ImmutableArray<Instruction> instructions,
        ImmutableArray<Map> maps = default,
        CompilerOptions? options = null,
        bool readsUninitializedStack = false,
        string name = "test"
    )
    {
        maps = maps.IsDefault ? [] : maps;
        return IlCompiler.Compile(
            Program(instructions, [.. maps.Select(map => map.Spec)], readsUninitializedStack, name),
            maps,
            options
        );
    }

    private static VerifiedProgram Program(
        ImmutableArray<Instruction> instructions,
        ImmutableArray<MapSpec> maps,
        bool readsUninitializedStack,
        string name
    )
    {
        Assert.Null(InstructionValidator.Validate(instructions.AsSpan(), mapCount: maps.Length));
        var starts = InstructionValidator.FindFunctions(instructions.AsSpan());
        var lengths = starts.Select(
            (start, i) => (i + 1 < starts.Length ? starts[i + 1] : instructions.Length) - start
        );
        var functions = starts.Zip(lengths).ToArray();
        var spec = new ProgramSpec
        {
            Name = name,
            Section = "xdp",
            Instructions = instructions,
            Functions = [.. functions.Select(f => new FunctionSpec($"f{f.First}", f.First, f.Second, false, 0))],
        };
        return new VerifiedProgram(
            spec,
            maps,
            Facts(instructions, starts),
            ImmutableDictionary<int, ImmutableArray<int>>.Empty,
            [.. functions.Select(f => new VerifiedFunction(f.First, f.Second, 512, readsUninitializedStack))],
            int.MaxValue,
            new VerificationStatistics(0, 0, 0, TimeSpan.Zero)
        );
    }

    private static InstructionFacts[] Facts(ImmutableArray<Instruction> instructions, int[] starts)
    {
        var facts = new InstructionFacts[instructions.Length];
        var contexts = 0;
        var mapInR1 = 0;
        for (var slot = 0; slot < instructions.Length; slot++)
        {
            var instruction = instructions[slot];
            if (starts.Contains(slot))
            {
                contexts = slot == 0 ? 1 << 1 : 0;
            }
            facts[slot] = new InstructionFacts { IsReachable = true, Branch = BranchOutcome.Both };
            if (instruction.Class == InstructionClass.Ldx)
            {
                facts[slot].Region =
                    (contexts & (1 << instruction.Source)) != 0 ? MemoryRegion.Context
                    : instruction.Source == 10 ? MemoryRegion.Stack
                    : MemoryRegion.Packet;
            }
            if (instruction.IsHelperCall)
            {
                facts[slot].MapIndexPlusOne = mapInR1;
            }
            var copies =
                instruction.Class == InstructionClass.Alu64
                && instruction.AluOperation == AluOperation.Mov
                && instruction.UsesSourceRegister
                && (contexts & (1 << instruction.Source)) != 0;
            if (RegisterSet.Writes(instruction) is >= 0 and var written)
            {
                contexts = copies ? contexts | (1 << written) : contexts & ~(1 << written);
            }
            if (instruction.IsWide)
            {
                mapInR1 = instruction.Source == PseudoLoad.MapIndex ? instruction.Immediate + 1 : mapInR1;
                slot++;
            }
        }
        return facts;
    }
}
