namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks accesses to structures of the kernel, after <c>check_ptr_to_btf_access</c>: what may be read, how far a pointer read
/// from one may be trusted, and the one member that may be written.
/// </summary>
internal sealed class StructureChecker(VerifierEnvironment environment)
{
    /// <summary>What a load gives.</summary>
    public RegisterState Load(in RegisterState pointer, int offset, int size)
    {
        var place = CheckPlace(pointer, offset);
        var types = environment.KernelTypes;
        var member =
            types.Load(pointer.BtfType, place, size, out var problem)
            ?? throw environment.Reject(
                $"reads {size} bytes at offset {place} of {types.NameOf(pointer.BtfType)}: {problem}"
            );
        if (member.Type == RegisterType.Scalar)
        {
            return RegisterState.Unknown;
        }
        var result = RegisterState.Pointer(member.Type);
        result.BtfType = member.Structure;
        if (result.Kind == RegisterType.Btf)
        {
            result.Type = RegisterType.Btf | TrustIn(pointer.Type, member.Type);
            result.Id = result.MayBeNull ? environment.NewId() : 0;
        }
        return result;
    }

    /// <summary>A store: only the mark of a connection that is tracked may be written (<c>nf_conntrack_btf_struct_access</c>).</summary>
    public void CheckStore(in RegisterState pointer, int offset, int size)
    {
        var place = CheckPlace(pointer, offset);
        var types = environment.KernelTypes;
        var name = types.NameOf(pointer.BtfType);
        var isMark =
            pointer.Type == (RegisterType.Btf | RegisterType.Trusted)
            && name is "struct nf_conn" or "struct nf_conn___init"
            && types.OffsetOf("nf_conn", "mark") is { } mark
            && place >= mark
            && place + size <= mark + 4;
        if (!isMark)
        {
            throw environment.Reject($"writes to {name} of the kernel, which may only be read");
        }
    }

    /// <summary>What is loaded from a place of a map's value that holds a kernel pointer: it may be exchanged at any time.</summary>
    public RegisterState KernelPointer(string structure)
    {
        var result = RegisterState.Pointer(RegisterType.Btf | RegisterType.Untrusted | RegisterType.MayBeNull);
        result.BtfType = environment.KernelTypes.Find(structure);
        result.Id = environment.NewId();
        return result;
    }

    private int CheckPlace(in RegisterState pointer, int offset)
    {
        if (!environment.Options.IsGplCompatible)
        {
            throw environment.Reject(
                $"accesses a structure of the kernel, which is for programs with a GPL-compatible license, but this one's is '{environment.Options.License}'"
            );
        }
        var place = (long)pointer.Bounds.Bits.Value + pointer.Offset + offset;
        return pointer.Bounds.IsConstant && place is >= 0 and <= int.MaxValue
            ? (int)place
            : throw environment.Reject(
                $"accesses a structure of the kernel at offset {pointer.DescribeOffset(offset)}: it must be constant and not negative"
            );
    }

    /// <summary>How far a pointer may be trusted that was read through another.</summary>
    private static RegisterType TrustIn(RegisterType pointer, RegisterType member)
    {
        if (pointer.Has(RegisterType.Untrusted) || member.Has(RegisterType.Untrusted))
        {
            return RegisterType.Untrusted | (member & RegisterType.Percpu);
        }
        if (member.Has(RegisterType.Percpu))
        {
            return RegisterType.Percpu;
        }
        // Programs for XDP run in an RCU region from start to end.
        return pointer.Has(RegisterType.Trusted | RegisterType.Rcu) && member.Has(RegisterType.Rcu)
            ? RegisterType.Rcu | RegisterType.MayBeNull
            : default;
    }
}
