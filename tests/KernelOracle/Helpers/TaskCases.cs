namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Helpers about the current task, where their answers do not depend on which it is.</summary>
internal static class TaskCases
{
    /// <summary>All of them.</summary>
    public static IEnumerable<CallCase> All =>
        [
            .. new[] { 1, 4, 8, 16 }.Select(size => new CallCase(
                $"numbers in a namespace that is none, {size} bytes",
                $"""
                r1 = 0
                r2 = 0
                r3 = r7
                r4 = {size}
                call 120
                record
                """
            )
            {
                Memory = [.. Enumerable.Repeat((byte)0xa5, 32)],
            }),
            .. new[] { -1, 100 }.Select(level => new CallCase(
                $"the cgroup at level {level}",
                $"""
                r1 = {level}
                call 123
                record
                """
            )),
            .. from size in new[] { 0, 24, 240 }
            from flags in new[] { 0, 1 }
            select new CallCase(
                $"branches, {size} bytes, flags {flags}",
                $"""
                r1 = r7
                r2 = {size}
                r3 = {flags}
                call 176
                record
                """
            ),
        ];
}
