namespace RxStages.TestKit;

/// <summary>What the tables of instruction cases are written with.</summary>
internal static class CaseParts
{
    public const ulong Min64 = 0x8000000000000000;
    public const ulong Max64 = 0x7fffffffffffffff;
    public const ulong Min32 = 0x80000000;
    public const ulong MinusOne = ulong.MaxValue;

    public static ulong Negative(ulong value) => unchecked(0 - value);

    public static byte[] Hex(string text) => Convert.FromHexString(text);

    public static InstructionCase Case(string name, string text, ulong result, byte[]? memory = null) =>
        new(name, text, memory ?? [], result);

    public static InstructionCase Fault(string name, string text, byte[] memory) => new(name, text, memory, null);
}
