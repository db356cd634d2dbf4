using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Compilation;

/// <summary>A compiled function that timers call. Code refers to it by <see cref="Handle"/>.</summary>
internal sealed unsafe class CompiledTimerFunction : TimerFunction, IDisposable
{
    private GCHandle<TimerFunction> _handle;
    private DynamicMethod? _method;
    private CallbackMethod? _function;

    private delegate ulong CallbackMethod(BpfRuntime* runtime, ulong map, ulong key, ulong value);

    /// <summary>Makes one of which only the handle is known.</summary>
    public CompiledTimerFunction() => _handle = new GCHandle<TimerFunction>(this);

    /// <summary>The address by which the code knows it.</summary>
    public nint Handle => GCHandle<TimerFunction>.ToIntPtr(_handle);

    /// <summary>Emits the method that passes the arguments that the function reads.</summary>
    public void Emit(ProgramCompiler compiler, CompiledFunction function)
    {
        _method = ProgramCompiler.Define(
            $"{compiler.Code.Name}@{function.Verified.Start}/timer",
            typeof(ulong),
            [typeof(BpfRuntime*), typeof(ulong), typeof(ulong), typeof(ulong)]
        );
        var il = _method.GetILGenerator();
        // There is no packet.
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Ldarg_0);
        foreach (var register in function.Parameters)
        {
            // Map, key and value; more is never read.
            il.Emit(OpCodes.Ldarg, (short)register);
        }
        il.Emit(OpCodes.Call, compiler.MethodOf(function));
        il.Emit(OpCodes.Ret);
    }

    /// <summary>Has RyuJIT compile it.</summary>
    public void Prepare()
    {
        _function ??= _method!.CreateDelegate<CallbackMethod>();
        RuntimeHelpers.PrepareDelegate(_function);
    }

    /// <inheritdoc/>
    public override void Call(BpfRuntime* runtime, MapHeader* map, byte* key, byte* value)
    {
        byte end;
        runtime->StackEnd = &end;
        _function!(runtime, (ulong)map, (ulong)key, (ulong)value);
        runtime->EndRun();
    }

    /// <summary>The code that refers to it is gone; timers may still call it.</summary>
    public void Dispose() => _handle.Dispose();
}
