namespace RxStages.Bpf.Helpers;

/// <summary>The table of all helpers that programs may call.</summary>
public static class HelperTable
{
    /// <summary>The helper of that number, or null if there is none here.</summary>
    public static HelperDefinition? Find(int id) => null;
}
