namespace RxStages.Bpf.Helpers;

/// <summary>What a helper or kfunc expects in an argument register, after the kernel's <c>enum bpf_arg_type</c> and the kinds of kfunc arguments (<c>enum kfunc_ptr_arg_type</c>).</summary>
public enum ArgumentType
{
    /// <summary><c>ARG_ANYTHING</c>: any initialised scalar (or pointer, which is then only a number).</summary>
    Anything,

    /// <summary>A number, no pointer: a kfunc's integer argument.</summary>
    Scalar,

    /// <summary>A number known when the program is verified (<c>__k</c>): the kfunc's behaviour or its result depends on it.</summary>
    ConstantScalar,

    /// <summary><c>ARG_PTR_TO_CTX</c></summary>
    Context,

    /// <summary><c>ARG_CONST_MAP_PTR</c></summary>
    ConstMapPointer,

    /// <summary><c>ARG_PTR_TO_MAP_KEY</c>: readable memory of the map's key size.</summary>
    MapKey,

    /// <summary><c>ARG_PTR_TO_MAP_VALUE</c>: readable memory of the map's value size.</summary>
    MapValue,

    /// <summary><c>ARG_PTR_TO_MAP_VALUE | MEM_UNINIT</c>: memory of the map's value size that the helper fills.</summary>
    WritableMapValue,

    /// <summary><c>ARG_PTR_TO_MEM | MEM_RDONLY</c>: initialised memory; the size is the next argument.</summary>
    ReadableMemory,

    /// <summary><c>ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RDONLY</c>: the same, or null if the size may be 0.</summary>
    ReadableMemoryOrNull,

    /// <summary><c>ARG_PTR_TO_UNINIT_MEM</c>: memory that the helper fills; the size is the next argument.</summary>
    WritableMemory,

    /// <summary><c>ARG_PTR_TO_MEM | MEM_WRITE</c>: initialised memory that the call reads and writes; the size is the next argument.</summary>
    UpdatedMemory,

    /// <summary>A kfunc's buffer of which the next argument tells the size (<c>__sz</c>, <c>__szk</c>), null allowed (<c>__opt</c>, <c>__nullable</c>).</summary>
    WritableMemoryOrNull,

    /// <summary><c>ARG_PTR_TO_FIXED_SIZE_MEM</c>: initialised memory of <see cref="Argument.Size"/> bytes.</summary>
    ReadableFixedSize,

    /// <summary><c>ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT | MEM_WRITE</c>: memory of <see cref="Argument.Size"/> bytes that is filled.</summary>
    WritableFixedSize,

    /// <summary><c>ARG_PTR_TO_FIXED_SIZE_MEM | MEM_WRITE</c>: initialised memory of <see cref="Argument.Size"/> bytes that the call reads and writes.</summary>
    UpdatedFixedSize,

    /// <summary><c>ARG_CONST_SIZE</c>: size of the memory in the argument before, not 0.</summary>
    Size,

    /// <summary><c>ARG_CONST_SIZE_OR_ZERO</c>: size of the memory in the argument before.</summary>
    SizeOrZero,

    /// <summary><c>__szk</c>: the size of the memory in the argument before, known when the program is verified.</summary>
    ConstantSize,

    /// <summary><c>ARG_CONST_ALLOC_SIZE_OR_ZERO</c>: a known number: how many bytes the result has.</summary>
    ConstAllocSize,

    /// <summary><c>ARG_PTR_TO_CONST_STR</c>: a string in a frozen map, terminated by a zero byte.</summary>
    ConstString,

    /// <summary>
    /// <c>ARG_PTR_TO_CONST_STR</c> that is a format for the values in the memory of the next argument, whose size follows
    /// (<c>check_bpf_snprintf_call</c>).
    /// </summary>
    ConstFormat,

    /// <summary>A string of a kfunc (<c>__str</c>): in a frozen map too.</summary>
    KfuncString,

    /// <summary><c>ARG_PTR_TO_STACK | PTR_MAYBE_NULL</c>: what a callback gets as its context.</summary>
    StackOrNull,

    /// <summary><c>ARG_PTR_TO_FUNC</c>: a static function of the program, called back as <see cref="Argument.Callback"/> says.</summary>
    Function,

    /// <summary><c>ARG_PTR_TO_SPIN_LOCK</c>: the <c>struct bpf_spin_lock</c> in a map value.</summary>
    SpinLock,

    /// <summary><c>ARG_PTR_TO_TIMER</c>: the <c>struct bpf_timer</c> in a map value.</summary>
    Timer,

    /// <summary><c>ARG_PTR_TO_KPTR</c>: a kernel pointer's place in a map value.</summary>
    Kptr,

    /// <summary><c>ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE</c>: a reserved record, given back by the call.</summary>
    RingbufMemory,

    /// <summary><c>ARG_PTR_TO_DYNPTR</c>: an initialised dynptr on the stack, of the kinds in <see cref="Argument.Dynptr"/>.</summary>
    Dynptr,

    /// <summary><c>ARG_PTR_TO_DYNPTR | MEM_UNINIT</c>: 16 bytes of stack where the call makes a dynptr of the kind in <see cref="Argument.Dynptr"/>.</summary>
    UninitializedDynptr,

    /// <summary><c>ARG_PTR_TO_DYNPTR | OBJ_RELEASE</c>: a dynptr whose record the call gives back.</summary>
    ReleasedDynptr,

    /// <summary><c>ARG_PTR_TO_BTF_ID_SOCK_COMMON</c>: any socket.</summary>
    SocketCommon,

    /// <summary><c>ARG_PTR_TO_BTF_ID_SOCK_COMMON | OBJ_RELEASE</c>: a socket that was looked up, given back by the call.</summary>
    ReleasedSocket,

    /// <summary>A trusted pointer to the kernel structure <see cref="Argument.BtfType"/> (<c>KF_ARG_PTR_TO_BTF_ID</c>).</summary>
    BtfPointer,

    /// <summary>The same, given back by the call (<c>KF_RELEASE</c>).</summary>
    ReleasedBtfPointer,

    /// <summary><c>ARG_PTR_TO_PERCPU_BTF_ID</c>: the address of a per-CPU variable of the kernel.</summary>
    PercpuBtfPointer,

    /// <summary>Stack for an open-coded iterator of type <see cref="Argument.BtfType"/>, initialised by the call (<c>KF_ITER_NEW</c>).</summary>
    UninitializedIterator,

    /// <summary>An iterator that was initialised (<c>KF_ITER_NEXT</c>, <c>KF_ITER_DESTROY</c>).</summary>
    Iterator,
}
