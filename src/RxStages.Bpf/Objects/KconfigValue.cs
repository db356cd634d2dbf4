using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace RxStages.Bpf.Objects;

/// <summary>
/// The value of a <c>__kconfig</c> extern, by its type: <c>bool</c>, <c>enum libbpf_tristate</c>, a character, an
/// integer, or an array of characters. The rules are libbpf's.
/// </summary>
internal static class KconfigValue
{
    private const string VersionName = "LINUX_KERNEL_VERSION";
    private const uint BpfCookieSince = (5 << 16) | (15 << 8);
    private const uint SyscallWrapperSince = (4 << 16) | (17 << 8);

    private enum Form
    {
        Unknown,
        Boolean,
        Tristate,
        Character,
        Integer,
        Text,
    }

    /// <summary>Writes an option's value; zeros where a weak one is not set.</summary>
    /// <returns>Null, or why there is no value.</returns>
    public static string? Write(Btf btf, Extern option, TargetKernel kernel, Span<byte> target)
    {
        var type = btf[btf.SkipModifiers(btf[option.BtfType].Target)];
        var form = FormOf(btf, type);
        if (form == Form.Unknown)
        {
            return $"'{option.Name}' is of a type that no kernel option has";
        }
        if (ValueOf(option.Name, kernel) is not { } value)
        {
            return option.IsWeak ? null
                : option.Name.StartsWith("CONFIG_", StringComparison.Ordinal)
                    ? $"'{option.Name}' is not set in the kernel's configuration"
                        + (kernel.Config is null ? ", which is not known: give it as a file" : "")
                : $"'{option.Name}' is no fact of the kernel that is known";
        }
        var isWritten = value switch
        {
            "y" or "n" or "m" => WriteTristate(form, value[0], target),
            ['"', .., '"'] => WriteText(form, value.AsSpan(1, value.Length - 2), target),
            _ => TryParse(value, out var number) && WriteNumber(form, type, number, target),
        };
        return isWritten ? null : $"'{option.Name}' is {value}, which its type cannot hold";
    }

    private static string? ValueOf(string name, TargetKernel kernel) =>
        name switch
        {
            VersionName => kernel.Version.ToString(CultureInfo.InvariantCulture),
            "LINUX_HAS_BPF_COOKIE" => kernel.Version >= BpfCookieSince ? "1" : "0",
            "LINUX_HAS_SYSCALL_WRAPPER" => kernel.Version >= SyscallWrapperSince ? "1" : "0",
            _ => name.StartsWith("CONFIG_", StringComparison.Ordinal) ? kernel.Config?.Find(name) : null,
        };

    private static Form FormOf(Btf btf, BtfType type) =>
        type.Kind switch
        {
            BtfKind.Integer when type.Encoding.HasFlag(BtfEncoding.Boolean) => type.Size == 1
                ? Form.Boolean
                : Form.Unknown,
            BtfKind.Integer when type.Size == 1 => Form.Character,
            BtfKind.Integer when type.Size is 2 or 4 or 8 => Form.Integer,
            BtfKind.Enumeration or BtfKind.Enumeration64 when type.Size == 4 && type.Name == "libbpf_tristate" =>
                Form.Tristate,
            BtfKind.Array when type.ElementCount > 0 && IsCharacter(btf, type.ElementType) => Form.Text,
            _ => Form.Unknown,
        };

    private static bool IsCharacter(Btf btf, int id) =>
        btf[btf.SkipModifiers(id)] is { Kind: BtfKind.Integer, Size: 1 } type
        && !type.Encoding.HasFlag(BtfEncoding.Boolean);

    private static bool WriteTristate(Form form, char value, Span<byte> target)
    {
        switch (form)
        {
            case Form.Boolean when value != 'm':
                target[0] = value == 'y' ? (byte)1 : (byte)0;
                return true;
            case Form.Tristate:
                BinaryPrimitives.WriteInt32LittleEndian(
                    target,
                    value switch
                    {
                        'y' => 1,
                        'm' => 2,
                        _ => 0,
                    }
                );
                return true;
            case Form.Character:
                target[0] = (byte)value;
                return true;
            default:
                return false;
        }
    }

    private static bool WriteText(Form form, ReadOnlySpan<char> value, Span<byte> target)
    {
        if (form != Form.Text)
        {
            return false;
        }
        // What is too long is cut, and always ends in a zero.
        var text = Encoding.UTF8.GetBytes(value.ToString());
        text.AsSpan(0, Math.Min(text.Length, target.Length - 1)).CopyTo(target);
        return true;
    }

    private static bool WriteNumber(Form form, BtfType type, ulong value, Span<byte> target)
    {
        if (form is not (Form.Integer or Form.Character or Form.Boolean))
        {
            return false;
        }
        var bits = target.Length * 8;
        var fits =
            form == Form.Boolean ? value <= 1
            : bits == 64 ? true
            : !type.Encoding.HasFlag(BtfEncoding.Signed) ? value >> bits == 0
            : (long)value >= -(1L << (bits - 1)) && (long)value < 1L << (bits - 1);
        if (fits)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            bytes[..target.Length].CopyTo(target);
        }
        return fits;
    }

    private static bool TryParse(string text, out ulong value)
    {
        var isNegative = text.StartsWith('-');
        var digits = text.AsSpan(isNegative ? 1 : 0);
        var parsed = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(digits[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out value)
            : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        value = isNegative ? unchecked(0 - value) : value;
        return parsed;
    }
}
