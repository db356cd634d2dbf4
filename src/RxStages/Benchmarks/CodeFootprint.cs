using System.Reflection.Emit;

namespace RxStages.Benchmarks;

/// <summary>
/// A given amount of machine code that is run through from beginning to end, so that it takes the place of other code in the
/// instruction cache as a network stack does. Methods without a branch, generated with a fixed seed, each different: two
/// chains of arithmetic over packet words, the second of which depends on the first.
/// </summary>
internal sealed unsafe class CodeFootprint
{
    /// <summary>Bytes of packet that the code reads.</summary>
    public const int PacketBytes = 64;

    /// <summary>The generated methods' name.</summary>
    public const string MethodName = "Footprint";

    /// <summary>Machine code in one method: far below the sizes at which the compiler stops to optimise.</summary>
    private const int MethodSize = 4096;

    private readonly GeneratedMethod[] _steps;

    private delegate ulong GeneratedMethod(byte* packet, ulong state);

    /// <summary>Generates code.</summary>
    /// <param name="size">Bytes of machine code, within a fifth: 0 to 16 MiB.</param>
    public CodeFootprint(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, 16 << 20);
        var random = new Random(20160810);
        _steps = new GeneratedMethod[(size + MethodSize - 1) / MethodSize];
        for (var i = 0; i < _steps.Length; i++)
        {
            _steps[i] = Generate(random, Math.Min(MethodSize, size - (i * MethodSize)));
        }
        // Methods are compiled when they are first called: now, not within what is measured.
        var packet = stackalloc byte[PacketBytes];
        Run(packet, 0);
    }

    /// <summary>Runs all of the code over a packet's first bytes.</summary>
    /// <param name="packet">At least <see cref="PacketBytes"/> bytes.</param>
    /// <param name="state">Anything.</param>
    /// <returns>A number that depends on both.</returns>
    public ulong Run(byte* packet, ulong state)
    {
        foreach (var step in _steps)
        {
            state = step(packet, state);
        }
        return state;
    }

    private static GeneratedMethod Generate(Random random, int size)
    {
        var method = new DynamicMethod(
            MethodName,
            typeof(ulong),
            [typeof(byte*), typeof(ulong)],
            typeof(CodeFootprint)
        );
        var il = method.GetILGenerator(size * 2);
        var first = il.DeclareLocal(typeof(ulong));
        var second = il.DeclareLocal(typeof(ulong));
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Stloc, first);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Stloc, second);
        for (var emitted = 0; emitted < size; )
        {
            var chain = random.Next(2) == 0 ? first : second;
            il.Emit(OpCodes.Ldloc, chain);
            emitted += random.Next(8) switch
            {
                0 => AddWord(il, random.Next(PacketBytes - sizeof(ulong))),
                1 => Mix(il, first),
                2 => Multiply(il, random.Next() | 1),
                _ => XorAndAdd(il, random.NextInt64(), random.NextInt64()),
            };
            il.Emit(OpCodes.Stloc, chain);
        }
        il.Emit(OpCodes.Ldloc, first);
        il.Emit(OpCodes.Ldloc, second);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<GeneratedMethod>();
    }

    // Each emits an operation on the value on the stack, and returns the bytes of machine code that x64 has for it.

    /// <summary>Two operations in turn, so that the compiler does not fold one constant with the next.</summary>
    private static int XorAndAdd(ILGenerator il, long first, long second)
    {
        il.Emit(OpCodes.Ldc_I8, first);
        il.Emit(OpCodes.Xor);
        il.Emit(OpCodes.Ldc_I8, second);
        il.Emit(OpCodes.Add);
        return 26;
    }

    private static int AddWord(ILGenerator il, int offset)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4, offset);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(OpCodes.Ldind_I8);
        il.Emit(OpCodes.Add);
        return 4;
    }

    private static int Multiply(ILGenerator il, int factor)
    {
        il.Emit(OpCodes.Ldc_I8, (long)factor);
        il.Emit(OpCodes.Mul);
        return 7;
    }

    private static int Mix(ILGenerator il, LocalBuilder other)
    {
        il.Emit(OpCodes.Ldloc, other);
        il.Emit(OpCodes.Ldc_I4, 17);
        il.Emit(OpCodes.Shr_Un);
        il.Emit(OpCodes.Xor);
        return 10;
    }
}
