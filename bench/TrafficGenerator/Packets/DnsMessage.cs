using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RxStages.TrafficGenerator.Packets;

/// <summary>DNS messages (RFC 1035).</summary>
public static class DnsMessage
{
    private const ushort RecursionDesired = 0x0100;
    private const ushort ResponseWithRecursion = 0x8180;
    private const ushort PointerToQuestion = 0xc00c;
    private const ushort InternetClass = 1;

    /// <summary>Asks for an address of a name.</summary>
    public static byte[] Query(ushort id, string name, bool isV6) =>
        Header(id, RecursionDesired, answers: 0).UInt8(Question(name, isV6)).ToArray();

    /// <summary>Answers with addresses, all of one version.</summary>
    public static byte[] Answer(ushort id, string name, params ReadOnlySpan<IPAddress> addresses)
    {
        var isV6 = addresses[0].AddressFamily == AddressFamily.InterNetworkV6;
        var message = Header(id, ResponseWithRecursion, addresses.Length).UInt8(Question(name, isV6));
        foreach (var address in addresses)
        {
            message
                .UInt16(PointerToQuestion)
                .UInt16(RecordType(isV6))
                .UInt16(InternetClass)
                .UInt32(300)
                .UInt16(isV6 ? 16 : 4)
                .Address(address);
        }
        return message.ToArray();
    }

    private static NetworkBytes Header(ushort id, ushort flags, int answers) =>
        new NetworkBytes().UInt16(id).UInt16(flags).UInt16(1).UInt16(answers).UInt32(0);

    private static byte[] Question(string name, bool isV6)
    {
        var question = new NetworkBytes();
        foreach (var label in name.Split('.'))
        {
            question.UInt8((byte)label.Length).UInt8(Encoding.ASCII.GetBytes(label));
        }
        return question.UInt8(0).UInt16(RecordType(isV6)).UInt16(InternetClass).ToArray();
    }

    private static int RecordType(bool isV6) => isV6 ? 28 : 1;
}
