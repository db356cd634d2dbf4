using System.Reflection;
using System.Reflection.Emit;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Compilation;

/// <summary>Emits calls of verified code: functions and helpers directly, map helpers specialised for the map, tail calls.</summary>
internal sealed unsafe class CallEmitter(
    ILGenerator il,
    ProgramCompiler compiler,
    VerifiedFrame frame,
    Registers registers
)
{
    /// <summary>Helper numbers that are compiled in a way of their own (<c>enum bpf_func_id</c>).</summary>
    public const int MapLookupElement = 1,
        MapUpdateElement = 2,
        MapDeleteElement = 3,
        TracePrintk = 6,
        TailCall = 12,
        RedirectMap = 51,
        ForEachMapElement = 164,
        TimerSetCallback = 170,
        Loop = 181;

    /// <summary>Emits the call at a slot.</summary>
    public void Emit(int slot, Instruction call)
    {
        if (call.IsLocalCall)
        {
            CallFunction(slot, call.CallTarget(slot));
        }
        else
        {
            CallHelper(slot, compiler.Called(slot));
        }
    }

    private void CallFunction(int slot, int target)
    {
        var function = compiler.FunctionAt(target);
        frame.LoadPacket();
        frame.LoadRuntime();
        foreach (var register in function.Parameters)
        {
            registers.Load64(register);
        }
        il.Emit(OpCodes.Call, compiler.MethodOf(function));
        registers.Store64(slot, 0);
    }

    private void CallHelper(int slot, FunctionDefinition helper)
    {
        var map = compiler.MapOfCall(slot);
        switch ((helper as HelperDefinition)?.Id)
        {
            case TailCall:
                CallTail(slot, map);
                return;
            case MapLookupElement when map is ArrayMap array:
                LookUpArray(slot, array);
                return;
            case MapLookupElement when map is not null:
                CallMap(slot, map, nameof(IMapOperations.LookupElement), 2);
                return;
            case MapUpdateElement when map is not null:
                CallMap(slot, map, nameof(IMapOperations.UpdateElement), 2, 3, 4);
                return;
            case MapDeleteElement when map is not null:
                CallMap(slot, map, nameof(IMapOperations.DeleteElement), 2);
                return;
            case RedirectMap when map is not null:
                CallMap(slot, map, nameof(IMapOperations.Redirect), 2, 3);
                return;
            case TimerSetCallback:
                new CallbackEmitter(il, compiler, frame, registers).EmitSetTimerCallback(slot);
                return;
            case Loop:
                new CallbackEmitter(il, compiler, frame, registers).EmitLoop(slot);
                return;
            case ForEachMapElement:
                new CallbackEmitter(il, compiler, frame, registers).EmitForEach(slot, map);
                return;
        }
        frame.LoadRuntime();
        var count = ProgramCompiler.ArgumentCount(helper);
        for (var register = 1; register <= 5; register++)
        {
            if (register <= count)
            {
                registers.Load64(register);
            }
            else
            {
                il.Emit(OpCodes.Ldc_I8, 0L);
            }
        }
        il.Emit(
            OpCodes.Call,
            helper.Implementation ?? throw compiler.Code.Error(slot, $"{helper.FullName} is not supported")
        );
        registers.Store64(slot, 0);
    }

    private void CallMap(int slot, Map map, string operation, params ReadOnlySpan<int> arguments)
    {
        LoadHeader(map);
        frame.LoadRuntime();
        foreach (var register in arguments)
        {
            registers.Load64(register);
        }
        il.Emit(
            OpCodes.Call,
            map.Operations.GetMethod(operation, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
                ?? throw compiler.Code.Error(slot, $"{map.Operations.Name} has no {operation}")
        );
        il.Emit(OpCodes.Conv_U8);
        registers.Store64(slot, 0);
    }

    // An array's entries are all there: a comparison, and an address from constants.
    private void LookUpArray(int slot, ArrayMap array)
    {
        var index = il.DeclareLocal(typeof(uint));
        var missing = il.DefineLabel();
        var end = il.DefineLabel();
        registers.Load64(2);
        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(OpCodes.Ldind_U4);
        il.Emit(OpCodes.Stloc, index);
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Ldc_I4, (int)array.Spec.MaxEntries);
        il.Emit(OpCodes.Bge_Un, missing);
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Conv_U8);
        il.Emit(OpCodes.Ldc_I8, (long)array.Stride);
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Ldc_I8, (long)array.Values);
        il.Emit(OpCodes.Add);
        if (array.CpuStride != 0)
        {
            frame.LoadRuntime();
            il.Emit(OpCodes.Ldfld, typeof(BpfRuntime).GetField(nameof(BpfRuntime.Cpu))!);
            il.Emit(OpCodes.Conv_U8);
            il.Emit(OpCodes.Ldc_I8, (long)array.CpuStride);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Add);
        }
        il.Emit(OpCodes.Br, end);
        il.MarkLabel(missing);
        il.Emit(OpCodes.Ldc_I8, 0L);
        il.MarkLabel(end);
        registers.Store64(slot, 0);
    }

    // A program that is jumped into returns for this one. Nothing of r0 to r5 is readable where the call comes back.
    private void CallTail(int slot, Map? map)
    {
        if (map is null)
        {
            registers.Load64(2);
            il.Emit(OpCodes.Conv_U);
        }
        else
        {
            LoadHeader(map);
        }
        frame.LoadRuntime();
        registers.Load32(3);
        il.Emit(OpCodes.Call, typeof(TailCalls).GetMethod(nameof(TailCalls.Take))!);
        var none = il.DefineLabel();
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Brfalse, none);
        frame.LoadPacket();
        frame.LoadRuntime();
        il.Emit(OpCodes.Callvirt, typeof(XdpProgram).GetMethod(nameof(XdpProgram.RunTail))!);
        frame.Exit();
        il.MarkLabel(none);
        il.Emit(OpCodes.Pop);
        il.Emit(OpCodes.Ldc_I8, 0L);
        registers.Store64(slot, 0);
    }

    private void LoadHeader(Map map)
    {
        il.Emit(OpCodes.Ldc_I8, (long)map.Header);
        il.Emit(OpCodes.Conv_U);
    }
}
