using System.Globalization;
using RxStages.Bpf.Network;
using RxStages.Bpf.Programs;
using RxStages.KernelOracle.Tests.Helpers;

namespace RxStages.KernelOracle.Tests.Network;

/// <summary>
/// SYN cookies made and checked without a listener. The cookies differ, as the secrets do; the segment sizes, what is
/// accepted and the errors do not.
/// </summary>
public class SynCookieTests
{
    private const int Ip = 0;
    private const int Tcp = 64;

    private static readonly string[] s_options =
    [
        "",
        "020405b4",
        "02040218",
        "02040217",
        "02040514",
        "020405a0",
        "0204ffff",
        "02040000",
        "020404c4",
        "0204058c",
        "020422ec",
        "01010204" + "05b40101",
        "00000000" + "020405b4",
        "020305b4",
        "0204",
        "08000204" + "05b40000",
        "08ff0204" + "05b40000",
        "0101080a" + "0000000000000000" + "020405b4" + "04020100",
        "020405b4" + "02040218",
    ];

    public static TheoryData<int> Versions => [4, 6];

    [Theory]
    [MemberData(nameof(Versions))]
    public void CookiesAreMadeAndCheckedAsInTheKernel(int version)
    {
        Kernel.Require();
        var differences = new List<string>();
        foreach (var @case in Cases(version))
        {
            var kernel = CallResult.InKernel(@case);
            foreach (var engine in Enum.GetValues<ExecutionEngine>())
            {
                if (
                    CallResult.InEngine(@case, engine, new NetworkEnvironment(seed: 1)).DifferenceTo(kernel) is { } text
                )
                {
                    differences.Add($"{@case.Name}, {engine}: {text}");
                }
            }
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static IEnumerable<CallCase> Cases(int version)
    {
        foreach (var options in s_options)
        {
            var length = 20 + ((options.Length / 2) + 3) / 4 * 4;
            foreach (var given in options == s_options[0] ? new[] { length, length + 4, 19, 0 } : [length])
            {
                var memory = new byte[CallCase.MemorySize];
                for (var i = 0; i < Tcp; i++)
                {
                    memory[Ip + i] = (byte)(i * 37);
                }
                for (var i = 0; i < 20; i++)
                {
                    memory[Tcp + i] = (byte)(i * 41);
                }
                memory[Tcp + 12] = (byte)(length / 4 << 4);
                Convert.FromHexString(options).CopyTo(memory, Tcp + 20);
                yield return new CallCase($"IPv{version}, options {options}, {given} bytes given", Text(version, given))
                {
                    Memory = memory,
                };
            }
        }
    }

    // Records the segment size or the error; then the answers to checks of the cookie, to its like, and clears it.
    private static string Text(int version, int size)
    {
        var (make, check) = version == 4 ? (204, 206) : (205, 207);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            r1 = r7
            r2 = r7
            r2 += {Tcp}
            r3 = {size}
            call {make}
            r9 = r0
            r0 >>= 32
            record
            w9 += 1
            r9 = be32 r9
            *(u32 *)(r7 + {Tcp + 8}) = r9
            r1 = *(u32 *)(r7 + {Tcp + 4})
            r1 = be32 r1
            w1 += 1
            r1 = be32 r1
            *(u32 *)(r7 + {Tcp + 4}) = r1
            {Check(check)}
            r1 = *(u32 *)(r7 + {Tcp + 4})
            r1 ^= 4096
            *(u32 *)(r7 + {Tcp + 4}) = r1
            {Check(check)}
            r1 = 0
            *(u32 *)(r7 + {Tcp + 8}) = r1
            {Check(check)}
            """
        );
    }

    private static string Check(int helper) =>
        $"""
            r1 = r7
            r2 = r7
            r2 += {Tcp}
            call {helper}
            record
            """;
}
