using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Programs;

/// <summary>Whether a function may take another's place, after the kernel's <c>btf_check_func_type_match</c>.</summary>
internal static class Signature
{
    /// <summary>Compares two functions.</summary>
    /// <param name="first">The types of the one.</param>
    /// <param name="firstFunction">Its <c>FUNC</c>.</param>
    /// <param name="second">The types of the other.</param>
    /// <param name="secondFunction">Its <c>FUNC</c>.</param>
    /// <returns>Null when they agree, or how they do not.</returns>
    public static string? Differ(Btf first, int firstFunction, Btf second, int secondFunction)
    {
        if (first[firstFunction].Linkage != BtfLinkage.Global || second[secondFunction].Linkage != BtfLinkage.Global)
        {
            return "one of them is not global";
        }
        var one = first[first[firstFunction].Target];
        var other = second[second[secondFunction].Target];
        if (one.Count != other.Count)
        {
            return $"they take {one.Count} and {other.Count} arguments";
        }
        if (!AreSame(first[first.SkipModifiers(one.Target)], second[second.SkipModifiers(other.Target)]))
        {
            return "they return different types";
        }
        for (var i = 0; i < one.Count; i++)
        {
            var left = first[first.SkipModifiers(one.Parameter(i).Type)];
            var right = second[second.SkipModifiers(other.Parameter(i).Type)];
            if (!AreSame(left, right))
            {
                return $"argument {i + 1} differs in kind or size";
            }
            if (left.Kind is BtfKind.Integer or BtfKind.Enumeration or BtfKind.Enumeration64)
            {
                continue;
            }
            if (left.Kind != BtfKind.Pointer)
            {
                return $"argument {i + 1} is neither a number nor a pointer to a structure";
            }
            left = first[first.SkipModifiers(left.Target)];
            right = second[second.SkipModifiers(right.Target)];
            if (left.Kind != BtfKind.Struct || right.Kind != BtfKind.Struct || left.Name != right.Name)
            {
                return $"argument {i + 1} points to different structures";
            }
        }
        return null;
    }

    private static bool AreSame(BtfType left, BtfType right) =>
        left.Kind == right.Kind
        && left.Count == right.Count
        && left.KindFlag == right.KindFlag
        && (
            left.Kind is not (BtfKind.Integer or BtfKind.Enumeration or BtfKind.Enumeration64 or BtfKind.Struct)
            || left.Size == right.Size
        );
}
