using System.Globalization;
using System.Text;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Helpers about text: reading numbers, comparing, copying strings, printing.</summary>
internal static class TextCases
{
    private static readonly string[] s_numbers =
    [
        "0",
        "42",
        "-42",
        "--1",
        "-",
        "+5",
        " \t\n\v\f\r 7x",
        "\u00a09",
        "0x1F",
        "0X1fG",
        "0x",
        "0xg",
        "-0x10",
        "077",
        "08",
        "09a",
        "abc",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "0xffffffffffffffff",
        "0x10000000000000000",
        "01777777777777777777777",
        "000000000000000000000000000000000000000000000000000000000000000000000001",
        "                                                                      1",
        "\0",
        "1\05",
    ];

    private static readonly (string Format, ulong[] Values)[] s_formats =
    [
        ("", []),
        ("plain", []),
        ("%d %u %x %X %i", [~0ul, ~0ul, 0xabcdef, 0xABCDEF, 1]),
        ("%ld %lld %lu %llx", [~0ul, 1ul << 63, ~0ul, 1ul << 40]),
        ("%5d|%-5d|%05d|%+d|% d", [42, 42, 42, 42, 42]),
        ("%c%3c|%%", [65, 66]),
        ("%px %p", [0x1234, 0]),
        ("%d", []),
        ("%d", [1, 2]),
        ("%q", [1]),
        ("%s", [0]),
        ("%s", [1]),
        ("%pI4 %pi4", [0, 0]),
        ("%pI6", [0]),
        ("%100d", [1]),
        ("%d%d%d%d%d%d%d%d%d%d%d%d", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        ("%.3d", [1]),
        ("%hd", [1]),
        ("%lc", [65]),
        ("tab\tbell\a", []),
    ];

    /// <summary>strtol and strtoul.</summary>
    public static IEnumerable<CallCase> Numbers =>
        from number in s_numbers
        from helper in new[] { 105, 106 }
        select new CallCase(
            $"{(helper == 105 ? "strtol" : "strtoul")} of '{number}'",
            string.Join(
                '\n',
                new[] { (0, 1), (8, 0), (10, 2), (16, 1), (2, 0), (32, 1), (-1, 1), (0, 0) }.Select(
                    (how, i) =>
                        Calls(
                            "r1 = r7",
                            $"r2 = {Math.Max(number.Length - how.Item2, 1)}",
                            $"r3 = {how.Item1}",
                            "r4 = r7",
                            $"r4 += {256 + (8 * i)}",
                            $"call {helper}"
                        )
                )
            )
        )
        {
            Memory = [.. Encoding.Latin1.GetBytes(number), .. new byte[256 - number.Length], .. Filled(256)],
        };

    /// <summary>strncmp.</summary>
    public static IEnumerable<CallCase> Comparisons =>
        from pair in new[]
        {
            ("abc", "abc"),
            ("abd", "abc"),
            ("abb", "abc"),
            ("ab", "abc"),
            ("abcd", "abc"),
            ("", ""),
            ("\u00ff", "a"),
        }
        select new CallCase(
            $"strncmp of '{pair.Item1}' and '{pair.Item2}'",
            string.Join(
                '\n',
                new[] { 1, 2, 3, 4, 100 }.Select(size =>
                    Calls("r1 = r7", $"r2 = {size}", $"r3 = map_value[{CallCase.ConstantMap}] ll", "call 182")
                )
            )
        )
        {
            Memory = Encoding.Latin1.GetBytes(pair.Item1),
            Constant = Encoding.Latin1.GetBytes(pair.Item2 + '\0'),
        };

    /// <summary>snprintf. What the verifier refuses at load is no case.</summary>
    public static IEnumerable<CallCase> Printing =>
        from format in s_formats
        where !IsRefused(format.Format, format.Values)
        select new CallCase(
            $"snprintf of '{format.Format}'",
            string.Join(
                '\n',
                new[] { 256, 1, 2, 7, 0 }.Select(
                    (size, i) =>
                        Calls(
                            "r1 = r7",
                            $"r1 += {i * 8}",
                            $"r2 = {size}",
                            $"r3 = map_value[{CallCase.ConstantMap}] ll",
                            "r4 = r7",
                            "r4 += 384",
                            $"r5 = {8 * format.Values.Length}",
                            "call 165"
                        )
                )
            )
        )
        {
            Memory = [.. Filled(384), .. format.Values.SelectMany(BitConverter.GetBytes)],
            Constant = Encoding.Latin1.GetBytes(format.Format + '\0'),
        };

    /// <summary>trace_vprintk and trace_printk: the lengths that they tell.</summary>
    public static IEnumerable<CallCase> Tracing =>
        from format in s_formats
        select new CallCase(
            $"trace_vprintk of '{format.Format}'",
            string.Join(
                '\n',
                new[] { 0, 1, 8, 12 }.Select(extra =>
                    Calls(
                        $"r1 = map_value[{CallCase.ConstantMap}] ll",
                        $"r2 = {format.Format.Length + 1}",
                        "r3 = r7",
                        $"r4 = {Math.Min((8 * format.Values.Length) + extra, 104)}",
                        "r5 = 0",
                        "call 177"
                    )
                )
            )
                + Calls(
                    $"\nr1 = map_value[{CallCase.ConstantMap}] ll",
                    $"r2 = {format.Format.Length + 1}",
                    "r3 = 1",
                    "r4 = -1",
                    "r5 = 0",
                    "call 6"
                )
        )
        {
            Memory = [.. format.Values.SelectMany(BitConverter.GetBytes)],
            Constant = Encoding.Latin1.GetBytes(format.Format + '\0'),
        };

    /// <summary>Strings and numbers on the stack, in maps and in the packet, printed and probed.</summary>
    public static IEnumerable<CallCase> Probing =>
        [
            new(
                "strings of the stack and of maps are printed",
                $"""
                r1 = 0x0064636261
                *(u64 *)(r10 - 8) = r1
                r1 = r10
                r1 += -8
                *(u64 *)(r7 + 384) = r1
                r1 = r7
                r1 += 256
                *(u64 *)(r7 + 392) = r1
                {Calls(
                    "r1 = r7",
                    "r2 = 100",
                    $"r3 = map_value[{CallCase.ConstantMap}] ll",
                    "r4 = r7",
                    "r4 += 384",
                    "r5 = 16",
                    "call 165"
                )}
                *(u64 *)(r7 + 384) = 0
                *(u64 *)(r7 + 392) = 0
                """
            )
            {
                Memory = [.. new byte[256], .. Encoding.ASCII.GetBytes("of a map")],
                Constant = Encoding.ASCII.GetBytes("%s %5s|\0"),
            },
            .. new[] { 112, 113, 114, 115 }.Select(helper => new CallCase(
                $"probe_read, helper {helper}, of what cannot be read",
                string.Join(
                    '\n',
                    new[] { 0, 1, -1, 1L << 47, (1L << 47) - 4096, long.MinValue, -4096, 0x7fff_0000_0000 }.SelectMany(
                        address => new[] { 0, 1, 16 }.Select(size => Probe(helper, size, $"r3 = {address} ll"))
                    )
                )
            )
            {
                Memory = Filled(CallCase.MemorySize),
            }),
            .. new[] { 113, 115 }.Select(helper => new CallCase(
                $"probe_read, helper {helper}, of what can be read",
                string.Join(
                    '\n',
                    (
                        (string[])
                            ["r3 = r7\nr3 += 256", "r3 = r10\nr3 += -16", "r3 = *(u32 *)(r6 + 0)", "r3 = r7\nr3 += 264"]
                    )
                        .SelectMany(from =>
                            new[] { 0, 1, 2, 5, 6, 16, 100 }
                                .Where(size => size <= 16 || !from.Contains("r10", StringComparison.Ordinal))
                                .Select(size => Probe(helper, size, from))
                        )
                        .Prepend("r1 = 0x6c6c6548 ll\n*(u64 *)(r10 - 16) = r1\n*(u64 *)(r10 - 8) = r1")
                )
            )
            {
                PacketLength = 200,
                Memory = [.. Filled(256), .. Encoding.ASCII.GetBytes("0123456789\0abc\0"), .. Filled(200)],
            }),
        ];

    /// <summary>Kfuncs on strings, those that can be read and others.</summary>
    public static IEnumerable<CallCase> Strings =>
        from pair in new (string First, string Second)[]
        {
            ("", ""),
            ("abc", "abc"),
            ("abc", "ABD"),
            ("Hello, world", "o, w"),
            ("aabbcc", "ba"),
            ("aabbcc", "c"),
            ("\u00e9\u00c9", "\u00c9"),
            ("@[`{", "`{@["),
        }
        from kfuncs in new[] { s_pairs, s_letters }
        select new CallCase(
            $"strings '{pair.First}' and '{pair.Second}', {(kfuncs == s_pairs ? "together" : "by letters")}",
            string.Join('\n', kfuncs.SelectMany(kfunc => s_places.Select(place => kfunc(place))))
        )
        {
            Memory =
            [
                .. Encoding.Latin1.GetBytes(pair.First + '\0'),
                .. new byte[64 - pair.First.Length - 1],
                .. Encoding.Latin1.GetBytes(pair.Second + '\0'),
            ],
        };

    // How r1 gets the first string, or an address where none is.
    private static readonly string[] s_places = ["r1 = r7", "r1 = 0", "r1 = -4096"];

    private static readonly Func<string, string>[] s_pairs =
    [
        .. new[] { "strcmp", "strcasecmp", "strspn", "strcspn", "strstr" }.Select(name =>
            (Func<string, string>)(place => Calls(place, "r2 = r7", "r2 += 64", $"kfunc bpf_{name}"))
        ),
        .. new[] { "strcmp", "strspn", "strstr" }.Select(name =>
            (Func<string, string>)(
                place => Calls("r2 = r7", "r2 += 64", place, $"r3 = r1\nr1 = r2\nr2 = r3\nkfunc bpf_{name}")
            )
        ),
        .. new[] { 0, 1, 4, 9, 100 }.Select(size =>
            (Func<string, string>)(place => Calls(place, "r2 = r7", "r2 += 64", $"r3 = {size}", "kfunc bpf_strnstr"))
        ),
    ];

    private static readonly Func<string, string>[] s_letters =
    [
        place => Calls(place, "kfunc bpf_strlen"),
        .. new[] { 0, 2, 3, 4, -1 }.Select(size =>
            (Func<string, string>)(place => Calls(place, $"r2 = {size}", "kfunc bpf_strnlen"))
        ),
        .. new[] { "strchr", "strchrnul", "strrchr" }.SelectMany(name =>
            new[] { 'l', '\0', 'z' }.Select(letter =>
                (Func<string, string>)(place => Calls(place, $"r2 = {(int)letter}", $"kfunc bpf_{name}"))
            )
        ),
        .. new[] { 0, 2, 3, 100 }.Select(size =>
            (Func<string, string>)(place => Calls(place, $"r2 = {size}", "r3 = 108", "kfunc bpf_strnchr"))
        ),
    ];

    private static string Probe(int helper, int size, string from) =>
        Calls("r1 = r7", $"r2 = {size}", from, $"call {helper}");

    // The verifier's own check of a format and the number of its values.
    private static bool IsRefused(string format, ulong[] values) =>
        format is "%q" or "%.3d" or "%hd" or "%lc" or "tab\tbell\a"
        || format.Replace("%%", "", StringComparison.Ordinal).Count(letter => letter == '%') > values.Length;

    private static string Calls(params string[] lines) =>
        string.Create(CultureInfo.InvariantCulture, $"{string.Join('\n', lines)}\nrecord");

    private static byte[] Filled(int count) => [.. Enumerable.Repeat((byte)0xa5, count)];
}
