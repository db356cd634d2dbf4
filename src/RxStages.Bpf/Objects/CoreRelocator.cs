namespace RxStages.Bpf.Objects;

/// <summary>
/// Answers what CO-RE relocations ask, as libbpf does: looks in the target for all types of the same name (without
/// <c>___flavor</c>), follows the object's way through each, and wants those that have it to agree.
/// </summary>
internal sealed class CoreRelocator
{
    private readonly Btf _local;
    private readonly Btf _target;
    private readonly CoreMatcher _matcher;
    private readonly Dictionary<int, List<int>> _candidates = [];
    private readonly Dictionary<CoreRelocation, CoreResult> _results = [];

    /// <summary>Prepares to relocate an object's programs.</summary>
    /// <param name="local">The object's types.</param>
    /// <param name="target">The target's; null: there is none, and programs are fitted to their own types.</param>
    public CoreRelocator(Btf local, Btf? target)
    {
        _local = local;
        _target = target ?? local;
        _matcher = new CoreMatcher(_local, _target);
    }

    /// <summary>Answers a relocation.</summary>
    /// <exception cref="CoreRelocationException">It is broken, or the target's types give several answers.</exception>
    public CoreResult Resolve(CoreRelocation relocation)
    {
        // Programs ask the same in many places.
        var question = relocation with
        {
            Slot = 0,
        };
        if (!_results.TryGetValue(question, out var result))
        {
            result = Calculate(relocation);
            _results.Add(question, result);
        }
        return result;
    }

    private CoreResult Calculate(CoreRelocation relocation)
    {
        if (relocation.Kind > CoreKind.TypeMatches)
        {
            throw new CoreRelocationException($"a CO-RE relocation of unknown kind {(uint)relocation.Kind}");
        }
        var way = CoreAccess.Parse(_local, relocation);
        var description = way.Describe(relocation);
        if (relocation.Kind == CoreKind.TypeIdLocal)
        {
            return new CoreResult(description) { NewValue = (ulong)way.Root, IsChecked = false };
        }
        if (_local[relocation.Type].Name.Length == 0)
        {
            throw new CoreRelocationException($"{description}: types without a name are found nowhere");
        }
        CoreResult? agreed = null;
        ulong agreedOffset = 0;
        var matching = new List<int>();
        foreach (var candidate in CandidatesOf(relocation.Type))
        {
            if (_matcher.Follow(relocation, way, candidate) is not { } found)
            {
                continue;
            }
            matching.Add(candidate);
            var result = Answer(relocation, way, found, description);
            if (agreed is null)
            {
                agreed = result;
                agreedOffset = found.BitOffset;
            }
            else if (
                found.BitOffset != agreedOffset
                || result.IsPoisoned != agreed.IsPoisoned
                || result.NewValue != agreed.NewValue
            )
            {
                throw new CoreRelocationException(
                    $"{description}: ambiguous, as types {matching[0]} and {candidate} of the target differ"
                );
            }
        }
        if (agreed is null)
        {
            return Answer(relocation, way, target: null, description);
        }
        // What did not have the field asked for is out for questions to come, too.
        _candidates[relocation.Type] = matching;
        return agreed;
    }

    private List<int> CandidatesOf(int type)
    {
        if (!_candidates.TryGetValue(type, out var candidates))
        {
            candidates = ReferenceEquals(_local, _target)
                ? [type]
                : [.. _target.FindAll(Externs.WithoutFlavor(_local[type].Name)).Where(id => IsCandidate(id, type))];
            _candidates.Add(type, candidates);
        }
        return candidates;
    }

    private bool IsCandidate(int candidate, int type)
    {
        _matcher.Work();
        return CoreMatcher.AreKindsCompatible(_target[candidate], _local[type]);
    }

    private static CoreResult Answer(CoreRelocation relocation, CoreAccess way, CoreAccess? target, string description)
    {
        if (relocation.IsField)
        {
            return AnswerField(relocation, way, target, description);
        }
        var isExistence = relocation.Kind is CoreKind.TypeExists or CoreKind.TypeMatches or CoreKind.EnumValueExists;
        if (isExistence)
        {
            return new CoreResult(description) { OriginalValue = 1, NewValue = target is null ? 0u : 1u };
        }
        return relocation.Kind switch
        {
            CoreKind.TypeIdTarget => new CoreResult(description)
            {
                NewValue = (ulong)(target?.Root ?? 0),
                IsChecked = false,
            },
            CoreKind.TypeSize => new CoreResult(description)
            {
                OriginalValue = SizeOf(way, way.Root, description),
                NewValue = target is null ? 0 : SizeOf(target, target.Root, description),
            },
            _ => new CoreResult(description)
            {
                OriginalValue = ValueOf(way),
                NewValue = target is null ? 0 : ValueOf(target),
                IsPoisoned = target is null,
            },
        };
    }

    private static CoreResult AnswerField(
        CoreRelocation relocation,
        CoreAccess way,
        CoreAccess? target,
        string description
    )
    {
        if (relocation.Kind == CoreKind.FieldExists)
        {
            return new CoreResult(description) { OriginalValue = 1, NewValue = target is null ? 0u : 1u };
        }
        var original = CoreField.Read(way, relocation.Kind, description);
        if (target is null)
        {
            return new CoreResult(description)
            {
                OriginalValue = original.Value,
                IsChecked = original.IsChecked,
                IsPoisoned = true,
            };
        }
        var found = CoreField.Read(target, relocation.Kind, description);
        return new CoreResult(description)
        {
            OriginalValue = original.Value,
            NewValue = found.Value,
            OriginalSize = original.Size,
            NewSize = found.Size,
            IsChecked = original.IsChecked,
            IsSizeFixed = original.Size != found.Size && !CanChangeSize(way.Btf[original.Type], target.Btf[found.Type]),
        };
    }

    /// <summary>Pointers of a 32-bit kernel, and unsigned integers, may be read with another width: what is read is extended by zeros.</summary>
    private static bool CanChangeSize(BtfType original, BtfType found) =>
        original.Kind == found.Kind
        && (
            original.Kind == BtfKind.Pointer
            || (
                original.Kind == BtfKind.Integer
                && !original.Encoding.HasFlag(BtfEncoding.Signed)
                && !found.Encoding.HasFlag(BtfEncoding.Signed)
            )
        );

    private static ulong ValueOf(CoreAccess way) =>
        (ulong)way.Btf[way.Steps[0].Type].EnumerationValue(way.Steps[0].Index).Value;

    private static ulong SizeOf(CoreAccess way, int type, string description) =>
        way.Btf.SizeOf(type) ?? throw new CoreRelocationException($"{description}: type {type} has no size");
}

/// <summary>What a relocation makes of an instruction.</summary>
/// <param name="Description">What it is about, for messages.</param>
internal sealed record CoreResult(string Description)
{
    /// <summary>What the compiler must have left in the instruction.</summary>
    public ulong OriginalValue { get; init; }

    /// <summary>What comes in its place.</summary>
    public ulong NewValue { get; init; }

    /// <summary>The field's size in the object's types, 0 where it does not matter.</summary>
    public uint OriginalSize { get; init; }

    /// <summary>The field's size in the target's types.</summary>
    public uint NewSize { get; init; }

    /// <summary>False when the instruction may hold anything before.</summary>
    public bool IsChecked { get; init; } = true;

    /// <summary>True when sizes differ and the instruction must not be made to load or store another.</summary>
    public bool IsSizeFixed { get; init; }

    /// <summary>True when the target has no answer: the instruction must never be reached.</summary>
    public bool IsPoisoned { get; init; }
}
