using System.Reflection;
using System.Reflection.Emit;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// The frame of code that is not verified: <c>ulong F(CheckedMachine* machine, CheckedProgram program, ulong r1, … ulong r5)</c>. Each access
/// is checked where it is made, jumps back and calls are counted.
/// </summary>
internal sealed class CheckedFrame(ILGenerator il, CheckedCompiler compiler, LocalBuilder stackTop) : MethodFrame(il)
{
    /// <inheritdoc/>
    public override bool GuardsJumpsBack => true;

    /// <inheritdoc/>
    public override void LoadStack(int offset)
    {
        IL.Emit(OpCodes.Ldloc, stackTop);
        if (offset != 0)
        {
            IL.Emit(OpCodes.Ldc_I8, (long)offset);
            IL.Emit(OpCodes.Add);
        }
    }

    /// <inheritdoc/>
    public override void Exit()
    {
        IL.Emit(OpCodes.Ldarg_0);
        IL.Emit(OpCodes.Call, typeof(CheckedMachine).GetMethod(nameof(CheckedMachine.Leave))!);
        IL.Emit(OpCodes.Ret);
    }

    /// <inheritdoc/>
    public override void LoadWide(int slot)
    {
        var code = compiler.Code;
        if (code[slot].Source != PseudoLoad.Constant)
        {
            throw code.Error(slot, "there are no maps and no variables here");
        }
        IL.Emit(OpCodes.Ldc_I8, ((long)code[slot + 1].Immediate << 32) | (uint)code[slot].Immediate);
    }

    /// <inheritdoc/>
    public override bool TryLoadContext(int slot) => false;

    /// <inheritdoc/>
    public override void GuardAccess(int slot, int size, bool atomic)
    {
        IL.Emit(OpCodes.Ldarg_0);
        IL.Emit(OpCodes.Ldc_I4, size);
        IL.Emit(OpCodes.Ldc_I4, slot);
        IL.Emit(
            OpCodes.Call,
            typeof(CheckedMachine).GetMethod(
                atomic ? nameof(CheckedMachine.CheckAtomic) : nameof(CheckedMachine.Check)
            )!
        );
    }

    /// <inheritdoc/>
    public override void GuardJumpBack(int slot, int target)
    {
        IL.Emit(OpCodes.Ldarg_0);
        IL.Emit(OpCodes.Ldc_I4, slot - target + 1);
        IL.Emit(OpCodes.Ldc_I4, slot);
        IL.Emit(OpCodes.Call, typeof(CheckedMachine).GetMethod(nameof(CheckedMachine.Spend))!);
    }

    /// <inheritdoc/>
    public override void Call(int slot, Instruction call, Registers registers)
    {
        IL.Emit(OpCodes.Ldarg_0);
        IL.Emit(OpCodes.Ldarg_1);
        if (call.IsLocalCall)
        {
            LoadArguments(registers);
            IL.Emit(OpCodes.Call, compiler.MethodOf(call.CallTarget(slot)));
        }
        else
        {
            IL.Emit(OpCodes.Ldc_I4, slot);
            if (call.IsHelperCall)
            {
                IL.Emit(OpCodes.Ldc_I8, (long)call.Immediate);
            }
            else if (call.Opcode == Opcode.CallRegister)
            {
                registers.Load64(call.CalledRegister);
            }
            else
            {
                throw compiler.Code.Error(slot, "there are no kernel functions here");
            }
            LoadArguments(registers);
            IL.Emit(
                OpCodes.Call,
                typeof(CheckedProgram).GetMethod(
                    nameof(CheckedProgram.CallHelper),
                    BindingFlags.Static | BindingFlags.NonPublic
                )!
            );
        }
        registers.Store64(slot, 0);
    }

    private void LoadArguments(Registers registers)
    {
        for (var register = 1; register <= 5; register++)
        {
            registers.Load64(register);
        }
    }
}
