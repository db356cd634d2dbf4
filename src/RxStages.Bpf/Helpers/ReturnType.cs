namespace RxStages.Bpf.Helpers;

/// <summary>What a helper or kfunc leaves in r0, after the kernel's <c>enum bpf_return_type</c>.</summary>
public enum ReturnType
{
    /// <summary><c>RET_INTEGER</c></summary>
    Integer,

    /// <summary><c>RET_INTEGER</c>: the number of a CPU, below how many there are (<c>do_refine_retval_range</c>).</summary>
    CpuNumber,

    /// <summary>
    /// <c>RET_INTEGER</c>: how many bytes were copied, at most what the <see cref="ArgumentType.Size"/> allows, or a negated error
    /// number (<c>do_refine_retval_range</c>).
    /// </summary>
    LengthOrError,

    /// <summary><c>RET_VOID</c></summary>
    Void,

    /// <summary><c>RET_PTR_TO_MAP_VALUE_OR_NULL</c></summary>
    MapValueOrNull,

    /// <summary><c>RET_PTR_TO_MEM | MEM_RINGBUF | PTR_MAYBE_NULL</c>: a record of as many bytes as the <see cref="ArgumentType.ConstAllocSize"/> says; to be released.</summary>
    RingbufMemoryOrNull,

    /// <summary><c>RET_PTR_TO_DYNPTR_MEM_OR_NULL</c>: as many bytes as the <see cref="ArgumentType.ConstAllocSize"/> says, of the dynptr's.</summary>
    DynptrMemoryOrNull,

    /// <summary>The same, read-only (<c>bpf_dynptr_slice</c>).</summary>
    ReadOnlyDynptrMemoryOrNull,

    /// <summary><c>RET_PTR_TO_SOCKET_OR_NULL</c>: <c>struct bpf_sock</c> as programs see it, to be released.</summary>
    SocketOrNull,

    /// <summary><c>RET_PTR_TO_SOCK_COMMON_OR_NULL</c>: the same, of any state of a connection.</summary>
    SocketCommonOrNull,

    /// <summary><c>RET_PTR_TO_TCP_SOCK_OR_NULL</c>: <c>struct bpf_tcp_sock</c> as programs see it.</summary>
    TcpSocketOrNull,

    /// <summary><c>RET_PTR_TO_BTF_ID</c> and a kfunc's pointer to a structure: <see cref="FunctionDefinition.ReturnBtfType"/>; trusted.</summary>
    BtfPointer,

    /// <summary><c>RET_PTR_TO_BTF_ID_OR_NULL</c>: the same, or null.</summary>
    BtfPointerOrNull,

    /// <summary>
    /// <c>bpf_rdonly_cast</c>: an untrusted pointer to the kernel structure whose BTF id the <see cref="ArgumentType.ConstantScalar"/>
    /// is; for id 0 (<c>void</c>) to memory.
    /// </summary>
    CastPointer,

    /// <summary><c>RET_PTR_TO_MEM_OR_BTF_ID</c>: this CPU's instance of a per-CPU variable of the kernel.</summary>
    PercpuMemory,

    /// <summary><c>RET_PTR_TO_MEM_OR_BTF_ID | PTR_MAYBE_NULL</c>: some CPU's instance.</summary>
    PercpuMemoryOrNull,

    /// <summary>An open-coded iterator's next element, of <see cref="FunctionDefinition.ReturnSize"/> bytes, read-only; null ends the loop.</summary>
    IteratorElementOrNull,
}
