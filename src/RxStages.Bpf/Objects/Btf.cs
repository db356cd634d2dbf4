namespace RxStages.Bpf.Objects;

/// <summary>The type information of an object file's <c>.BTF</c> section.</summary>
public sealed class Btf { }
