using RxStages.Bpf.Helpers;

namespace RxStages.Bpf.Verification;

/// <summary>
/// What is learnt of a call while its arguments are checked, and its result depends on; after the kernel's
/// <c>struct bpf_call_arg_meta</c>.
/// </summary>
internal sealed class CallFindings
{
    /// <summary>The helper or kfunc that is called.</summary>
    public FunctionDefinition Function { get; private set; } = null!;

    /// <summary>The map argument's index, or -1.</summary>
    public int Map { get; set; }

    /// <summary>Of the map argument, or the map that a timer is in: which of the maps that are alike (<see cref="RegisterState.InnerMap"/>).</summary>
    public uint InnerMap { get; set; }

    /// <summary>True when the key is known to be one that the map always has.</summary>
    public bool FindsAlways { get; set; }

    /// <summary>The reference that some argument is or was made from, or 0.</summary>
    public uint Reference { get; set; }

    /// <summary>The reference that the call gives back, or 0.</summary>
    public uint Released { get; set; }

    /// <summary>How many bytes the result has, where an argument says it.</summary>
    public int ResultSize { get; set; }

    /// <summary>The most bytes that a size among the arguments allows.</summary>
    public ulong MaxSize { get; set; }

    /// <summary>The number that must be known when the program is verified, if it takes one.</summary>
    public int Constant { get; set; }

    /// <summary>How the function among the arguments is called back.</summary>
    public CallbackKind Callback { get; set; }

    /// <summary>The initialised dynptr among the arguments.</summary>
    public DynptrView Dynptr { get; set; }

    /// <summary>Starts a call.</summary>
    public void Begin(FunctionDefinition function)
    {
        Function = function;
        Map = -1;
        InnerMap = 0;
        FindsAlways = false;
        Reference = 0;
        Released = 0;
        ResultSize = 0;
        MaxSize = 0;
        Constant = 0;
        Callback = CallbackKind.None;
        Dynptr = default;
    }
}

/// <summary>A dynptr as a call sees it.</summary>
/// <param name="Id">Which dynptr it is; 0 for none.</param>
/// <param name="Reference">The reference that it holds, or 0.</param>
/// <param name="Kind">Its kind.</param>
internal readonly record struct DynptrView(uint Id, uint Reference, DynptrKinds Kind);
