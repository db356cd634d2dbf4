using RxStages.Bpf.Helpers;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks what a helper or kfunc is given in a register against the kind of argument that it takes, after the kernel's
/// <c>check_func_arg</c> and <c>check_kfunc_args</c>.
/// </summary>
internal sealed class ArgumentChecker(VerifierEnvironment environment, CallFindings call)
{
    private readonly MemoryArgumentChecker _memory = new(environment, call);
    private readonly DynptrChecker _dynptrs = new(environment);
    private readonly SpecialFieldChecker _fields = new(environment);
    private readonly IteratorChecker _iterators = new(environment);
    private readonly ConstantStringChecker _strings = new(environment);

    /// <summary>An argument of the call in progress; those before it were checked.</summary>
    /// <param name="register">The register, 1 to 5.</param>
    /// <param name="expected">What the function takes there.</param>
    public void Check(int register, Argument expected)
    {
        ref readonly var argument = ref environment.Read(register);
        if (expected.Type == ArgumentType.Anything)
        {
            return;
        }
        if (expected.MayBeNull && argument.IsZero && !IsSized(register))
        {
            environment.Precision.Mark(register);
            return;
        }
        NoteReference(register, argument);
        switch (expected.Type)
        {
            case ArgumentType.Scalar:
                CheckNumber(register, argument);
                break;
            case ArgumentType.ConstantScalar:
                call.Constant = CheckConstant(register, argument);
                break;
            case ArgumentType.ConstAllocSize:
                call.ResultSize = CheckConstant(register, argument);
                break;
            case ArgumentType.Context:
                CheckWhole(register, argument, RegisterType.Context);
                break;
            case ArgumentType.ConstMapPointer:
                CheckWhole(register, argument, RegisterType.MapPointer);
                CheckMap(argument);
                break;
            case ArgumentType.MapValue when environment.Maps[call.Map].Type is MapType.Sockmap or MapType.Sockhash:
                CheckSocket(register, argument);
                break;
            case ArgumentType.Function:
                CheckWhole(register, argument, RegisterType.Function);
                call.Callback = expected.Callback;
                break;
            case ArgumentType.StackOrNull:
                CheckStackOrNull(register, argument);
                break;
            case ArgumentType.Timer:
                call.Map = _fields.CheckField(register, SpecialFieldKind.Timer);
                call.InnerMap = argument.InnerMap;
                break;
            case ArgumentType.UninitializedIterator:
                _iterators.Make(register, expected);
                break;
            case ArgumentType.Iterator:
                call.Reference = _iterators.Check(register, expected);
                if (call.Function.Returns == ReturnType.Void)
                {
                    _iterators.Destroy(register, expected);
                    call.Released = call.Reference;
                }
                break;
            case ArgumentType.SpinLock:
                _fields.CheckLock(register, isTaken: call.Function.Name == "spin_lock");
                break;
            case ArgumentType.RingbufMemory:
                CheckWhole(register, argument, RegisterType.Memory | RegisterType.Ringbuf);
                CheckReleased(register, argument);
                break;
            case ArgumentType.SocketCommon:
                CheckSocket(register, argument);
                break;
            case ArgumentType.ReleasedSocket:
                CheckSocket(register, argument);
                CheckReleased(register, argument);
                break;
            case ArgumentType.BtfPointer or ArgumentType.ReleasedBtfPointer:
                CheckStructure(register, argument, expected);
                break;
            case ArgumentType.UninitializedDynptr:
                CheckNewDynptr(register, expected.Dynptr);
                break;
            case ArgumentType.Dynptr:
                call.Dynptr = _dynptrs.CheckInitialized(register, expected.Dynptr);
                break;
            case ArgumentType.ReleasedDynptr:
                call.Dynptr = _dynptrs.CheckInitialized(register, expected.Dynptr);
                call.Released =
                    call.Dynptr.Reference != 0
                        ? call.Dynptr.Reference
                        : throw environment.Reject($"the dynptr in r{register} holds nothing that could be released");
                break;
            case ArgumentType.ConstString or ArgumentType.KfuncString:
                _strings.Check(register);
                break;
            case ArgumentType.ConstFormat:
                _strings.CheckFormat(register);
                break;
            default:
                if (!_memory.TryCheck(register, expected))
                {
                    throw environment.Reject(
                        $"{call.Function.FullName} takes an argument of a kind that is not supported: {expected.Type}"
                    );
                }
                break;
        }
    }

    /// <summary>True when the size of what the register points to is the next argument, which tells whether null will do.</summary>
    private bool IsSized(int register) =>
        register < call.Function.Arguments.Length
        && call.Function.Arguments[register].Type
            is ArgumentType.Size
                or ArgumentType.SizeOrZero
                or ArgumentType.ConstantSize;

    /// <summary>Only one argument may hold a reference: else it would not be clear what the result was made from.</summary>
    private void NoteReference(int register, in RegisterState argument)
    {
        if (argument.Reference == 0)
        {
            return;
        }
        if (call.Reference != 0 && call.Function is not KfuncDefinition)
        {
            throw environment.Reject(
                $"{call.Function.FullName} gets another object that must be released in r{register}: it may get only one"
            );
        }
        call.Reference = argument.Reference;
    }

    private void CheckNumber(int register, in RegisterState argument)
    {
        if (!argument.IsScalar)
        {
            throw environment.Reject(
                $"{call.Function.FullName} expects a number in r{register}, which is {argument.Describe()}"
            );
        }
    }

    private int CheckConstant(int register, in RegisterState argument)
    {
        CheckNumber(register, argument);
        if (!argument.Bounds.IsConstant)
        {
            throw environment.Reject(
                $"{call.Function.FullName} expects a constant in r{register}, which may be {argument.Bounds}"
            );
        }
        if (argument.Bounds.Bits.Value > int.MaxValue)
        {
            throw environment.Reject(
                $"{call.Function.FullName} gets {argument.Bounds.Bits.Value} in r{register}, which is too large"
            );
        }
        environment.Precision.Mark(register);
        return (int)argument.Bounds.Bits.Value;
    }

    private void CheckWhole(int register, in RegisterState argument, RegisterType expected)
    {
        if (argument.Type != expected)
        {
            throw Mismatch(register, argument, expected.Describe());
        }
        CheckNotMoved(register, argument);
    }

    private void CheckNotMoved(int register, in RegisterState argument)
    {
        if (argument.Offset != 0 || !argument.Bounds.IsZero)
        {
            throw environment.Reject(
                $"{call.Function.FullName} expects {argument.Describe()} in r{register}, but it was moved by {argument.DescribeOffset()}"
            );
        }
    }

    private VerificationException Mismatch(int register, in RegisterState argument, string expected) =>
        environment.Reject(
            $"{call.Function.FullName} expects {expected} in r{register}, which is {argument.Describe()}",
            argument.MayBeNull ? "compare it with NULL first, and go on only where it is not" : null
        );

    private void CheckMap(in RegisterState argument)
    {
        var map = environment.Maps[argument.Map];
        if (call.Function is HelperDefinition helper && MapRules.ReasonAgainst(helper, map) is { } reason)
        {
            throw environment.Reject(reason);
        }
        if (call.Map >= 0 && (call.Map != argument.Map || call.InnerMap != argument.InnerMap))
        {
            throw environment.Reject(
                $"the timer is in map '{environment.Maps[call.Map].Name}', which is not certain to be the map argument"
            );
        }
        call.Map = argument.Map;
        call.InnerMap = argument.InnerMap;
    }

    private void CheckStackOrNull(int register, in RegisterState argument)
    {
        if (argument.IsZero)
        {
            environment.Precision.Mark(register);
        }
        else if (argument.Type != RegisterType.Stack)
        {
            throw Mismatch(register, argument, "a pointer to the stack, or null,");
        }
    }

    /// <summary>What the helper is given must be the socket as programs see it.</summary>
    private void CheckSocket(int register, in RegisterState argument)
    {
        if (argument.Type is not (RegisterType.Socket or RegisterType.SocketCommon))
        {
            throw Mismatch(register, argument, "a pointer to a socket");
        }
        CheckNotMoved(register, argument);
    }

    private void CheckStructure(int register, in RegisterState argument, Argument expected)
    {
        var isTrusted = argument.Type == (RegisterType.Btf | RegisterType.Trusted);
        var isExpected =
            isTrusted
            && argument.Bounds.IsZero
            && environment.KernelTypes.IsAt(argument.BtfType, argument.Offset, expected.BtfType);
        if (!isExpected)
        {
            throw environment.Reject(
                $"{call.Function.FullName} expects a trusted pointer to struct {expected.BtfType} in r{register}, which is {argument.Describe()}"
                    + (
                        argument.Kind == RegisterType.Btf
                            ? $" ({environment.KernelTypes.NameOf(argument.BtfType)})"
                            : ""
                    ),
                argument.MayBeNull ? "compare it with NULL first, and go on only where it is not" : null
            );
        }
        if (expected.Type == ArgumentType.ReleasedBtfPointer)
        {
            // What was acquired is given back, not a part of it.
            CheckNotMoved(register, argument);
            CheckReleased(register, argument);
        }
    }

    private void CheckReleased(int register, in RegisterState argument)
    {
        call.Released =
            argument.Reference != 0
                ? argument.Reference
                : throw environment.Reject(
                    $"{call.Function.FullName} releases what is in r{register}, but that was not acquired"
                );
    }

    private void CheckNewDynptr(int register, DynptrKinds kind)
    {
        if (kind == DynptrKinds.Local && environment.Registers[1].Type != RegisterType.MapValue)
        {
            // Other memory may be gone before the dynptr is.
            throw environment.Reject(
                $"{call.Function.FullName} expects a pointer to a map value in r1, which is {environment.Registers[1].Describe()}"
            );
        }
        if (kind == DynptrKinds.Any)
        {
            _dynptrs.Clone(register, call.Dynptr);
        }
        else
        {
            _dynptrs.Initialize(register, kind);
        }
    }
}
