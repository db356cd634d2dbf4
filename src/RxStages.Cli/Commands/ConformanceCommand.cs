using System.CommandLine;
using System.Runtime.InteropServices;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Commands;

/// <summary>
/// <c>rxstages conformance [MEMORY]</c>: a plugin for the public <c>bpf_conformance</c> runner. Programs here are not XDP
/// programs and are not verified: every memory access is checked, compiled or interpreted.
/// </summary>
internal static class ConformanceCommand
{
    /// <summary>The largest input, in hexadecimal digits and white space: far above the million instructions that may be.</summary>
    private const int MaxInput = 64 << 20;

    private const string ProgramSource = "program on the standard input";

    /// <summary>
    /// The one function that programs of the suite call by number: uBPF's <c>unwind</c>, which gives back its argument.
    /// </summary>
    private static readonly Dictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>> s_helpers = new()
    {
        [5] = (r1, _, _, _, _) => r1,
    };

    public static Command Create()
    {
        // The runner passes empty arguments for a memory or options that there are not.
        var memory = new Argument<string[]>("MEMORY")
        {
            Description = "The memory that r1 points to, bytes in hexadecimal; none: r1 is 0.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var interpreter = SharedOptions.Interpreter();
        var command = new Command(
            "conformance",
            "A plugin for bpf_conformance: runs the program whose bytes are on the standard input, in hexadecimal, "
                + "and prints r0 in hexadecimal."
        )
        {
            memory,
            interpreter,
        };
        command.SetAction(parsed =>
        {
            var bytes = ParseHex(string.Concat(parsed.GetValue(memory) ?? []), "memory");
            var program = ParseHex(ReadInput(), ProgramSource);
            if (program.Length % Instruction.Size != 0)
            {
                throw new InputException(
                    ProgramSource,
                    place: null,
                    $"{program.Length} bytes are no whole number of instructions"
                );
            }
            var instructions = MemoryMarshal.Cast<byte, Instruction>(program);
            var result = parsed.GetValue(interpreter)
                ? Interpreter.RunRaw(instructions, bytes, s_helpers)
                : IlCompiler.CompileChecked(instructions, s_helpers).Run(bytes);
            Console.Out.WriteLine($"{result:x}");
            return ExitCode.Done;
        });
        return command;
    }

    private static string ReadInput()
    {
        var buffer = new char[1 << 16];
        var text = new System.Text.StringBuilder();
        for (int count; (count = Console.In.Read(buffer)) > 0; )
        {
            text.Append(buffer, 0, count);
            if (text.Length > MaxInput)
            {
                throw new InputException(ProgramSource, place: null, $"more than {MaxInput} characters");
            }
        }
        return text.ToString();
    }

    private static byte[] ParseHex(string text, string source)
    {
        var digits = string.Concat(text.Where(character => !char.IsWhiteSpace(character)));
        try
        {
            return Convert.FromHexString(digits);
        }
        catch (FormatException)
        {
            throw new InputException(source, place: null, "not bytes in hexadecimal");
        }
    }
}
