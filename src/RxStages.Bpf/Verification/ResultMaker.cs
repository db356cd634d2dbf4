using RxStages.Bpf.Helpers;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>Makes what a call leaves in r0, by the function's <see cref="ReturnType"/> and what its arguments were.</summary>
internal sealed class ResultMaker(VerifierEnvironment environment, CallFindings call)
{
    private const long MaxErrno = 4095;

    /// <summary>The result of the call in progress, whose arguments were checked.</summary>
    public RegisterState Make()
    {
        switch (call.Function.Returns)
        {
            case ReturnType.Integer:
                return RegisterState.Unknown;
            case ReturnType.CpuNumber:
                environment.DependsOnCpuCount = true;
                return Between(0, environment.Options.CpuCount - 1);
            case ReturnType.LengthOrError:
                return Between(-MaxErrno, (long)call.MaxSize);
            case ReturnType.Void:
                return default;
            case ReturnType.MapValueOrNull:
                return MapValue();
            case ReturnType.RingbufMemoryOrNull:
                return Acquired(Memory(RegisterType.Ringbuf | RegisterType.MayBeNull, call.ResultSize));
            case ReturnType.DynptrMemoryOrNull:
                return Slice(RegisterType.MayBeNull);
            case ReturnType.ReadOnlyDynptrMemoryOrNull:
                return Slice(RegisterType.MayBeNull | RegisterType.ReadOnly);
            case ReturnType.SocketOrNull:
                return Object(RegisterType.Socket | RegisterType.MayBeNull);
            case ReturnType.SocketCommonOrNull:
                return Object(RegisterType.SocketCommon | RegisterType.MayBeNull);
            case ReturnType.TcpSocketOrNull:
                return Object(RegisterType.TcpSocket | RegisterType.MayBeNull);
            case ReturnType.BtfPointer:
                return Structure(RegisterType.Btf | RegisterType.Trusted);
            case ReturnType.BtfPointerOrNull:
                return Structure(RegisterType.Btf | RegisterType.Trusted | RegisterType.MayBeNull);
            case ReturnType.CastPointer:
                return Cast();
            case ReturnType.IteratorElementOrNull:
                var element = Memory(RegisterType.ReadOnly | RegisterType.MayBeNull, call.Function.ReturnSize);
                element.Id = environment.NewId();
                element.Reference = call.Reference;
                return element;
            default:
                throw environment.Reject(
                    $"{call.Function.FullName} returns a kind of value that is not supported: {call.Function.Returns}"
                );
        }
    }

    /// <summary>A number within bounds that hold for its low 32 bits too.</summary>
    private static RegisterState Between(long min, long max)
    {
        var bounds = ScalarBounds.Unknown;
        (bounds.SignedMin, bounds.SignedMax) = (min, max);
        (bounds.SignedMin32, bounds.SignedMax32) = ((int)min, (int)max);
        bounds.Deduce();
        return RegisterState.Scalar(bounds);
    }

    private RegisterState MapValue()
    {
        var template = environment.TemplateOf(call.Map);
        var type = environment.Maps[call.Map].Type;
        if (template < 0 && type is MapType.ArrayOfMaps or MapType.HashOfMaps)
        {
            throw environment.Reject(
                $"nothing is known of the maps in '{environment.Maps[call.Map].Name}': it has no template of an inner map"
            );
        }
        var result = RegisterState.Pointer(
            type switch
            {
                MapType.ArrayOfMaps or MapType.HashOfMaps => RegisterType.MapPointer,
                MapType.Xskmap => RegisterType.XdpSocket,
                MapType.Sockmap or MapType.Sockhash => RegisterType.Socket,
                _ => RegisterType.MapValue,
            }
        );
        result.Map = template < 0 ? call.Map : template;
        if (template < 0)
        {
            result.InnerMap = call.InnerMap;
        }
        else if (MapRules.HasTimer(environment.Maps[template]))
        {
            result.InnerMap = environment.NewId();
        }
        if (!call.FindsAlways)
        {
            result.Type |= RegisterType.MayBeNull;
        }
        if (result.Kind == RegisterType.Socket)
        {
            return Acquired(result);
        }
        if (result.MayBeNull || MapRules.HasLock(environment.Maps[result.Map]))
        {
            result.Id = environment.NewId();
        }
        return result;
    }

    private static RegisterState Memory(RegisterType modifiers, int size)
    {
        var result = RegisterState.Pointer(RegisterType.Memory | modifiers);
        result.Size = size;
        return result;
    }

    /// <summary>Part of the dynptr's memory: void when the dynptr is, or when what the dynptr refers to is.</summary>
    private RegisterState Slice(RegisterType modifiers)
    {
        var isOfPacket = call.Dynptr.Kind.HasFlag(DynptrKinds.Xdp);
        var result = Memory(isOfPacket ? modifiers | RegisterType.PacketSlice : modifiers, call.ResultSize);
        if (isOfPacket)
        {
            NoteBuffer(ref result);
        }
        result.Id = environment.NewId();
        result.Dynptr = call.Dynptr.Id;
        result.Reference = call.Dynptr.Reference;
        return result;
    }

    /// <summary>
    /// The slice may be the buffer that the call was given. The kernel takes no notice, so that in it what is written to the
    /// slice can replace a pointer that was stored in the buffer since, or reach stack that is no longer there.
    /// </summary>
    private void NoteBuffer(ref RegisterState slice)
    {
        var arguments = call.Function.Arguments.AsSpan();
        for (var index = 0; index < arguments.Length; index++)
        {
            ref readonly var buffer = ref environment.Registers[index + 1];
            if (arguments[index].Type != ArgumentType.WritableMemoryOrNull || !buffer.IsPointer)
            {
                continue;
            }
            if (buffer.Type == RegisterType.Stack)
            {
                slice.Frame = buffer.Frame;
                slice.Buffer = buffer.Bounds.IsConstant
                    ? (int)((long)buffer.Bounds.Bits.Value + buffer.Offset)
                    : throw environment.Reject(
                        $"the buffer in r{index + 1} is at an offset of the stack that is not constant"
                    );
            }
            else if (buffer.Reference != 0 || (buffer.Kind == RegisterType.Memory && buffer.Buffer != 0))
            {
                throw environment.Reject(
                    $"the buffer in r{index + 1} is {buffer.Describe()}, which may be gone before the slice is",
                    "use a buffer on the stack"
                );
            }
        }
    }

    private RegisterState Structure(RegisterType type)
    {
        var result = Object(type);
        result.BtfType = environment.KernelTypes.Find(call.Function.ReturnBtfType);
        return result;
    }

    private RegisterState Cast()
    {
        if (call.Constant == 0)
        {
            return RegisterState.Pointer(RegisterType.Memory | RegisterType.ReadOnly | RegisterType.Untrusted);
        }
        var result = RegisterState.Pointer(RegisterType.Btf | RegisterType.Untrusted);
        result.BtfType = environment.KernelTypes.FindStructure(call.Constant);
        return result;
    }

    /// <summary>An object that was acquired, or else the same object as the argument's, seen otherwise (<c>is_ptr_cast_function</c>).</summary>
    private RegisterState Object(RegisterType type)
    {
        var result = RegisterState.Pointer(type);
        if (call.Function.Acquires)
        {
            return Acquired(result);
        }
        result.Reference = call.Released == 0 ? call.Reference : 0;
        result.Id = result.MayBeNull ? environment.NewId() : 0;
        return result;
    }

    private RegisterState Acquired(RegisterState result)
    {
        result.Reference = environment.References.Acquire();
        result.Id = result.Reference;
        return result;
    }
}
