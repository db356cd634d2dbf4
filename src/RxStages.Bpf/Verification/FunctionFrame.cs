using RxStages.Bpf.Helpers;

namespace RxStages.Bpf.Verification;

/// <summary>A function in progress, after the kernel's <c>struct bpf_func_state</c>: its registers and its stack.</summary>
internal sealed class FunctionFrame
{
    /// <summary>Registers of a frame: r0 to r10.</summary>
    public const int RegisterCount = 11;

    /// <summary>The frame pointer, r10.</summary>
    public const int FramePointer = 10;

    /// <summary>Bytes of stack that a frame may have (<c>MAX_BPF_STACK</c>).</summary>
    public const int MaxStack = 512;

    /// <summary>Its function's index.</summary>
    public int Function;

    /// <summary>The slot of the call that led here; -1 for the entry function.</summary>
    public int CallSite;

    /// <summary>How it was called back, if it was: what it may return, and where it goes on behind its end.</summary>
    public CallbackKind Callback;

    /// <summary>How often the helper call in progress has called back on this path, as far as that is counted (<c>callback_depth</c>).</summary>
    public int CallbackDepth;

    /// <summary>For functions that a timer calls: how many of them set the next one's timer, up to this one (<c>async_entry_cnt</c>).</summary>
    public int AsyncEntries;

    /// <summary>The registers.</summary>
    public readonly RegisterState[] Registers = new RegisterState[RegisterCount];

    private StackSlot[] _stack = [];

    /// <summary>How many stack slots were ever touched.</summary>
    public int SlotCount { get; private set; }

    /// <summary>The slots: slot 0 is r10 - 8 to r10 - 1.</summary>
    public Span<StackSlot> Stack => _stack.AsSpan(0, SlotCount);

    /// <summary>Makes sure that the slots down to a (negative) offset are there.</summary>
    public void Grow(int offset)
    {
        var count = SlotOf(offset) + 1;
        if (count <= SlotCount)
        {
            return;
        }
        if (count > _stack.Length)
        {
            Array.Resize(ref _stack, Math.Min(MaxStack / StackSlot.Size, Math.Max(count, _stack.Length * 2)));
        }
        _stack.AsSpan(SlotCount, count - SlotCount).Clear();
        SlotCount = count;
    }

    /// <summary>The slot that holds the byte at an offset from r10 (-512 to -1).</summary>
    public static int SlotOf(int offset) => (-offset - 1) / StackSlot.Size;

    /// <summary>The index in its slot of the byte at an offset from r10.</summary>
    public static int ByteOf(int offset) => offset & (StackSlot.Size - 1);

    /// <summary>The type of the byte at an offset from r10; its slot must be there.</summary>
    public ref StackByte ByteAt(int offset) => ref _stack[SlotOf(offset)].Types[ByteOf(offset)];

    /// <summary>Bytes of memory that the frame takes, about.</summary>
    public int MemorySize =>
        (RegisterCount * System.Runtime.CompilerServices.Unsafe.SizeOf<RegisterState>())
        + (_stack.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<StackSlot>())
        + 96;

    /// <summary>Becomes a copy of another.</summary>
    public void CopyFrom(FunctionFrame other)
    {
        Function = other.Function;
        CallSite = other.CallSite;
        Callback = other.Callback;
        CallbackDepth = other.CallbackDepth;
        AsyncEntries = other.AsyncEntries;
        other.Registers.AsSpan().CopyTo(Registers);
        if (_stack.Length < other.SlotCount)
        {
            _stack = new StackSlot[other.SlotCount];
        }
        SlotCount = other.SlotCount;
        other.Stack.CopyTo(_stack);
    }

    /// <summary>Becomes the frame of a function that is about to start: nothing initialised but r10.</summary>
    public void Enter(int function, int callSite, int frame)
    {
        Function = function;
        CallSite = callSite;
        Callback = CallbackKind.None;
        CallbackDepth = 0;
        AsyncEntries = 0;
        SlotCount = 0;
        Registers.AsSpan().Clear();
        Registers[FramePointer] = RegisterState.Pointer(RegisterType.Stack);
        Registers[FramePointer].Frame = (byte)frame;
    }
}
