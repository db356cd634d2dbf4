using System.CommandLine;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Commands;

/// <summary><c>rxstages disasm FILE[:PROGRAM]</c>: the linked program's instructions, with source lines where they are known.</summary>
internal static class DisasmCommand
{
    public static Command Create()
    {
        var program = SharedOptions.ProgramArgument();
        var command = new Command(
            "disasm",
            "Prints the instructions as llvm-objdump does, with source lines where the object has them."
        )
        {
            program,
        };
        var loading = new LoadingOptions(command);
        command.SetAction(parsed =>
        {
            var reference = ProgramReference.Parse(parsed.GetRequiredValue(program));
            var spec = loading.Read(parsed, reference.File);
            if (reference.Program is not null || spec.Programs.Length == 1)
            {
                Print(spec.FindProgram(reference.Program));
            }
            else
            {
                foreach (var each in spec.Programs)
                {
                    Print(each);
                }
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(ProgramSpec program)
    {
        var instructions = program.Instructions.AsSpan();
        SourceLine? last = null;
        for (var slot = 0; slot < instructions.Length; slot += instructions[slot].IsWide ? 2 : 1)
        {
            var function = program.FunctionOf(slot);
            if (function.Start == slot)
            {
                Console.Out.WriteLine(slot == 0 ? $"{program.Section}: {function.Name}:" : $"{function.Name}:");
            }
            var line = program.LineOf(slot);
            if (line is not null && line != last)
            {
                Console.Out.WriteLine($"; {line.File}:{line.Line}: {line.Text.Trim()}");
            }
            last = line;
            Console.Out.WriteLine($"{slot, 8}: {Disassembler.Format(instructions, slot)}");
        }
    }
}
