using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;

namespace RxStages.Tests.Stages;

/// <summary>Makes devmaps with given interface indices.</summary>
internal static class Devmaps
{
    /// <summary>A devmap; 0 stands for no entry.</summary>
    public static Map Create(params uint[] interfaces) => Create(MapType.Devmap, interfaces);

    /// <summary>A devmap hash.</summary>
    public static Map CreateHash(params uint[] interfaces) => Create(MapType.DevmapHash, interfaces);

    private static NativeMap Create(MapType type, uint[] interfaces)
    {
        var map = MapFactory.Create(
            new MapSpec
            {
                Name = "targets",
                Type = type,
                KeySize = sizeof(uint),
                ValueSize = sizeof(uint),
                MaxEntries = (uint)interfaces.Length,
            }
        );
        foreach (var (key, ifindex) in interfaces.Index().Where(entry => entry.Item != 0))
        {
            Assert.Equal(0, map.Update(BitConverter.GetBytes(key), BitConverter.GetBytes(ifindex), 0));
        }
        return map;
    }
}
