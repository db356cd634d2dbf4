using System.Collections.Immutable;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Verdicts;

/// <summary>The types of the corpus: without the types of functions the kernel lets no program take a function's address.</summary>
internal static class VerdictTypes
{
    /// <summary>Where the lock of <see cref="LockedValue"/> is.</summary>
    public const int LockOffset = 4;

    /// <summary>Where the timer of <see cref="TimedValue"/> is.</summary>
    public const int TimerOffset = 8;

    private static readonly BtfBuilder Builder = new();

    /// <summary>The id of <c>int</c>.</summary>
    public static int Integer { get; } = Builder.Integer("int", 4);

    /// <summary>The id of a static function's type: <c>static int function(void)</c>.</summary>
    public static int StaticFunction { get; } = Builder.Function("function", BtfLinkage.Static, Integer);

    /// <summary>The id of a value with a lock: <c>struct value { int count; struct bpf_spin_lock lock; int rest[2]; }</c>.</summary>
    public static int LockedValue { get; } = MakeLockedValue();

    /// <summary>The id of a value with a timer: <c>struct timed { long count; struct bpf_timer timer; long rest; }</c>.</summary>
    public static int TimedValue { get; } = MakeTimedValue();

    /// <summary>The functions that cases may give their functions the types of, by name: their ids.</summary>
    public static ImmutableDictionary<string, int> Functions { get; } = MakeFunctions();

    /// <summary>The types.</summary>
    public static Btf Btf { get; } = Builder.Build();

    private static int MakeLockedValue()
    {
        var spinLock = Builder.Struct("bpf_spin_lock", 4, ("val", Integer, 0));
        var rest = Builder.Array(Integer, 2);
        return Builder.Struct(
            "value",
            16,
            ("count", Integer, 0),
            ("lock", spinLock, LockOffset * 8),
            ("rest", rest, 64)
        );
    }

    private static int MakeTimedValue()
    {
        var number = Builder.Integer("long", 8);
        var timer = Builder.Struct("bpf_timer", 16, ("opaque", Builder.Array(number, 2), 0));
        return Builder.Struct(
            "timed",
            32,
            ("count", number, 0),
            ("timer", timer, TimerOffset * 8),
            ("rest", number, 192)
        );
    }

    private static ImmutableDictionary<string, int> MakeFunctions()
    {
        var functions = ImmutableDictionary.CreateBuilder<string, int>();
        var pointerToInteger = Builder.Pointer(Integer);
        var pair = Builder.Struct("pair", 8, ("first", Integer, 0), ("second", Integer, 32));
        var context = Builder.Pointer(Builder.Struct("xdp_md", 4, ("data", Integer, 0)));
        var anyPointer = Builder.Pointer(0);
        var undefined = Builder.Add("undefined", BtfKind.Forward, 0, 0);
        var task = Builder.Pointer(Builder.Struct("task_struct", 4, ("flags", Integer, 0)));
        var connection = Builder.Pointer(Builder.Struct("nf_conn", 4, ("use", Integer, 0)));

        functions["static"] = StaticFunction;
        Global("nothing", Integer);
        Global(
            "number",
            Integer,
            Builder.Reference(BtfKind.Const, Builder.Reference(BtfKind.Typedef, Integer, "count_t"))
        );
        Global("enumerator", Builder.Enumeration("color"), Builder.Enumeration("shape"));
        Global("five", Integer, Integer, Integer, Integer, Integer, Integer);
        Global("six", Integer, Integer, Integer, Integer, Integer, Integer, Integer);
        Global("returns_void", 0);
        Global("returns_pointer", pointerToInteger);
        Global("by_value", Integer, pair);
        Global("real", Integer, Builder.Add("double", BtfKind.Float, 0, 8));
        Global("context", Integer, context);
        Global("kernel_context", Integer, Builder.Pointer(Builder.Struct("xdp_buff", 4, ("data", Integer, 0))));
        Global("context_and_number", Integer, context, Integer);
        Global("integer", Integer, pointerToInteger);
        Global("two_integers", Integer, pointerToInteger, pointerToInteger);
        Global("constant_integer", Integer, Builder.Pointer(Builder.Reference(BtfKind.Const, Integer)));
        Global("pair", Integer, Builder.Pointer(Builder.Reference(BtfKind.Typedef, pair, "pair_t")));
        Global("either", Integer, Builder.Pointer(Builder.Union("either", 8, ("first", Integer, 0))));
        Global("array", Integer, Builder.Pointer(Builder.Array(Integer, 4)));
        Global("large", Integer, Builder.Pointer(Builder.Array(Integer, 200)));
        Global("pointer", Integer, Builder.Pointer(pointerToInteger));
        Global("empty", Integer, Builder.Pointer(Builder.Struct("empty", 0)));
        Global("undefined", Integer, Builder.Pointer(undefined));
        Global("any_pointer", Integer, anyPointer);
        Global("code", Integer, Builder.Pointer(Builder.Prototype(Integer)));
        Global("dynptr", Integer, Builder.Pointer(Builder.Add("bpf_dynptr", BtfKind.Forward, 0, 0)));
        Tagged("tagged_context", anyPointer, "arg:ctx");
        Tagged("tagged_typed_context", context, "arg:ctx");
        Tagged("tagged_wrong_context", Builder.Pointer(pair), "arg:ctx");
        Tagged("tagged_number", Integer, "arg:ctx");
        Tagged("nonnull_context", context, "arg:nonnull");
        Tagged("nonnull", pointerToInteger, "arg:nonnull");
        Tagged("nullable", pointerToInteger, "arg:nullable");
        Tagged("trusted_connection", connection, "arg:trusted", "arg:nullable");
        Tagged("trusted", task, "arg:trusted");
        Tagged("trusted_nullable", task, "arg:trusted", "arg:nullable");
        Tagged("trusted_nonnull", task, "arg:trusted", "arg:nonnull");
        Tagged("trusted_declared", Builder.Pointer(undefined), "arg:trusted", "arg:nullable");
        Tagged("trusted_integer", pointerToInteger, "arg:trusted");
        Tagged("trusted_unknown", Builder.Pointer(pair), "arg:trusted");
        Tagged("untrusted_integer", pointerToInteger, "arg:untrusted");
        Tagged("untrusted_any", anyPointer, "arg:untrusted");
        Tagged("untrusted", task, "arg:untrusted");
        Tagged("untrusted_nonnull", pointerToInteger, "arg:untrusted", "arg:nonnull");
        Tagged("unknown_tag", pointerToInteger, "arg:other");
        Tagged("other_tag", pointerToInteger, "other");
        functions["static_tagged"] = Builder.Function("static_tagged", BtfLinkage.Static, Integer, pointerToInteger);
        Builder.Tag("arg:nonnull", functions["static_tagged"], 0);
        return functions.ToImmutable();

        void Global(string name, int result, params int[] parameters) =>
            functions[name] = Builder.Function(name, BtfLinkage.Global, result, parameters);

        void Tagged(string name, int parameter, params string[] tags)
        {
            Global(name, Integer, parameter);
            foreach (var tag in tags)
            {
                Builder.Tag(tag, functions[name], 0);
            }
        }
    }
}
