using RxStages.Bpf.Runtime;

namespace RxStages.Cli.Shared;

/// <summary>Verdicts as the kernel's headers name them.</summary>
internal static class VerdictNames
{
    /// <summary>The name of what a program returned; a value that is no verdict counts as <c>XDP_ABORTED</c>, as in the kernel.</summary>
    public static string NameOf(uint verdict) =>
        (XdpAction)verdict switch
        {
            XdpAction.Drop => "XDP_DROP",
            XdpAction.Pass => "XDP_PASS",
            XdpAction.Tx => "XDP_TX",
            XdpAction.Redirect => "XDP_REDIRECT",
            _ => "XDP_ABORTED",
        };
}
