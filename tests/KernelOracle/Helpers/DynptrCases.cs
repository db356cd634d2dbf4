using System.Globalization;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Dynptrs to memory and to packets, at their ends and where they are not in one piece.</summary>
internal static class DynptrCases
{
    // Where dynptrs are on the stack, and a buffer for slices.
    private const int First = -16;
    private const int Second = -32;
    private const int Buffer = -64;

    private static readonly int[] s_lengths = [14, 64, 3520, 3600, 9000, 3520 + (17 * 4096)];

    /// <summary>Dynptrs to memory: the helpers alone.</summary>
    public static IEnumerable<CallCase> OfMemory =>
        [
            .. new[] { 0, 1, 100, 512 }.Select(size => new CallCase(
                $"a dynptr to {size} bytes of memory",
                string.Join(
                    '\n',
                    (string[])
                        [
                            FromMemory(First, size, flags: 0),
                            .. Ranges(size).SelectMany(range => ReadAndWrite(First, range.Offset, range.Size)),
                            Call(
                                Pointer(1, First),
                                "r2 = 3",
                                "r3 = 8",
                                "call 203",
                                "if r0 == 0 goto +2",
                                "w1 = 77",
                                "*(u8 *)(r0 + 7) = w1",
                                "r0 = 5"
                            ),
                            Call(
                                Pointer(1, First),
                                $"r2 = {size}",
                                "r3 = 1",
                                "call 203",
                                "if r0 == 0 goto +1",
                                "r0 = 1"
                            ),
                        ]
                )
            )
            {
                Memory = Pattern(512),
            }),
            new(
                "a dynptr with flags",
                string.Join(
                    '\n',
                    (string[])
                        [FromMemory(First, 64, flags: 1), .. ReadAndWrite(First, 0, 8), .. ReadAndWrite(First, 0, 0)]
                )
            ),
        ];

    /// <summary>Dynptrs to packets.</summary>
    public static IEnumerable<CallCase> OfPackets =>
        from length in s_lengths
        select new CallCase(
            $"a dynptr to a packet of {length} bytes",
            string.Join(
                '\n',
                (string[])
                    [
                        FromPacket(First, flags: 0),
                        .. Ranges(length).SelectMany(range => ReadAndWrite(First, range.Offset, range.Size)),
                        .. Questions(First),
                        Call(Pointer(1, First), "r2 = 0", "r3 = 8", "call 203", "if r0 == 0 goto +1", "r0 = 1"),
                        FromPacket(Second, flags: 1),
                        .. Questions(Second),
                    ]
            )
        )
        {
            PacketLength = length,
            IsFrags = true,
            Memory = Pattern(512),
        };

    /// <summary>Slices: of the packet where it is in one piece, of a buffer where it is not.</summary>
    public static IEnumerable<CallCase> Slices =>
        from length in s_lengths
        from isWritten in new[] { false, true }
        select new CallCase(
            $"{(isWritten ? "written" : "read")} slices of a packet of {length} bytes",
            string.Join(
                '\n',
                (string[])
                    [
                        FromPacket(First, flags: 0),
                        .. Ranges(length)
                            .Select(range => range.Offset)
                            .SelectMany(offset =>
                                new[] { true, false }.Select(hasBuffer => Slice(offset, hasBuffer, isWritten))
                            ),
                    ]
            )
        )
        {
            PacketLength = length,
            IsFrags = true,
            Memory = Pattern(512),
        };

    /// <summary>Dynptrs narrowed, cloned, copied and filled.</summary>
    public static IEnumerable<CallCase> Changes =>
        from length in s_lengths
        select new CallCase(
            $"dynptrs changed, packet of {length} bytes",
            string.Join(
                '\n',
                (string[])
                    [
                        FromPacket(First, flags: 0),
                        Call(Pointer(1, First), Pointer(2, Second), "kfunc bpf_dynptr_clone"),
                        Adjust(Second, 4, 3),
                        Adjust(Second, 2, length - 1),
                        Adjust(Second, 0, length),
                        Adjust(Second, length, length),
                        .. Questions(Second),
                        .. ReadAndWrite(Second, 1, 8),
                        .. ReadAndWrite(Second, length - 10, 8),
                        FromMemory(-48, 400, flags: 0),
                        .. new[]
                        {
                            (0, 0, 10),
                            (5, 3, 8),
                            (390, 0, 10),
                            (391, 0, 10),
                            (0, length - 8, 8),
                            (0, length - 7, 8),
                            (0, 3500, 300),
                        }.SelectMany(copy =>
                            new[]
                            {
                                Copy(-48, copy.Item1, First, copy.Item2, copy.Item3),
                                Copy(First, copy.Item2, -48, copy.Item1, copy.Item3),
                            }
                        ),
                        Copy(First, 10, First, 3400, 600),
                        Copy(First, 3400, First, 7500, 600),
                        Fill(First, 3, 7, 0x1ff),
                        Fill(First, 3400, 5000, 1),
                        Fill(First, length - 1, 1, 2),
                        Fill(First, length - 1, 2, 2),
                        Fill(First, length, 0, 2),
                        Fill(-48, 10, 20, 3),
                        Adjust(Second, 0, 0),
                        .. Questions(Second),
                    ]
            )
        )
        {
            PacketLength = length,
            IsFrags = true,
            Memory = Pattern(512),
        };

    private static IEnumerable<(long Offset, int Size)> Ranges(int length) =>
        [
            (0, 0),
            (0, 16),
            (length - 16, 16),
            (length - 15, 16),
            (length, 0),
            (length, 1),
            (3510, 16),
            (7610, 16),
            (-1, 1),
            (0xffff, 16),
        ];

    private static IEnumerable<string> ReadAndWrite(int dynptr, long offset, int size) =>
        [
            Call("r1 = r7", $"r2 = {size}", Pointer(3, dynptr), $"r4 = {offset} ll", "r5 = 0", "call 201"),
            Call(Pointer(1, dynptr), $"r2 = {offset} ll", "r3 = r7", "r3 += 100", $"r4 = {size}", "r5 = 0", "call 202"),
        ];

    // Of a truth value only the lowest byte is told.
    private static string[] Questions(int dynptr) =>
        [
            Call(Pointer(1, dynptr), "kfunc bpf_dynptr_size"),
            Call(Pointer(1, dynptr), "kfunc bpf_dynptr_is_null", "r0 &= 255"),
            Call(Pointer(1, dynptr), "kfunc bpf_dynptr_is_rdonly", "r0 &= 255"),
            Call("r1 = r7", "r2 = 4", Pointer(3, dynptr), "r4 = 0", "r5 = 1", "call 201"),
        ];

    private static string Slice(long offset, bool hasBuffer, bool isWritten) =>
        Call(
            $"*(u64 *)(r10 {Buffer}) = 0\n*(u64 *)(r10 {Buffer + 8}) = 0".Replace("-", "- ", StringComparison.Ordinal),
            Pointer(1, First),
            $"r2 = {offset} ll",
            hasBuffer ? Pointer(3, Buffer) : "r3 = 0",
            "r4 = 16",
            $"kfunc bpf_dynptr_slice{(isWritten ? "_rdwr" : "")}",
            isWritten
                ? "if r0 == 0 goto +3\nw1 = 66\n*(u8 *)(r0 + 1) = w1\nr0 = 1"
                : "if r0 == 0 goto +1\nr0 = *(u64 *)(r0 + 3)"
        );

    private static string Adjust(int dynptr, long start, long end) =>
        CallOfInt(Pointer(1, dynptr), $"r2 = {start}", $"r3 = {end}", "kfunc bpf_dynptr_adjust");

    private static string Copy(int target, int targetOffset, int source, int sourceOffset, int size) =>
        CallOfInt(
            Pointer(1, target),
            $"r2 = {targetOffset}",
            Pointer(3, source),
            $"r4 = {sourceOffset}",
            $"r5 = {size}",
            "kfunc bpf_dynptr_copy"
        );

    private static string Fill(int dynptr, int offset, int size, int value) =>
        CallOfInt(Pointer(1, dynptr), $"r2 = {offset}", $"r3 = {size}", $"r4 = {value}", "kfunc bpf_dynptr_memset");

    private static string FromMemory(int dynptr, int size, int flags) =>
        Call("r1 = r7", $"r2 = {size}", $"r3 = {flags}", Pointer(4, dynptr), "call 197");

    private static string FromPacket(int dynptr, int flags) =>
        Call("r1 = r6", $"r2 = {flags}", Pointer(3, dynptr), "kfunc bpf_dynptr_from_xdp");

    private static string Pointer(int register, int offset) => $"r{register} = r10\nr{register} += {offset}";

    private static string Call(params string[] lines) =>
        string.Create(CultureInfo.InvariantCulture, $"{string.Join('\n', lines)}\nrecord");

    // Of an int only the lower half is told.
    private static string CallOfInt(params string[] lines) => Call([.. lines, "w0 = w0"]);

    private static byte[] Pattern(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(0xff - i))];
}
