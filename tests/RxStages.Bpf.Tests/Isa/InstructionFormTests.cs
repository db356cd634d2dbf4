using RxStages.Bpf.Isa;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Isa;

/// <summary>
/// The table of instruction cases has every form of every instruction that there is: each opcode, and where an opcode
/// stands for several instructions, each value of the field that tells them apart.
/// </summary>
public class InstructionFormTests
{
    [Fact]
    public void TheTableHasACaseOfEveryForm()
    {
        var covered = InstructionCases
            .All.Where(@case => @case.Result is not null)
            .SelectMany(@case => Forms(Assembler.Assemble(@case.Text).AsSpan()))
            .ToHashSet();
        var missing = ValidForms()
            .Where(form => !covered.Contains(form) && !CallsHelper(form))
            .Select(Describe)
            .ToList();
        Assert.True(missing.Count == 0, string.Join('\n', missing));
    }

    /// <summary>True for what the table cannot have: which helpers there are is up to who runs it.</summary>
    private static bool CallsHelper(Instruction form) => form.IsHelperCall || form.Opcode == Opcode.CallRegister;

    /// <summary>Every form that is valid.</summary>
    private static IEnumerable<Instruction> ValidForms() =>
        from opcode in Enumerable.Range(0, 256)
        from source in Enumerable.Range(0, 7)
        from offset in new[] { 0, 1, 8, 16, 32 }
        from immediate in Enumerable.Range(0, (int)AtomicOperation.StoreRelease + 1)
        let form = new Instruction(opcode, 0, source, offset, immediate)
        where form == Form(form) && IsValid(form)
        select form;

    private static bool IsValid(Instruction form)
    {
        var exit = new Instruction(Opcode.Exit, 0, 0, 0, 0);
        Instruction[] program = form.IsWide ? [form, default, exit, exit] : [form, exit, exit];
        return InstructionValidator.Validate(program, mapCount: 0, rules: InstructionRules.Rfc9669) is null;
    }

    private static List<Instruction> Forms(ReadOnlySpan<Instruction> program)
    {
        var forms = new List<Instruction>();
        for (var slot = 0; slot < program.Length; slot += program[slot].IsWide ? 2 : 1)
        {
            forms.Add(Form(program[slot]));
        }
        return forms;
    }

    /// <summary>The instruction with only those fields that say which instruction it is.</summary>
    private static Instruction Form(Instruction instruction)
    {
        var isAtomic = instruction is { Class: InstructionClass.Stx, MemoryMode: MemoryMode.Atomic };
        var isSwap = instruction is { IsAlu: true, AluOperation: AluOperation.End };
        var hasSource = instruction.IsWide || instruction.Opcode == Opcode.Call;
        var hasOffset =
            instruction.IsAlu && instruction.AluOperation is AluOperation.Div or AluOperation.Mod or AluOperation.Mov;
        return new Instruction(
            instruction.Opcode,
            0,
            hasSource ? instruction.Source : 0,
            hasOffset ? instruction.Offset : 0,
            isAtomic || isSwap ? instruction.Immediate : 0
        );
    }

    private static string Describe(Instruction form) =>
        $"opcode 0x{form.Opcode:x2}, source {form.Source}, offset {form.Offset}, immediate 0x{form.Immediate:x}";
}
