using System.Collections.Immutable;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>The project's own programs, from clang's object files through the verifier, compiled and interpreted.</summary>
public unsafe class ProjectProgramTests
{
    public static TheoryData<string> Objects =>
        [
            .. Directory
                .EnumerateFiles(Repository.PathOf("programs"), "*.bpf.o")
                .Select(path => Path.GetFileName(path))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Objects))]
    public void CompiledProgramsAreOptimisedAndDoWhatInterpretedOnesDo(string file)
    {
        using var events = new JitEvents();
        var read = ObjectReader.Read(Repository.PathOf("programs", file));
        var spec = read with
        {
            Maps = [.. read.Maps.Select(map => MapFactory.Complete(map, MapOptions.Default.CpuCount))],
        };
        using var compiled = new Loaded(
            spec,
            (program, maps) => IlCompiler.Compile(Verifier.Verify(program, spec.Maps), maps)
        );
        using var interpreted = new Loaded(spec, (program, maps) => new InterpretedProgram(program, maps));
        for (var program = 0; program < spec.Programs.Length; program++)
        {
            for (var round = 0; round < 8; round++)
            {
                var packets = TestPackets.Next(new Random((program * 1000) + round), count: 16);
                using var one = new TestVector(packets);
                using var other = new TestVector(packets);
                Assert.Equal(other.Run(interpreted.Programs[program]), one.Run(compiled.Programs[program]));
                for (var packet = 0; packet < packets.Length; packet++)
                {
                    Assert.Equal(other.Bytes(packet), one.Bytes(packet));
                    Assert.Equal(
                        (other.Packets[packet]->Redirect.Kind, other.Packets[packet]->Redirect.Value),
                        (one.Packets[packet]->Redirect.Kind, one.Packets[packet]->Redirect.Value)
                    );
                }
            }
            var methods = events.Of(spec.Programs[program].Name);
            Assert.NotEmpty(methods);
            Assert.DoesNotContain(methods, method => method.Tier == JitEvents.MinOpts);
        }
    }

    /// <summary>An object's maps and programs, ready to run.</summary>
    private sealed class Loaded : IDisposable
    {
        private readonly ImmutableArray<Map> _maps;

        public Loaded(ObjectSpec spec, Func<ProgramSpec, ImmutableArray<Map>, XdpProgram> make)
        {
            _maps = [.. spec.Maps.Select(map => (Map)MapFactory.Create(map))];
            Programs = [.. spec.Programs.Select(program => make(program, _maps))];
            foreach (var map in _maps.OfType<ProgramArrayMap>())
            {
                foreach (var (index, name) in map.Spec.InitialPrograms)
                {
                    map.SetProgram(index, Programs.Single(program => program.Name == name));
                }
            }
        }

        public ImmutableArray<XdpProgram> Programs { get; }

        public void Dispose()
        {
            foreach (var program in Programs)
            {
                program.Dispose();
            }
            foreach (var map in _maps)
            {
                map.Dispose();
            }
        }
    }
}
