using System.CommandLine;
using RxStages.TrafficGenerator;
using RxStages.TrafficGenerator.Traffic;

var seed = new Option<ulong>("--seed")
{
    Description = "The same seed gives the same capture.",
    DefaultValueFactory = _ => Samples.IntermixedSeed,
};
var packets = new Option<int>("--packets")
{
    Description = "How many packets.",
    DefaultValueFactory = _ => Samples.IntermixedPackets,
};
var output = new Option<string>("--out") { Description = "Writes intermixed traffic to this pcapng file." };
var samples = new Option<string>("--samples") { Description = "Writes all sample files into this folder." };
var command = new RootCommand("Generates the capture files in samples/.") { seed, packets, output, samples };
command.SetAction(arguments =>
{
    if (arguments.GetValue(samples) is { } folder)
    {
        foreach (var (name, generate) in Samples.Files)
        {
            Write(Path.Combine(folder, name), generate());
        }
        return 0;
    }
    if (arguments.GetValue(output) is { } path)
    {
        var frames = IntermixedTraffic.Generate(arguments.GetValue(seed), arguments.GetValue(packets));
        Write(path, Samples.Pcapng(frames));
        return 0;
    }
    Console.Error.WriteLine("Give --out or --samples.");
    return 2;
});
return command.Parse(args).Invoke();

static void Write(string path, byte[] contents)
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    File.WriteAllBytes(path, contents);
    Console.WriteLine($"{path}: {contents.Length} bytes");
}
