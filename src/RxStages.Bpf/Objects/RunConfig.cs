using System.Collections.Immutable;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// When a program runs in a chain of several on one port, and after which verdicts the next one runs: what
/// <c>XDP_RUN_CONFIG</c> of libxdp says.
/// </summary>
/// <param name="Priority">Programs run in ascending order of it.</param>
/// <param name="ChainActions">A bit for each verdict after which the next program runs.</param>
public sealed record RunConfig(uint Priority, uint ChainActions)
{
    private const string SectionName = ".xdp_run_config";

    private static readonly ImmutableArray<string> Actions =
    [
        "XDP_ABORTED",
        "XDP_DROP",
        "XDP_PASS",
        "XDP_TX",
        "XDP_REDIRECT",
    ];

    /// <summary>What holds where a program says nothing: priority 50, on after <c>XDP_PASS</c>.</summary>
    public static RunConfig Default { get; } = new(50, 1 << 2);

    /// <summary>Reads what an object says of its programs, by their names; empty where it says nothing.</summary>
    /// <exception cref="InputException">It is broken.</exception>
    internal static Dictionary<string, RunConfig> Read(Btf? btf, string source)
    {
        var result = new Dictionary<string, RunConfig>(StringComparer.Ordinal);
        if (btf?.Find(SectionName, BtfKind.DataSection) is not (> 0 and var section))
        {
            return result;
        }
        for (var i = 0; i < btf[section].Count; i++)
        {
            // A variable for each program, named as it with an underscore before.
            var variable = btf[btf[section].SectionVariable(i).Type];
            if (variable.Kind != BtfKind.Variable || !variable.Name.StartsWith('_'))
            {
                throw Broken(source, $"entry {i} is no variable _FUNCTION");
            }
            var structure = btf[btf.SkipModifiers(variable.Target)];
            if (structure.Kind != BtfKind.Struct)
            {
                throw Broken(source, $"'{variable.Name}' is no structure");
            }
            result.TryAdd(variable.Name[1..], Read(btf, structure, variable.Name, source));
        }
        return result;
    }

    private static RunConfig Read(Btf btf, BtfType structure, string name, string source)
    {
        var config = Default;
        for (var i = 0; i < structure.Count; i++)
        {
            var member = structure.Member(i);
            var pointer = btf[btf.SkipModifiers(member.Type)];
            var array = btf[pointer.Kind == BtfKind.Pointer ? pointer.Target : 0];
            var action = Actions.IndexOf(member.Name);
            config =
                array.Kind != BtfKind.Array ? throw Broken(source, $"'{name}.{member.Name}' is no number")
                : member.Name == "priority" ? config with { Priority = array.ElementCount }
                : action < 0 ? throw Broken(source, $"'{name}.{member.Name}' is no verdict")
                : array.ElementCount != 0 ? config with { ChainActions = config.ChainActions | (1u << action) }
                : config with { ChainActions = config.ChainActions & ~(1u << action) };
        }
        return config;
    }

    private static InputException Broken(string source, string reason) => new(source, SectionName, reason);
}
