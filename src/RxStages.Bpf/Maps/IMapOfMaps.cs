using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>What arrays and hashes of maps have in common: entries that are maps, set by the control path alone.</summary>
public interface IMapOfMaps
{
    /// <summary>What every map in it must be like.</summary>
    MapSpec Template { get; }

    /// <summary>The maps that it ever held; they stay known as long as it lives, since a worker may still be using one.</summary>
    IEnumerable<NativeMap> InnerMaps { get; }

    /// <summary>
    /// <c>BPF_MAP_UPDATE_ELEM</c> with a map instead of its descriptor: 0, or a negated error number; EINVAL for a map that is
    /// not like the template (<c>map_meta_equal</c>).
    /// </summary>
    /// <param name="key">The entry's key.</param>
    /// <param name="inner">The map; it must live as long as this one does, whether it is replaced or not.</param>
    /// <param name="flags">As for any update; an array takes none.</param>
    /// <param name="owns">True to have it disposed with this map.</param>
    int SetMap(ReadOnlySpan<byte> key, NativeMap inner, ulong flags = UpdateFlags.Any, bool owns = false);

    /// <summary>The map at a key, or null.</summary>
    NativeMap? GetMap(ReadOnlySpan<byte> key);
}
