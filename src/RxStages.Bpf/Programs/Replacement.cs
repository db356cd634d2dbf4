namespace RxStages.Bpf.Programs;

/// <summary>A function of another object that takes the place of a global function (<c>freplace</c>).</summary>
/// <param name="Extension">The other object, loaded; it must live as long as the one whose function it replaces.</param>
/// <param name="Program">The extension's name; null for the only one.</param>
/// <param name="Function">The function to replace; null for the one that the extension's section names.</param>
public sealed record Replacement(LoadedObject Extension, string? Program = null, string? Function = null);
