using RxStages.Bpf.Helpers;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Global functions with BTF are verified on their own, once, if some path calls them: for any arguments of their types. A
/// call of one is checked by these types, and nothing is known of what it returns. After the kernel's
/// <c>btf_check_func_arg_match</c> and <c>do_check_subprogs</c>.
/// </summary>
internal sealed class GlobalFunctionChecker(VerifierEnvironment environment)
{
    private readonly MemoryChecker _memory = new(environment);
    private readonly DynptrChecker _dynptrs = new(environment);

    /// <summary>The call in progress is one of a global function.</summary>
    public void CheckCall(int index, FunctionPrototype prototype)
    {
        var function = environment.Flow.Functions[index];
        if (prototype.Problem is { } problem)
        {
            throw environment.Reject(
                $"calls '{function.Name}', which is global, but {problem}",
                "declare it 'static', so that it is verified where it is called"
            );
        }
        if (environment.State.Held.Lock is not null)
        {
            throw environment.Reject(
                $"calls '{function.Name}', which is global, while a spin lock is held",
                "declare it 'static', so that it is verified where it is called"
            );
        }
        for (var position = 0; position < prototype.Parameters.Length; position++)
        {
            CheckArgument(position + 1, prototype.Parameters[position], function.Name);
        }
        environment.Record();
        if (environment.Flow.ChangesPacketData[index])
        {
            environment.State.ForgetPackets();
        }
        CallChecker.ClearCallerSaved(environment.Registers);
        environment.Registers[0] = RegisterState.Unknown;
        ref var findings = ref environment.Functions[index];
        if (!findings.IsStarted)
        {
            findings.IsStarted = true;
            Start(index, prototype);
        }
    }

    private void CheckArgument(int register, PrototypeParameter parameter, string function)
    {
        ref var argument = ref environment.Read(register);
        switch (parameter.Kind)
        {
            case ParameterKind.Scalar:
                Require(argument.IsScalar, register, "a number", function);
                break;
            case ParameterKind.Context:
                Require(argument.Type == RegisterType.Context, register, "the context", function);
                Require(argument is { Offset: 0, Bounds.IsZero: true }, register, "the context's start", function);
                break;
            case ParameterKind.Dynptr:
                _dynptrs.CheckInitialized(register, DynptrKinds.Any);
                break;
            case ParameterKind.Memory or ParameterKind.TrustedStructure when argument.IsZero:
                Require(parameter.MayBeNull, register, "a pointer that is not null", function);
                environment.Precision.Mark(register);
                break;
            case ParameterKind.Memory:
                Require(parameter.MayBeNull || !argument.MayBeNull, register, "a pointer that is not null", function);
                CheckMemory(register, parameter.Size);
                break;
            case ParameterKind.TrustedStructure:
                var isStructure =
                    (argument.Type & ~(parameter.MayBeNull ? RegisterType.MayBeNull : default))
                        == (RegisterType.Btf | RegisterType.Trusted)
                    && argument.Bounds.IsZero
                    && environment.KernelTypes.IsAt(argument.BtfType, argument.Offset, parameter.Structure);
                Require(isStructure, register, $"a trusted pointer to struct {parameter.Structure}", function);
                break;
            case ParameterKind.UntrustedStructure or ParameterKind.UntrustedMemory:
                // Only read, and with care.
                break;
        }
    }

    /// <summary>What the function may read and write; where the pointer may be null, what it points to if it is not.</summary>
    private void CheckMemory(int register, int size)
    {
        ref var pointer = ref environment.Registers[register];
        var given = pointer;
        pointer.Type &= ~RegisterType.MayBeNull;
        _memory.CheckCallMemory(register, size, MemoryAccess.ReadWrite, fillsAll: false, allowsPacket: true);
        pointer = given;
    }

    private void Require(bool isMet, int register, string expected, string function)
    {
        if (!isMet)
        {
            throw environment.Reject(
                $"'{function}', which is global, expects {expected} in r{register}, which is {environment.Registers[register].Describe()}",
                "global functions are verified by the types of their arguments alone: declare it 'static', so that it is verified where it is called"
            );
        }
    }

    private void Start(int index, FunctionPrototype prototype)
    {
        var registers = environment.PushFunction(index).Registers;
        for (var position = 0; position < prototype.Parameters.Length; position++)
        {
            registers[position + 1] = Make(prototype.Parameters[position]);
        }
    }

    private RegisterState Make(PrototypeParameter parameter)
    {
        if (parameter.Kind == ParameterKind.Scalar)
        {
            return RegisterState.Unknown;
        }
        var modifiers = parameter.MayBeNull ? RegisterType.MayBeNull : default;
        var result = RegisterState.Pointer(
            parameter.Kind switch
            {
                ParameterKind.Context => RegisterType.Context,
                ParameterKind.Memory => RegisterType.Memory | modifiers,
                ParameterKind.Dynptr => RegisterType.Dynptr,
                ParameterKind.TrustedStructure => RegisterType.Btf | RegisterType.Trusted | modifiers,
                ParameterKind.UntrustedStructure => RegisterType.Btf | RegisterType.Untrusted,
                _ => RegisterType.Memory | RegisterType.ReadOnly | RegisterType.Untrusted,
            }
        );
        switch (parameter.Kind)
        {
            case ParameterKind.Memory:
                result.Size = parameter.Size;
                break;
            case ParameterKind.Dynptr:
                // It could be one of the packet, whose slices are void when the packet's boundaries move.
                result.Map = (int)(DynptrKinds.Local | DynptrKinds.Xdp);
                result.Dynptr = environment.NewId();
                break;
            case ParameterKind.TrustedStructure or ParameterKind.UntrustedStructure:
                result.BtfType = environment.KernelTypes.FindOnly(parameter.Structure!);
                break;
        }
        result.Id = result.MayBeNull ? environment.NewId() : 0;
        return result;
    }
}
