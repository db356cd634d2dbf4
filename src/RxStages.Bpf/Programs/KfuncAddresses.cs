using System.Collections.Immutable;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Programs;

/// <summary>
/// Answers programs that ask whether there is a kfunc (<c>bpf_ksym_exists</c>): they compare its address with 0. There is
/// no other use for it, so any address will do for those that there are.
/// </summary>
internal static class KfuncAddresses
{
    private const int Present = 1;

    /// <summary>The same program, with constants for the addresses of kfuncs.</summary>
    public static ProgramSpec Resolve(ProgramSpec program)
    {
        if (program.Kfuncs.IsEmpty)
        {
            return program;
        }
        var instructions = program.Instructions.ToBuilder();
        for (var slot = 0; slot < instructions.Count; slot += instructions[slot].IsWide ? 2 : 1)
        {
            var load = instructions[slot];
            if (load is { IsWide: true, Source: PseudoLoad.BtfId })
            {
                var isPresent = KfuncTable.Find(program.Kfuncs[load.Immediate].Name) is not null;
                instructions[slot] = new Instruction(
                    load.Opcode,
                    load.Destination,
                    PseudoLoad.Constant,
                    0,
                    isPresent ? Present : 0
                );
            }
        }
        return program with { Instructions = instructions.ToImmutable() };
    }
}
