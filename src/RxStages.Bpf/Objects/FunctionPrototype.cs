using System.Collections.Immutable;

namespace RxStages.Bpf.Objects;

/// <summary>
/// What a global function takes, by its BTF: all that callers and the function may rely on, since each is verified without
/// the other; after the kernel's <c>btf_prepare_func_args</c>.
/// </summary>
/// <param name="Parameters">Its parameters, in r1 and on: at most five.</param>
/// <param name="Problem">Why no such function may be called; null when it may. It has then all its parameters.</param>
public sealed record FunctionPrototype(ImmutableArray<PrototypeParameter> Parameters, string? Problem)
{
    private const int MaxParameters = 5;
    private const string TagPrefix = "arg:";

    /// <summary>Reads the prototype of a function.</summary>
    /// <param name="btf">The types.</param>
    /// <param name="function">The id of its <c>FUNC</c>.</param>
    public static FunctionPrototype Read(Btf btf, int function)
    {
        ArgumentNullException.ThrowIfNull(btf);
        var prototype = btf[btf[function].Target];
        if (prototype.Count > MaxParameters)
        {
            return Unusable($"it takes {prototype.Count} arguments, more than {MaxParameters}");
        }
        if (!IsNumber(btf[btf.SkipModifiers(prototype.Target)]))
        {
            return Unusable("it returns no number");
        }
        var parameters = ImmutableArray.CreateBuilder<PrototypeParameter>(prototype.Count);
        for (var index = 0; index < prototype.Count; index++)
        {
            if (!TryReadTags(btf, function, index, out var tags, out var unknown))
            {
                return Unusable($"argument {index + 1} has tag '{unknown}', which is not supported");
            }
            var parameter = Parameter(btf, prototype.Parameter(index).Type, tags, out var problem);
            if (problem is not null)
            {
                return Unusable($"argument {index + 1} {problem}");
            }
            parameters.Add(parameter);
        }
        return new FunctionPrototype(parameters.DrainToImmutable(), Problem: null);
    }

    [Flags]
    private enum Tags
    {
        None = 0,
        Context = 1,
        Trusted = 2,
        Untrusted = 4,
        NonNull = 8,
        Nullable = 16,
    }

    private static FunctionPrototype Unusable(string problem) => new([], problem);

    private static bool IsNumber(BtfType type) =>
        type.Kind is BtfKind.Integer or BtfKind.Enumeration or BtfKind.Enumeration64;

    private static bool TryReadTags(Btf btf, int function, int parameter, out Tags tags, out string unknown)
    {
        tags = Tags.None;
        unknown = "";
        foreach (var id in btf.DeclarationTagsOf(function))
        {
            var tag = btf[id];
            if (tag.Component != parameter || !tag.Name.StartsWith(TagPrefix, StringComparison.Ordinal))
            {
                continue;
            }
            var known = tag.Name[TagPrefix.Length..] switch
            {
                "ctx" => Tags.Context,
                "trusted" => Tags.Trusted,
                "untrusted" => Tags.Untrusted,
                "nonnull" => Tags.NonNull,
                "nullable" => Tags.Nullable,
                _ => Tags.None,
            };
            if (known == Tags.None)
            {
                unknown = tag.Name;
                return false;
            }
            tags |= known;
        }
        return true;
    }

    private static PrototypeParameter Parameter(Btf btf, int id, Tags tags, out string? problem)
    {
        problem = null;
        var type = btf[btf.SkipModifiers(id)];
        if (type.Kind == BtfKind.Pointer)
        {
            return Pointer(btf, btf[btf.SkipModifiers(type.Target)], tags, out problem);
        }
        if (tags != Tags.None)
        {
            problem = "is tagged as a pointer, but is none";
        }
        else if (!IsNumber(type))
        {
            problem = "is neither a number nor a pointer";
        }
        return new PrototypeParameter(ParameterKind.Scalar);
    }

    private static PrototypeParameter Pointer(Btf btf, BtfType target, Tags tags, out string? problem)
    {
        problem = null;
        var isStructure = target.Kind is BtfKind.Struct or BtfKind.Union;
        if (tags.HasFlag(Tags.Context) || (isStructure && target.Name is "xdp_md" or "xdp_buff"))
        {
            problem =
                (tags & ~Tags.Context) != Tags.None ? "has tags that do not go together"
                : tags == Tags.None || target.Kind == BtfKind.Void || (isStructure && target.Name == "xdp_md") ? null
                : "is tagged as the context, but is no 'struct xdp_md *'";
            return new PrototypeParameter(ParameterKind.Context);
        }
        if (target.Name == "bpf_dynptr" && (isStructure || target is { Kind: BtfKind.Forward, KindFlag: false }))
        {
            problem = tags == Tags.None ? null : "has tags that do not go together";
            return new PrototypeParameter(ParameterKind.Dynptr);
        }
        if (tags.HasFlag(Tags.Trusted))
        {
            problem = (tags & ~(Tags.Trusted | Tags.Nullable)) != Tags.None ? "has tags that do not go together" : null;
            return Structure(ParameterKind.TrustedStructure, target, tags.HasFlag(Tags.Nullable), ref problem);
        }
        if (tags.HasFlag(Tags.Untrusted))
        {
            problem = tags == Tags.Untrusted ? null : "has tags that do not go together";
            return target.Kind == BtfKind.Void || IsNumber(target)
                ? new PrototypeParameter(ParameterKind.UntrustedMemory)
                : Structure(ParameterKind.UntrustedStructure, target, mayBeNull: false, ref problem);
        }
        var size = btf.SizeOf(target.Id);
        problem =
            tags.HasFlag(Tags.Nullable) ? "has tags that do not go together"
            : size is null or > int.MaxValue ? "points to a type whose size is not known"
            : null;
        return new PrototypeParameter(ParameterKind.Memory)
        {
            Size = problem is null ? (int)size! : 0,
            MayBeNull = !tags.HasFlag(Tags.NonNull),
        };
    }

    private static PrototypeParameter Structure(ParameterKind kind, BtfType target, bool mayBeNull, ref string? problem)
    {
        if (target.Kind != BtfKind.Struct)
        {
            problem ??= "is tagged as a pointer to a structure of the kernel, but points to none";
        }
        return new PrototypeParameter(kind) { Structure = Externs.WithoutFlavor(target.Name), MayBeNull = mayBeNull };
    }
}

/// <summary>A parameter of a global function.</summary>
/// <param name="Kind">What it is.</param>
public readonly record struct PrototypeParameter(ParameterKind Kind)
{
    /// <summary>For memory: how many bytes.</summary>
    public int Size { get; init; }

    /// <summary>For memory and trusted structures: true when it may be null.</summary>
    public bool MayBeNull { get; init; }

    /// <summary>For structures of the kernel: the structure's name.</summary>
    public string? Structure { get; init; }
}

/// <summary>What a global function takes in a register (the kernel's <c>enum bpf_arg_type</c>, as far as BTF can say it).</summary>
public enum ParameterKind
{
    /// <summary><c>ARG_ANYTHING</c>: a number.</summary>
    Scalar,

    /// <summary><c>ARG_PTR_TO_CTX</c>: the context, by its type or the tag <c>arg:ctx</c>.</summary>
    Context,

    /// <summary><c>ARG_PTR_TO_MEM</c>: so many bytes to read and write; null too but for the tag <c>arg:nonnull</c>.</summary>
    Memory,

    /// <summary><c>ARG_PTR_TO_DYNPTR</c>: an initialized dynptr.</summary>
    Dynptr,

    /// <summary><c>ARG_PTR_TO_BTF_ID</c> by the tag <c>arg:trusted</c>: a structure of the kernel; null too by <c>arg:nullable</c>.</summary>
    TrustedStructure,

    /// <summary>By the tag <c>arg:untrusted</c>: anything, read with care as a structure of the kernel.</summary>
    UntrustedStructure,

    /// <summary>By the tag <c>arg:untrusted</c>: anything, read with care.</summary>
    UntrustedMemory,
}
