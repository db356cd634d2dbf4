using System.Collections.Immutable;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Interpretation;

public class AgreementTests
{
    private static readonly MapSpec Memory = new()
    {
        Name = "memory",
        Type = MapType.Array,
        KeySize = 4,
        ValueSize = RandomPrograms.MemorySize,
        MaxEntries = 1,
    };

    [Fact]
    public void InterpreterAndCompilerDoTheSameWithRandomPrograms()
    {
        var random = new Random(9669);
        var compared = 0;
        for (var round = 0; round < 150; round++)
        {
            var program = RandomPrograms.Next(random, 60);
            var expectedMemory = new byte[RandomPrograms.MemorySize];
            random.NextBytes(expectedMemory);
            byte[] actualMemory = [.. expectedMemory];
            ulong? expected;
            try
            {
                expected = Interpreter.RunRaw(program, expectedMemory, instructionLimit: 2_000);
            }
            catch (InterpreterFaultException fault)
                when (fault.Reason.Contains("did not end", StringComparison.Ordinal))
            {
                continue;
            }
            catch (InterpreterFaultException)
            {
                expected = null;
            }
            ulong? actual;
            try
            {
                actual = IlCompiler.CompileChecked(program).Run(actualMemory);
            }
            catch (InputException)
            {
                actual = null;
            }
            Assert.True(expected == actual, $"round {round}: {expected:x} and {actual:x}\n{Text(program)}");
            Assert.Equal(expectedMemory, actualMemory);
            compared++;
        }
        Assert.InRange(compared, 75, 150);
    }

    /// <summary>
    /// The verifier's promise and the compiler's at once: what is accepted never faults, and does the same when it is
    /// compiled. The memory at r1 is a map's value or the packet.
    /// </summary>
    [Theory]
    [InlineData("r1 = map_value[0]+0 ll")]
    [InlineData(
        """
            r2 = *(u32 *)(r1 + 4)
            r1 = *(u32 *)(r1 + 0)
            r3 = r1
            r3 += 64
            if r3 <= r2 goto long_enough
            r0 = 0
            exit
            long_enough:
            """
    )]
    public void WhatTheVerifierAcceptsNeverFaultsAndDoesTheSameWhenItIsCompiled(string prologue)
    {
        const string Registers = """
            r0 = 5
            r2 = 0
            r3 = -9
            r4 = 0x123456789 ll
            r5 = 64
            r6 = 7
            r7 = 0
            r8 = 0x8000000000000000 ll
            r9 = 1
            """;
        var start = Assembler.Assemble(prologue + "\n" + Registers);
        var random = new Random(9669);
        var accepted = 0;
        for (var round = 0; round < 150; round++)
        {
            var spec = TestPrograms.Of([.. start, .. RandomPrograms.Next(random, 25, InstructionRules.Kernel)]);
            VerifiedProgram verified;
            try
            {
                verified = Verifier.Verify(spec, [Memory], new VerifierOptions { MaxInstructionsVisited = 20_000 });
            }
            catch (VerificationException)
            {
                continue;
            }
            accepted++;
            var seed = random.Next();
            var interpreted = Run(seed, maps => new InterpretedProgram(spec, maps) { OnFault = FailOn });
            var compiled = Run(seed, maps => IlCompiler.Compile(verified, maps));
            Assert.True(interpreted == compiled, $"{interpreted}\n{compiled}\n{Text([.. spec.Instructions])}");

            void FailOn(InterpreterFault fault) => Assert.Fail($"{fault}\n{Text([.. spec.Instructions])}");
        }
        Assert.InRange(accepted, 25, 150);
    }

    /// <summary>Runs a program on a packet and a map of random bytes, and gives its result and what became of them.</summary>
    private static string Run(int seed, Func<ImmutableArray<Map>, XdpProgram> make)
    {
        var bytes = new byte[RandomPrograms.MemorySize];
        new Random(seed).NextBytes(bytes);
        using var map = MapFactory.Create(Memory with { InitialValue = [.. bytes] });
        using var program = make([map]);
        using var packet = new TestPacket(bytes);
        var result = packet.Run(program);
        map.Lookup([0, 0, 0, 0], bytes);
        return $"{result:x} {Convert.ToHexString(packet.Bytes)} {Convert.ToHexString(bytes)}";
    }

    private static string Text(Instruction[] program) =>
        string.Join('\n', Enumerable.Range(0, program.Length).Select(slot => Disassembler.Format(program, slot)));
}
