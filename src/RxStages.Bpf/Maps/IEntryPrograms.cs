using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>A map whose entries can have a program, which runs on what is redirected to them: devmaps and cpumaps.</summary>
public interface IEntryPrograms
{
    /// <summary>
    /// <c>BPF_MAP_UPDATE_ELEM</c> with a program instead of its descriptor: 0, or a negated error number; EINVAL where the
    /// map's values have no room for a program.
    /// </summary>
    /// <param name="key">Index, or a devmap hash's key.</param>
    /// <param name="target">The interface's index; of a cpumap the length of the CPU's queue.</param>
    /// <param name="program">The program, or null; it must live as long as the map does.</param>
    /// <exception cref="ArgumentOutOfRangeException">The program's maps have room for fewer CPUs than this one.</exception>
    int SetEntry(uint key, uint target, XdpProgram? program);

    /// <summary>The program of an entry, or null.</summary>
    XdpProgram? GetProgram(uint key);
}
