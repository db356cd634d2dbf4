using System.Buffers.Binary;
using System.Text;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Objects;

public class ExternTests
{
    private const string Config = """
        # Automatically generated file; DO NOT EDIT.
        CONFIG_BPF=y
        # CONFIG_NO_SUCH_OPTION is not set
        CONFIG_HZ=250
        CONFIG_VETH=m
        CONFIG_DEFAULT_HOSTNAME="(none) and more"
        CONFIG_BPF_SYSCALL=y
        CONFIG_PANIC_TIMEOUT=-1
        CONFIG_LOG_BUF_SHIFT=0x11
        """;

    public static TheoryData<string> Objects => TestObjects.CompiledFrom("externs");

    [Theory]
    [MemberData(nameof(Objects))]
    public void KfuncsAreNamedWithoutFlavorsByCallsAndByLoadsOfTheirAddress(string name)
    {
        var program = Read(name).FindProgram("calls_kernel");
        Assert.Null(program.Unsupported);
        Assert.Equal(
            ["bpf_rcu_read_lock", "bpf_rcu_read_unlock", "no_such_function", "bpf_rcu_read_unlock"],
            program.Kfuncs.Select(kfunc => kfunc.Name)
        );
        Assert.Equal([false, false, true, false], program.Kfuncs.Select(kfunc => kfunc.IsWeak));
        var calls = program
            .Instructions.Where(i => i is { Opcode: Opcode.Call, Source: PseudoCall.KernelFunction })
            .Select(i => i.Immediate);
        Assert.Equal([0, 1, 2, 0, 3], calls);
        Assert.Equal(2, program.Instructions.Single(i => i is { IsWide: true, Source: PseudoLoad.BtfId }).Immediate);
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void OptionsStandInAFrozenMapByTheirTypes(string name)
    {
        var spec = Read(name);
        var map = spec.Maps.Single(map => map.Name == ".kconfig");
        Assert.True(map.IsFrozen);
        Assert.Equal(MapFlags.ReadOnlyProgram, map.Flags);
        Assert.Equal((6u << 16) | (18 << 8), BinaryPrimitives.ReadUInt32LittleEndian(Option("LINUX_KERNEL_VERSION")));
        Assert.Equal(1, Option("CONFIG_BPF")[0]);
        Assert.Equal(250, BinaryPrimitives.ReadInt32LittleEndian(Option("CONFIG_HZ")));
        Assert.Equal(2, BinaryPrimitives.ReadInt32LittleEndian(Option("CONFIG_VETH")));
        Assert.Equal(0, BinaryPrimitives.ReadInt32LittleEndian(Option("CONFIG_NO_SUCH_DRIVER")));
        Assert.Equal("(none) \0", Encoding.ASCII.GetString(Option("CONFIG_DEFAULT_HOSTNAME")));
        Assert.Equal((byte)'y', Option("CONFIG_BPF_SYSCALL")[0]);
        Assert.Equal(-1, BinaryPrimitives.ReadInt64LittleEndian(Option("CONFIG_PANIC_TIMEOUT")));
        Assert.Equal(17, Option("CONFIG_LOG_BUF_SHIFT")[0]);

        ReadOnlySpan<byte> Option(string option)
        {
            var section = spec.Btf![map.BtfValueType];
            for (var i = 0; i < section.Count; i++)
            {
                var entry = section.SectionVariable(i);
                if (spec.Btf[entry.Type].Name == option)
                {
                    return map.InitialValue.AsSpan().Slice((int)entry.Offset, (int)entry.Size);
                }
            }
            throw new InvalidOperationException(option);
        }
    }

    [Theory]
    [InlineData("CONFIG_BPF=m", "reads_config", "CONFIG_BPF")]
    [InlineData("CONFIG_BPF=y\nCONFIG_HZ=y", "reads_config", "CONFIG_HZ")]
    [InlineData("CONFIG_BPF=y\nCONFIG_HZ=4294967296", "reads_config", "CONFIG_HZ")]
    [InlineData("CONFIG_BPF=y\nCONFIG_HZ=\"250\"", "reads_config", "CONFIG_HZ")]
    [InlineData("CONFIG_BPF=y\nCONFIG_HZ=1\nCONFIG_LOG_BUF_SHIFT=256", "reads_config", "CONFIG_LOG_BUF_SHIFT")]
    [InlineData("CONFIG_BPF=y\nCONFIG_HZ=1\nCONFIG_DEFAULT_HOSTNAME=5", "reads_config", "CONFIG_DEFAULT_HOSTNAME")]
    [InlineData(Config, "needs_option", "CONFIG_NO_SUCH_OPTION")]
    [InlineData(Config, "needs_symbol", "no_such_strong_symbol")]
    [InlineData(Config, "needs_variable", "bpf_prog_active")]
    public void WhatCannotBeResolvedIsSaidOfTheProgramsThatNeedIt(string config, string program, string reason)
    {
        foreach (var name in Objects)
        {
            var spec = Read(name.Data, config);
            Assert.Contains(reason, spec.FindProgram(program).Unsupported, StringComparison.Ordinal);
            Assert.Null(spec.FindProgram("plain").Unsupported);
        }
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void WeakSymbolsThatAreMissingAreNull(string name)
    {
        var program = Read(name).FindProgram("does_without");
        Assert.Null(program.Unsupported);
        Assert.All(
            Enumerable.Range(0, program.Instructions.Length).Where(slot => program.Instructions[slot].IsWide),
            slot =>
                Assert.Equal(
                    (PseudoLoad.Constant, 0, 0),
                    (
                        program.Instructions[slot].Source,
                        program.Instructions[slot].Immediate,
                        program.Instructions[slot + 1].Immediate
                    )
                )
        );
    }

    [Theory]
    [InlineData("bpf_foo", "bpf_foo")]
    [InlineData("bpf_foo___bar", "bpf_foo")]
    [InlineData("bpf_foo___bar___baz", "bpf_foo___bar")]
    [InlineData("bpf_foo____bar", "bpf_foo____bar")]
    [InlineData("___bar", "___bar")]
    [InlineData("a___", "a___")]
    public void AFlavorIsWhatStandsBehindThreeUnderscores(string name, string plain) =>
        Assert.Equal(plain, Externs.WithoutFlavor(name));

    private static ObjectSpec Read(string name, string config = Config) =>
        ObjectReader.Read(TestObjects.Bytes(name), name, TargetKernel.Of(types: null, KernelConfig.Parse(config)));
}
