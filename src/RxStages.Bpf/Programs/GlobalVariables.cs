using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Programs;

/// <summary>
/// Sets global variables of an object before it is verified, as loaders do with a skeleton's <c>rodata</c>: by name, with
/// members and elements (<c>config.ports[2]</c>), to values written as in C.
/// </summary>
internal static class GlobalVariables
{
    // Anonymous structures that are looked through for one member.
    private const int MaxAnonymous = 256;

    /// <summary>The object with a variable set.</summary>
    /// <param name="spec">The object.</param>
    /// <param name="path">The variable: its name, then members and elements.</param>
    /// <param name="value">The value; see <see cref="GlobalValue"/>.</param>
    /// <exception cref="InputException">There is no such variable, or it does not take the value.</exception>
    public static ObjectSpec Set(ObjectSpec spec, string path, string value)
    {
        var btf =
            spec.Btf
            ?? throw new InputException(
                spec.Source,
                place: null,
                $"'{path}' cannot be set: there is no BTF that says where it is"
            );
        var steps = Split(spec, path);
        var (map, variable) = Find(spec, btf, steps[0]);
        var bytes = new byte[spec.Maps[map].ValueSize];
        spec.Maps[map].InitialValue.CopyTo(bytes);
        var place = Follow(spec, btf, variable, steps.AsSpan(1), path);
        if (place.Offset + place.Size > (ulong)bytes.Length)
        {
            throw Broken(spec, path, "it is outside of its section");
        }
        var target = bytes.AsSpan((int)place.Offset, (int)place.Size);
        if (GlobalValue.Write(btf, place.Type, place.BitOffset, place.BitSize, value, target) is { } problem)
        {
            throw Broken(spec, path, problem);
        }
        return spec with
        {
            Maps = spec.Maps.SetItem(map, spec.Maps[map] with { InitialValue = ImmutableArray.Create(bytes) }),
        };
    }

    private static (int Map, BtfSectionVariable Variable) Find(ObjectSpec spec, Btf btf, string name)
    {
        var names = new List<string>();
        for (var index = 0; index < spec.Maps.Length; index++)
        {
            if (spec.Maps[index] is not { IsGlobalData: true, BtfValueType: not 0 and var section })
            {
                continue;
            }
            for (var i = 0; i < btf[section].Count; i++)
            {
                var variable = btf[section].SectionVariable(i);
                if (btf[variable.Type].Name == name)
                {
                    return (index, variable);
                }
                names.Add(btf[variable.Type].Name);
            }
        }
        throw new InputException(
            spec.Source,
            place: null,
            $"no global variable '{name}'{NameSuggestion.Ask(name, names)}"
                + (names.Count == 0 ? ": there are none" : $": there are {NameSuggestion.List(names)}")
        );
    }

    /// <summary>Splits <c>a.b[2]</c> into <c>a</c>, <c>.b</c> and <c>[2]</c>.</summary>
    private static string[] Split(ObjectSpec spec, string path)
    {
        var steps = new List<string>();
        for (var start = 0; start < path.Length; )
        {
            var end = path.AsSpan(start + 1).IndexOfAny('.', '[');
            end = end < 0 ? path.Length : start + 1 + end;
            steps.Add(path[start..end].Trim());
            start = end;
        }
        return steps.Count > 0 && steps[0] is not ("" or ['.' or '[', ..])
            ? [.. steps]
            : throw new InputException(spec.Source, place: null, $"'{path}' is no name of a variable");
    }

    private static Place Follow(
        ObjectSpec spec,
        Btf btf,
        BtfSectionVariable variable,
        ReadOnlySpan<string> steps,
        string path
    )
    {
        var place = new Place(variable.Offset, 0, 0, 0, btf.SkipModifiers(btf[variable.Type].Target));
        foreach (var step in steps)
        {
            var type = btf[place.Type];
            place =
                step[0] == '.' ? ToMember(spec, btf, place, type, step[1..], path)
                : type.Kind != BtfKind.Array ? throw Broken(spec, path, $"'{step}' is of something that is no array")
                : step[^1] != ']'
                || !uint.TryParse(step.AsSpan()[1..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                || index >= type.ElementCount
                    ? throw Broken(spec, path, $"'{step}' is no element: there are {type.ElementCount}")
                : place with
                {
                    Offset = place.Offset + ((ulong)index * (btf.SizeOf(type.ElementType) ?? 0)),
                    Type = btf.SkipModifiers(type.ElementType),
                };
        }
        return place with
        {
            Size = btf.SizeOf(place.Type) ?? throw Broken(spec, path, "it is of a type that has no size"),
        };
    }

    private static Place ToMember(ObjectSpec spec, Btf btf, Place place, BtfType type, string name, string path)
    {
        var names = new List<string>();
        if (type.Kind is not (BtfKind.Struct or BtfKind.Union))
        {
            throw Broken(spec, path, $"'.{name}' is of something that has no members");
        }
        return FindMember(btf, type, name, names, []) is { } member
            ? new Place(
                place.Offset + (member.BitOffset / 8),
                0,
                (int)(member.BitOffset % 8),
                member.BitSize,
                btf.SkipModifiers(member.Type)
            )
            : throw Broken(
                spec,
                path,
                $"no member '{name}'{NameSuggestion.Ask(name, names)}: there are {NameSuggestion.List(names)}"
            );
    }

    /// <summary>A member by its name, also in anonymous members; its offset counts from the outermost structure.</summary>
    private static BtfMember? FindMember(Btf btf, BtfType type, string name, List<string> names, HashSet<int> seen)
    {
        // Types can name each other so that the ways through them are without number: each is looked at once.
        if (seen.Count > MaxAnonymous || !seen.Add(type.Id))
        {
            return null;
        }
        for (var i = 0; i < type.Count; i++)
        {
            var member = type.Member(i);
            if (member.Name == name && name.Length > 0)
            {
                return member;
            }
            if (member.Name.Length > 0)
            {
                names.Add(member.Name);
            }
            else if (
                btf[btf.SkipModifiers(member.Type)] is { Kind: BtfKind.Struct or BtfKind.Union } inner
                && FindMember(btf, inner, name, names, seen) is { } found
            )
            {
                return found with { BitOffset = member.BitOffset + found.BitOffset };
            }
        }
        return null;
    }

    private static InputException Broken(ObjectSpec spec, string path, string reason) =>
        new(spec.Source, $"variable {path}", reason);

    /// <summary>Where a value stands.</summary>
    private readonly record struct Place(ulong Offset, uint Size, int BitOffset, int BitSize, int Type);
}
