using System.Buffers.Binary;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Writes an object's types as a <c>.BTF</c> section that a kernel takes. What compilers write is not quite that: the
/// kernel refuses what is only declared, data sections that are not laid out, and global functions that static linking
/// has hidden. Ids stay what they are, so what must go leaves a <c>const void</c> behind.
/// </summary>
public static class BtfSection
{
    private const int HeaderSize = 24;
    private const uint Placeholder = (uint)BtfKind.Const << 24;

    /// <summary>Writes the section.</summary>
    /// <param name="btf">The types, data sections laid out.</param>
    /// <param name="hidden">The ids of global functions to be verified with their callers, as static ones are.</param>
    public static byte[] ForKernel(Btf btf, IReadOnlySet<int> hidden)
    {
        ArgumentNullException.ThrowIfNull(btf);
        ArgumentNullException.ThrowIfNull(hidden);
        var types = new List<byte>(btf.TypeBytes.Length);
        for (var id = 1; id < btf.Count; id++)
        {
            var type = btf[id];
            var end = id + 1 < btf.Count ? btf[id + 1].RecordOffset : btf.TypeBytes.Length;
            if (IsRefused(btf, id) || (type.Kind == BtfKind.DeclarationTag && IsRefused(btf, type.Target)))
            {
                types.AddRange(Words(0, Placeholder, 0));
                continue;
            }
            var record = btf.TypeBytes[type.RecordOffset..end].ToArray();
            switch (type.Kind)
            {
                case BtfKind.Function when hidden.Contains(id):
                    WriteWord(record, 4, (uint)BtfKind.Function << 24);
                    break;
                // An option of the kernel's: it has a place in the map of options.
                case BtfKind.Variable when type.Linkage == BtfLinkage.Extern:
                    WriteWord(record, 12, (uint)BtfLinkage.Global);
                    break;
                case BtfKind.DataSection:
                    SortVariables(record, type.Count);
                    break;
            }
            types.AddRange(record);
        }
        var strings = btf.Strings.Span;
        var section = new byte[HeaderSize + types.Count + strings.Length];
        btf.WriteHeader(section, types.Count);
        types.CopyTo(section, HeaderSize);
        strings.CopyTo(section.AsSpan(HeaderSize + types.Count));
        return section;
    }

    private static bool IsRefused(Btf btf, int id)
    {
        var type = btf[id];
        return type.Kind switch
        {
            BtfKind.Function => type.Linkage == BtfLinkage.Extern,
            BtfKind.Variable => type.Linkage == BtfLinkage.Extern && !IsOption(btf, id),
            BtfKind.DataSection => type.Size == 0 || type.Count == 0,
            _ => false,
        };
    }

    private static bool IsOption(Btf btf, int id)
    {
        var section = btf.Find(Externs.KconfigSection, BtfKind.DataSection);
        for (var i = 0; section != 0 && i < btf[section].Count; i++)
        {
            if (btf[section].SectionVariable(i).Type == id)
            {
                return true;
            }
        }
        return false;
    }

    // The kernel wants a section's variables in the order of their offsets.
    private static void SortVariables(byte[] record, int count)
    {
        var entries = Enumerable
            .Range(0, count)
            .Select(i => record.AsSpan(12 + (12 * i), 12).ToArray())
            .OrderBy(entry => BinaryPrimitives.ReadUInt32LittleEndian(entry.AsSpan(4)))
            .ToArray();
        for (var i = 0; i < count; i++)
        {
            entries[i].CopyTo(record, 12 + (12 * i));
        }
    }

    private static byte[] Words(params ReadOnlySpan<uint> words)
    {
        var bytes = new byte[words.Length * 4];
        for (var i = 0; i < words.Length; i++)
        {
            WriteWord(bytes, i * 4, words[i]);
        }
        return bytes;
    }

    private static void WriteWord(byte[] bytes, int at, uint word) =>
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), word);
}
