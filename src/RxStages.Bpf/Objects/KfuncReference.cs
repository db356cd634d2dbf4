namespace RxStages.Bpf.Objects;

/// <summary>A function of the kernel's that a program calls by name (<c>extern … __ksym</c>).</summary>
/// <param name="Name">Its name, without the <c>___flavor</c> that tells variants of a declaration apart.</param>
/// <param name="BtfType">The BTF id of its <c>FUNC</c> type in the object.</param>
/// <param name="IsWeak">True when the program can do without it: its address is then 0.</param>
public sealed record KfuncReference(string Name, int BtfType, bool IsWeak);
