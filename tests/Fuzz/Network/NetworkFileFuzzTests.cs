using System.IO.Compression;
using System.Text;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Network;
using RxStages.Bpf.Objects;

namespace RxStages.Fuzz.Tests.Network;

/// <summary>Whatever files describe a host: what they say, or a clean error.</summary>
public class NetworkFileFuzzTests
{
    private const string Routes = """
        1: lo: <LOOPBACK,UP> mtu 65536 qdisc noqueue state UNKNOWN
            link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
            inet 127.0.0.1/8 scope host lo
        2: eth0@if3: <BROADCAST,UP> mtu 1400 qdisc noqueue state UP
            link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
            inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\       valid_lft forever
            inet6 fe80::1/64 scope link tentative
        inet eth0 forwarding off rp_filter off
        default via 10.0.0.2 dev eth0 proto static metric 100 mtu lock 1300
        10.1.0.0/16 proto static metric 20
            nexthop via 10.0.0.2 dev eth0 weight 3
            nexthop via 10.0.0.3 dev eth0 weight 1 dead
        unreachable fd00::/8 dev lo metric 4294967295 pref medium
        local 10.0.0.1 dev eth0 table local src 10.0.0.1 scope host
        10.0.0.2 dev eth0 lladdr 02:00:00:00:00:02 REACHABLE
        fe80::2 dev eth0 lladdr 02:00:00:00:00:03 router STALE
        0: from all lookup local
        32766: from all lookup main
        """;

    private const string Sockets = """
        Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port
        tcp   LISTEN 0      128    0.0.0.0:22          0.0.0.0:*     ino:1 sk:1 fwmark:0x7
        tcp   ESTAB  0      0      10.0.0.1:22         10.0.0.9:4711
        tcp   LISTEN 0      128    [::]:80             [::]:*     v6only:1
        udp   UNCONN 0      0      0.0.0.0%eth0:68     0.0.0.0:*
        udp   ESTAB  0      0      [fe80::1]%eth0:546  [fe80::2]:547
        tcp   SYN-RECV 0    0      *:443               *:*
        u_str ESTAB  0      0      * 1                 * 2
        net.ipv4.tcp_syncookies = 2
        """;

    private static readonly string[] s_words =
    [
        "dev",
        "via",
        "src",
        "table",
        "metric",
        "nexthop",
        "encap",
        "mtu",
        "lock",
        "\\",
        "/",
        "::",
        "%",
        "*",
        "[",
        "]:",
        "-1",
        "4294967296",
        "0x",
        "inet6",
        "fwmark:",
        "10.0.0.0/33",
        "\u0000",
        "\ud800",
        "é",
    ];

    [Fact]
    public void BrokenRoutesGiveTablesOrACleanError() =>
        Setting.Hunt(
            600,
            error => error is InputException { InputSource: "fuzz" },
            seed => RouteFile.Read(new StringReader(Mutate(Routes, seed)), "fuzz")
        );

    [Fact]
    public void BrokenSocketsGiveATableOrACleanError()
    {
        var routes = RouteFile.Read(new StringReader(Routes), "routes");
        Setting.Hunt(
            600,
            error => error is InputException { InputSource: "fuzz" },
            seed =>
            {
                var contents = SocketFile.Read(new StringReader(Mutate(Sockets, seed)), "fuzz", routes);
                _ = new SocketTable(contents.Sockets);
            }
        );
    }

    [Fact]
    public void AFileWithoutAnEndOfLineIsNotReadToItsEnd()
    {
        using var endless = new StreamReader(new EndlessStream(), Encoding.ASCII);
        var error = Assert.Throws<InputException>(() => RouteFile.Read(endless, "fuzz"));
        Assert.Contains("line 1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\\")]
    [InlineData(" \\ \t")]
    public void LinesWithoutWordsArePassedOver(string line) =>
        Assert.Single(RouteFile.Read(new StringReader(line), "fuzz").Interfaces);

    [Fact]
    public void AConfigurationThatUnpacksToGigabytesIsRefusedWithoutUnpackingIt()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = new GZipStream(File.Create(path), CompressionLevel.Fastest))
            {
                var block = new byte[1 << 20];
                for (var i = 0; i < 256; i++)
                {
                    file.Write(block);
                }
            }
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<InputException>(() => KernelConfig.Read(path));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void BrokenConfigurationsGiveOptionsOrACleanError()
    {
        var packed = new MemoryStream();
        using (var writer = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            writer.Write("CONFIG_HZ=250\nCONFIG_X=y\nCONFIG_NAME=\"a\"\nCONFIG_SIZE=0x1000\n# CONFIG_Z is not set\n"u8);
        }
        var path = Path.GetTempFileName();
        try
        {
            Setting.Hunt(
                200,
                error => error is InputException,
                seed =>
                {
                    File.WriteAllBytes(path, Mutations.Mutate(packed.ToArray(), seed));
                    KernelConfig.Read(path).Find("CONFIG_HZ");
                }
            );
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Mutate(string text, int seed)
    {
        var random = new Random(seed);
        var lines = text.Split('\n').ToList();
        for (var places = random.Next(1, 5); places > 0; places--)
        {
            var at = random.Next(lines.Count);
            var words = lines[at].Split(' ').ToList();
            var word = random.Next(words.Count);
            switch (random.Next(7))
            {
                case 0:
                    words.RemoveAt(word);
                    break;
                case 1:
                    words[word] = s_words[random.Next(s_words.Length)];
                    break;
                case 2:
                    words.Insert(word, s_words[random.Next(s_words.Length)]);
                    break;
                case 3 when words[word].Length > 0:
                    words[word] = words[word].Remove(random.Next(words[word].Length), 1);
                    break;
                case 4:
                    words[word] = words[word]
                        .Insert(random.Next(words[word].Length + 1), s_words[random.Next(s_words.Length)]);
                    break;
                case 5:
                    words.RemoveRange(word, words.Count - word);
                    break;
                default:
                    lines.Insert(random.Next(lines.Count), lines[at]);
                    break;
            }
            lines[at] = string.Join(' ', words);
        }
        return string.Join('\n', lines);
    }

    private sealed class EndlessStream : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Fill((byte)'x');
            return count;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
