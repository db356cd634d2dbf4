using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Kfuncs;

/// <summary>Finds what a call calls, where it is none of the program's own functions.</summary>
public static class CalledFunction
{
    /// <summary>The helper or kfunc that an instruction calls; null where it calls none, or one that is not supported.</summary>
    public static FunctionDefinition? Find(ProgramSpec program, Instruction call)
    {
        ArgumentNullException.ThrowIfNull(program);
        if (call.IsHelperCall)
        {
            return HelperTable.Find(call.Immediate);
        }
        return call.IsKfuncCall && (uint)call.Immediate < (uint)program.Kfuncs.Length
            ? KfuncTable.Find(program.Kfuncs[call.Immediate].Name)
            : null;
    }
}
