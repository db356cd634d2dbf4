using System.CommandLine;
using RxStages.Bpf.Objects;

namespace RxStages.Cli.Shared;

/// <summary>The options by which an object is fitted to a kernel: of every command that reads one.</summary>
internal sealed class LoadingOptions
{
    private readonly Option<string> _btf = new("--btf")
    {
        Description =
            "The kernel's types, for objects that are fitted to them (CO-RE): BTF as it is or in an ELF file. Without it the running kernel's, where it shows them.",
        HelpName = "FILE",
    };

    private readonly Option<string> _kconfig = new("--kconfig")
    {
        Description =
            "The kernel's configuration, for programs that ask for its options: lines as in .config, also gzipped. Without it the running kernel's.",
        HelpName = "FILE",
    };

    /// <summary>Gives them to a command.</summary>
    public LoadingOptions(Command command)
    {
        command.Add(_btf);
        command.Add(_kconfig);
    }

    /// <summary>Reads an object file, fitted as the user asked.</summary>
    /// <exception cref="Bpf.Errors.InputException">A file is missing or broken.</exception>
    public ObjectSpec Read(ParseResult parsed, string path) =>
        ObjectReader.Read(path, TargetKernel.Create(parsed.GetValue(_btf), parsed.GetValue(_kconfig)));
}
