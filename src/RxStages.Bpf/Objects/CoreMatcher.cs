using static RxStages.Bpf.Objects.Externs;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Whether types of an object and of its target are the same for CO-RE's purposes. The rules are libbpf's: names count
/// without their <c>___flavor</c>, sizes hardly at all.
/// </summary>
/// <param name="local">The object's types.</param>
/// <param name="target">The target's.</param>
internal sealed class CoreMatcher(Btf local, Btf target)
{
    private const int MaxDepth = 32;

    // Types can name each other so that the ways through them are without number. An honest object asks some hundred
    // questions about structures of some hundred members.
    private const int MaxWork = 2_000_000;

    private int _work;

    /// <summary>
    /// Follows the object's way through a type of the target's.
    /// </summary>
    /// <returns>The same way there, or null where there is none.</returns>
    public CoreAccess? Follow(CoreRelocation relocation, CoreAccess way, int candidate)
    {
        var result = new CoreAccess(target, candidate);
        if (relocation.IsType)
        {
            var matches =
                relocation.Kind == CoreKind.TypeMatches
                    ? Match(relocation.Type, candidate, isBehindPointer: false, MaxDepth)
                    : AreCompatible(relocation.Type, candidate, MaxDepth);
            return matches ? result : null;
        }
        return (relocation.IsField ? FollowField(way, result) : FollowValue(way, result)) ? result : null;
    }

    /// <summary>True when a type of the target's can stand for one of the object's by what kind it is.</summary>
    public static bool AreKindsCompatible(BtfType localType, BtfType targetType) =>
        localType.Kind == targetType.Kind
        || (CoreAccess.IsEnumeration(localType) && CoreAccess.IsEnumeration(targetType));

    private static bool IsComposite(BtfType type) => type.Kind is BtfKind.Struct or BtfKind.Union;

    private static bool AreNamesEqual(string localName, string targetName) =>
        WithoutFlavor(localName) == WithoutFlavor(targetName);

    private bool FollowValue(CoreAccess way, CoreAccess result)
    {
        var id = target.SkipModifiers(result.Root);
        var type = target[id];
        for (var i = 0; CoreAccess.IsEnumeration(type) && i < type.Count; i++)
        {
            Work();
            var name = type.EnumerationValue(i).Name;
            if (AreNamesEqual(way.Steps[0].Name!, name))
            {
                result.Add(new CoreStep(id, i, name), 0);
                return true;
            }
        }
        return false;
    }

    private bool FollowField(CoreAccess way, CoreAccess result)
    {
        var id = result.Root;
        for (var i = 0; i < way.Steps.Count; i++)
        {
            var step = way.Steps[i];
            id = target.SkipModifiers(id);
            if (step.Name is not null)
            {
                if (!FollowMember(step, result, ref id))
                {
                    return false;
                }
                continue;
            }
            // The first step goes to an element of an array that only pointer arithmetic makes.
            if (i > 0)
            {
                var array = target[id];
                if (
                    array.Kind != BtfKind.Array
                    || (step.Index >= array.ElementCount && !result.EndsInFlexibleArray(array))
                )
                {
                    return false;
                }
                id = target.SkipModifiers(array.ElementType);
            }
            if (result.RawLength == CoreAccess.MaxSteps)
            {
                throw new CoreRelocationException("the way to the field is too long in the target's types");
            }
            if (target.SizeOf(id) is not { } size)
            {
                if (step.Index != 0)
                {
                    return false;
                }
                size = 0;
            }
            result.Add(new CoreStep(id, step.Index, null), (ulong)step.Index * size * 8);
        }
        return true;
    }

    /// <summary>Finds a member by name, also in anonymous members.</summary>
    private bool FollowMember(CoreStep step, CoreAccess result, ref int id)
    {
        var type = target[target.SkipModifiers(id)];
        if (!IsComposite(type))
        {
            return false;
        }
        if (result.RawLength == CoreAccess.MaxSteps)
        {
            throw new CoreRelocationException("the way to the field is too long in the target's types");
        }
        result.RawLength++;
        for (var i = 0; i < type.Count; i++)
        {
            Work();
            var member = type.Member(i);
            if (member.Name.Length == 0)
            {
                var inner = member.Type;
                result.BitOffset += member.BitOffset;
                if (FollowMember(step, result, ref inner))
                {
                    id = inner;
                    return true;
                }
                result.BitOffset -= member.BitOffset;
            }
            else if (member.Name == step.Name)
            {
                if (!AreFieldsCompatible(local[step.Type].Member(step.Index).Type, member.Type))
                {
                    break;
                }
                result.Steps.Add(new CoreStep(type.Id, i, member.Name));
                result.BitOffset += member.BitOffset;
                id = member.Type;
                return true;
            }
        }
        result.RawLength--;
        return false;
    }

    private bool AreFieldsCompatible(int localId, int targetId)
    {
        for (var depth = 0; depth < MaxDepth; depth++)
        {
            Work();
            var localType = local[local.SkipModifiers(localId)];
            var targetType = target[target.SkipModifiers(targetId)];
            if (IsComposite(localType) && IsComposite(targetType))
            {
                return true;
            }
            if (!AreKindsCompatible(localType, targetType))
            {
                return false;
            }
            switch (localType.Kind)
            {
                case BtfKind.Pointer or BtfKind.Float:
                    return true;
                case BtfKind.Forward or BtfKind.Enumeration or BtfKind.Enumeration64:
                    return localType.Name.Length == 0
                        || targetType.Name.Length == 0
                        || AreNamesEqual(localType.Name, targetType.Name);
                case BtfKind.Integer:
                    return localType.BitOffset == 0 && targetType.BitOffset == 0;
                case BtfKind.Array:
                    localId = localType.ElementType;
                    targetId = targetType.ElementType;
                    break;
                default:
                    return false;
            }
        }
        return false;
    }

    /// <summary>The rule for <see cref="CoreKind.TypeExists"/> and its like: kinds must agree, structures need not look inside.</summary>
    private bool AreCompatible(int localId, int targetId, int depth)
    {
        if (!AreKindsCompatible(local[localId], target[targetId]))
        {
            return false;
        }
        for (; depth > 0; depth--)
        {
            Work();
            var localType = local[local.SkipModifiers(localId)];
            var targetType = target[target.SkipModifiers(targetId)];
            if (!AreKindsCompatible(localType, targetType))
            {
                return false;
            }
            switch (localType.Kind)
            {
                case BtfKind.Void
                or BtfKind.Struct
                or BtfKind.Union
                or BtfKind.Enumeration
                or BtfKind.Enumeration64
                or BtfKind.Forward:
                    return true;
                case BtfKind.Integer:
                    return localType.BitOffset == 0 && targetType.BitOffset == 0;
                case BtfKind.Pointer:
                    localId = localType.Target;
                    targetId = targetType.Target;
                    break;
                case BtfKind.Array:
                    localId = localType.ElementType;
                    targetId = targetType.ElementType;
                    break;
                case BtfKind.FunctionPrototype:
                    if (localType.Count != targetType.Count)
                    {
                        return false;
                    }
                    for (var i = 0; i < localType.Count; i++)
                    {
                        if (
                            !AreCompatible(
                                local.SkipModifiers(localType.Parameter(i).Type),
                                target.SkipModifiers(targetType.Parameter(i).Type),
                                depth - 1
                            )
                        )
                        {
                            return false;
                        }
                    }
                    localId = localType.Target;
                    targetId = targetType.Target;
                    break;
                default:
                    return false;
            }
        }
        throw new CoreRelocationException("the types nest too deep to compare them");
    }

    /// <summary>The rule for <see cref="CoreKind.TypeMatches"/>: the target has all that the object's type has, by name and type.</summary>
    private bool Match(int localId, int targetId, bool isBehindPointer, int depth)
    {
        for (; depth > 0; depth--)
        {
            Work();
            var localType = local[local.SkipModifiers(localId)];
            var targetType = target[target.SkipModifiers(targetId)];
            if (!AreNamesEqual(localType.Name, targetType.Name))
            {
                return false;
            }
            var isSameKind = localType.Kind == targetType.Kind;
            switch (localType.Kind)
            {
                case BtfKind.Void:
                    return isSameKind;
                case BtfKind.Forward:
                    return isSameKind
                        ? localType.KindFlag == targetType.KindFlag
                        : isBehindPointer && targetType.Kind == (localType.KindFlag ? BtfKind.Union : BtfKind.Struct);
                case BtfKind.Enumeration or BtfKind.Enumeration64:
                    return CoreAccess.IsEnumeration(targetType) && HasAllValues(localType, targetType);
                case BtfKind.Struct or BtfKind.Union when isBehindPointer:
                    return isSameKind
                        || (
                            targetType.Kind == BtfKind.Forward
                            && targetType.KindFlag == (localType.Kind == BtfKind.Union)
                        );
                case BtfKind.Struct or BtfKind.Union:
                    return isSameKind && HasAllMembers(localType, targetType, depth);
                case BtfKind.Integer:
                    return isSameKind
                        && localType.BitSize == targetType.BitSize
                        && localType.Encoding.HasFlag(BtfEncoding.Signed)
                            == targetType.Encoding.HasFlag(BtfEncoding.Signed);
                case BtfKind.Pointer when isSameKind:
                    isBehindPointer = true;
                    localId = localType.Target;
                    targetId = targetType.Target;
                    break;
                case BtfKind.Array when isSameKind && localType.ElementCount == targetType.ElementCount:
                    isBehindPointer = false;
                    localId = localType.ElementType;
                    targetId = targetType.ElementType;
                    break;
                case BtfKind.FunctionPrototype when isSameKind && localType.Count == targetType.Count:
                    for (var i = 0; i < localType.Count; i++)
                    {
                        if (
                            !Match(
                                localType.Parameter(i).Type,
                                targetType.Parameter(i).Type,
                                isBehindPointer,
                                depth - 1
                            )
                        )
                        {
                            return false;
                        }
                    }
                    localId = localType.Target;
                    targetId = targetType.Target;
                    break;
                default:
                    return false;
            }
        }
        throw new CoreRelocationException("the types nest too deep to compare them");
    }

    private bool HasAllValues(BtfType localType, BtfType targetType)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < targetType.Count; i++)
        {
            Work();
            names.Add(WithoutFlavor(targetType.EnumerationValue(i).Name));
        }
        for (var i = 0; i < localType.Count; i++)
        {
            Work();
            if (!names.Contains(WithoutFlavor(localType.EnumerationValue(i).Name)))
            {
                return false;
            }
        }
        return localType.Count <= targetType.Count;
    }

    private bool HasAllMembers(BtfType localType, BtfType targetType, int depth)
    {
        for (var i = 0; i < localType.Count; i++)
        {
            var localMember = localType.Member(i);
            var isFound = false;
            for (var j = 0; j < targetType.Count && !isFound; j++)
            {
                Work();
                var targetMember = targetType.Member(j);
                isFound =
                    AreNamesEqual(localMember.Name, targetMember.Name)
                    && Match(localMember.Type, targetMember.Type, isBehindPointer: false, depth - 1);
            }
            if (!isFound)
            {
                return false;
            }
        }
        return localType.Count <= targetType.Count;
    }

    /// <summary>Counts a step of the work that comparing takes.</summary>
    /// <exception cref="CoreRelocationException">There were too many.</exception>
    public void Work()
    {
        if (++_work > MaxWork)
        {
            throw new CoreRelocationException("comparing the types takes too long: they name each other over and over");
        }
    }
}
