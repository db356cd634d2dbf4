namespace RxStages.Bpf.Verification;

/// <summary>
/// Makes the rounds of a loop alike whose end does not depend on the program's numbers (callbacks, iterators,
/// <c>may_goto</c>): numbers that differ from the round before, and on which nothing has relied so far, are forgotten. If
/// something relies on them after all, what it relies on cannot be proved.
/// </summary>
internal static class Widening
{
    /// <summary>Forgets in a state what differs from the state of the round before (<c>widen_imprecise_scalars</c>).</summary>
    public static void Widen(VerifierState previous, VerifierState state)
    {
        var ids = new Dictionary<uint, uint>();
        for (var index = previous.Depth; index >= 0; index--)
        {
            var (before, now) = (previous.Frame(index), state.Frame(index));
            for (var register = 0; register < FunctionFrame.RegisterCount; register++)
            {
                Widen(before.Registers[register], ref now.Registers[register], ids);
            }
            var count = Math.Min(before.SlotCount, now.SlotCount);
            for (var slot = 0; slot < count; slot++)
            {
                if (before.Stack[slot].IsSpill && now.Stack[slot].IsSpill)
                {
                    Widen(before.Stack[slot].Spilled, ref now.Stack[slot].Spilled, ids);
                }
            }
        }
    }

    private static void Widen(in RegisterState before, ref RegisterState now, Dictionary<uint, uint> ids)
    {
        if (before.IsScalar && now.IsScalar && !before.IsPrecise && !AreEqual(before, now, ids))
        {
            now = RegisterState.Unknown;
        }
    }

    private static bool AreEqual(in RegisterState before, in RegisterState now, Dictionary<uint, uint> ids)
    {
        if (!before.Bounds.Equals(now.Bounds) || before.Offset != now.Offset)
        {
            return false;
        }
        if (before.Id == 0 || now.Id == 0)
        {
            return before.Id == now.Id;
        }
        if (!ids.TryGetValue(before.Id, out var known))
        {
            ids.Add(before.Id, known = now.Id);
        }
        return known == now.Id;
    }
}
