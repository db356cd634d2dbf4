using System.Reflection;
using System.Reflection.Emit;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// Emits helpers that call functions of the program back, as loops in the calling function (the kernel's
/// <c>inline_bpf_loop</c>): nearly always there is one function that can be called, and it is called directly.
/// </summary>
internal sealed unsafe class CallbackEmitter(
    ILGenerator il,
    ProgramCompiler compiler,
    VerifiedFrame frame,
    Registers registers
)
{
    /// <summary>The argument register that holds the function.</summary>
    public const int FunctionRegister = 2;

    /// <summary><c>long bpf_loop(u32 count, function(u64 index, void *context), void *context, u64 flags)</c></summary>
    public void EmitLoop(int slot)
    {
        var count = il.DeclareLocal(typeof(uint));
        var index = il.DeclareLocal(typeof(uint));
        var result = il.DeclareLocal(typeof(ulong));
        var (body, condition, done, tooMany, end) = (
            il.DefineLabel(),
            il.DefineLabel(),
            il.DefineLabel(),
            il.DefineLabel(),
            il.DefineLabel()
        );
        CheckFlags(result, end);
        registers.Load64(1);
        il.Emit(OpCodes.Conv_U4);
        il.Emit(OpCodes.Stloc, count);
        il.Emit(OpCodes.Ldloc, count);
        il.Emit(OpCodes.Ldc_I4, BpfRuntime.MaxLoops);
        il.Emit(OpCodes.Bgt_Un, tooMany);
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Stloc, index);
        il.Emit(OpCodes.Br, condition);
        il.MarkLabel(body);
        CallBack(
            slot,
            register =>
            {
                if (register == 1)
                {
                    il.Emit(OpCodes.Ldloc, index);
                    il.Emit(OpCodes.Conv_U8);
                }
                else
                {
                    registers.Load64(3);
                }
            }
        );
        Increment(index);
        il.Emit(OpCodes.Brtrue, done);
        il.MarkLabel(condition);
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Ldloc, count);
        il.Emit(OpCodes.Blt_Un, body);
        il.MarkLabel(done);
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Conv_U8);
        il.Emit(OpCodes.Stloc, result);
        il.Emit(OpCodes.Br, end);
        il.MarkLabel(tooMany);
        // The kernel puts calls of one function in line, and loses the upper half of the error on the way.
        il.Emit(
            OpCodes.Ldc_I8,
            compiler.CallbacksOf(slot).Count == 1 ? unchecked((uint)-Errno.E2BIG) : (long)-Errno.E2BIG
        );
        il.Emit(OpCodes.Stloc, result);
        il.MarkLabel(end);
        il.Emit(OpCodes.Ldloc, result);
        registers.Store64(slot, 0);
    }

    /// <summary><c>long bpf_for_each_map_elem(map, function(map, key, value, void *context), void *context, u64 flags)</c></summary>
    /// <param name="slot">The call.</param>
    /// <param name="map">The map, or null when it is known only in r1.</param>
    public void EmitForEach(int slot, Map? map)
    {
        var cursor = il.DeclareLocal(typeof(MapCursor));
        var count = il.DeclareLocal(typeof(uint));
        var result = il.DeclareLocal(typeof(ulong));
        var (next, done, end) = (il.DefineLabel(), il.DefineLabel(), il.DefineLabel());
        CheckFlags(result, end);
        il.Emit(OpCodes.Ldloca, cursor);
        il.Emit(OpCodes.Initobj, typeof(MapCursor));
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Stloc, count);
        il.MarkLabel(next);
        LoadMap();
        il.Emit(OpCodes.Conv_U);
        frame.LoadRuntime();
        il.Emit(OpCodes.Ldloca, cursor);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Call, NextElement(map));
        il.Emit(OpCodes.Brfalse, done);
        CallBack(
            slot,
            register =>
            {
                switch (register)
                {
                    case 1:
                        LoadMap();
                        break;
                    case 2:
                        LoadField(nameof(MapCursor.Key));
                        break;
                    case 3:
                        LoadField(nameof(MapCursor.Value));
                        break;
                    default:
                        registers.Load64(3);
                        break;
                }
            }
        );
        Increment(count);
        il.Emit(OpCodes.Brfalse, next);
        il.MarkLabel(done);
        il.Emit(OpCodes.Ldloc, count);
        il.Emit(OpCodes.Conv_U8);
        il.Emit(OpCodes.Stloc, result);
        il.MarkLabel(end);
        il.Emit(OpCodes.Ldloc, result);
        registers.Store64(slot, 0);

        void LoadMap()
        {
            if (map is null)
            {
                registers.Load64(1);
            }
            else
            {
                il.Emit(OpCodes.Ldc_I8, (long)map.Header);
            }
        }

        void LoadField(string name)
        {
            il.Emit(OpCodes.Ldloca, cursor);
            il.Emit(OpCodes.Ldfld, typeof(MapCursor).GetField(name)!);
            il.Emit(OpCodes.Conv_U8);
        }
    }

    /// <summary><c>long bpf_timer_set_callback(struct bpf_timer *timer, function(map, key, value))</c></summary>
    public void EmitSetTimerCallback(int slot)
    {
        registers.Load64(1);
        ForEachFunction(slot, function => il.Emit(OpCodes.Ldc_I8, (long)compiler.TimerFunctionOf(function)));
        il.Emit(OpCodes.Conv_I);
        il.Emit(
            OpCodes.Call,
            typeof(TimerHelpers).GetMethod(
                nameof(TimerHelpers.SetCallback),
                BindingFlags.Static | BindingFlags.NonPublic
            )!
        );
        registers.Store64(slot, 0);
    }

    private static MethodInfo NextElement(Map? map) =>
        map?.Operations.GetMethod(nameof(IMapOperations.NextElement), BindingFlags.Static | BindingFlags.Public)
        ?? typeof(CallbackHelpers).GetMethod(
            nameof(CallbackHelpers.NextElement),
            BindingFlags.Static | BindingFlags.NonPublic
        )!;

    /// <summary>Both helpers take no flags yet.</summary>
    private void CheckFlags(LocalBuilder result, Label end)
    {
        il.Emit(OpCodes.Ldc_I8, (long)-Errno.EINVAL);
        il.Emit(OpCodes.Stloc, result);
        registers.Load64(4);
        il.Emit(OpCodes.Brtrue, end);
    }

    private void Increment(LocalBuilder counter)
    {
        il.Emit(OpCodes.Ldloc, counter);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, counter);
    }

    /// <summary>Pushes what the function returns that is called back.</summary>
    private void CallBack(int slot, Action<int> loadArgument) =>
        ForEachFunction(
            slot,
            function =>
            {
                frame.LoadPacket();
                frame.LoadRuntime();
                foreach (var register in function.Parameters)
                {
                    loadArgument(register);
                }
                il.Emit(OpCodes.Call, compiler.MethodOf(function));
            }
        );

    /// <summary>Emits what pushes a value for the function in r2: of those that it can be, if there are several.</summary>
    private void ForEachFunction(int slot, Action<CompiledFunction> emit)
    {
        var functions = compiler.CallbacksOf(slot);
        if (functions.Count == 0)
        {
            // Never run, but what follows expects a value.
            il.Emit(OpCodes.Ldc_I8, 0L);
        }
        var end = il.DefineLabel();
        for (var index = 0; index < functions.Count; index++)
        {
            var function = functions[index];
            var other = il.DefineLabel();
            if (index < functions.Count - 1)
            {
                registers.Load64(FunctionRegister);
                il.Emit(OpCodes.Ldc_I8, (long)function.Verified.Start);
                il.Emit(OpCodes.Bne_Un, other);
            }
            emit(function);
            il.Emit(OpCodes.Br, end);
            il.MarkLabel(other);
        }
        il.MarkLabel(end);
    }
}
