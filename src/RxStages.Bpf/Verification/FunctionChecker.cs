using RxStages.Bpf.Helpers;
using RxStages.Bpf.Kfuncs;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks a call of a helper or kfunc against its <see cref="FunctionDefinition"/> and carries out what it does to registers
/// and to what the path holds, after the kernel's <c>check_helper_call</c> and <c>check_kfunc_call</c>. What is particular to
/// a function is data in the definition.
/// </summary>
internal sealed class FunctionChecker
{
    private readonly VerifierEnvironment _environment;
    private readonly CallFindings _call = new();
    private readonly ArgumentChecker _arguments;
    private readonly ResultMaker _results;
    private readonly RegionChecker _regions;
    private readonly CallbackChecker _callbacks;

    // Calls for which the map was noted on some path.
    private readonly HashSet<int> _mapSeen = [];

    public FunctionChecker(VerifierEnvironment environment)
    {
        _environment = environment;
        _arguments = new ArgumentChecker(environment, _call);
        _results = new ResultMaker(environment, _call);
        _regions = new RegionChecker(environment);
        _callbacks = new CallbackChecker(environment);
    }

    /// <summary>The call in progress.</summary>
    public void Check(FunctionDefinition function)
    {
        CheckLicense(function);
        _regions.CheckCall(function);
        _call.Begin(function);
        for (var index = 0; index < function.Arguments.Length; index++)
        {
            _arguments.Check(index + 1, function.Arguments[index]);
        }
        NoteMap();
        _callbacks.MarkRelied(_call.Callback);
        _environment.Record();
        if (_call.Callback != CallbackKind.None)
        {
            _callbacks.Check(_call.Callback, _call.Map);
        }
        if (_call.Released != 0)
        {
            _environment.References.Release(_call.Released);
        }
        _regions.Apply(function);
        var result = _results.Make();
        if (function.ChangesPacketData)
        {
            _environment.State.ForgetPackets();
        }
        CallChecker.ClearCallerSaved(_environment.Registers);
        _environment.Registers[0] = result;
    }

    private void CheckLicense(FunctionDefinition function)
    {
        if ((function.IsGplOnly || function is KfuncDefinition) && !_environment.Options.IsGplCompatible)
        {
            throw _environment.Reject(
                $"{function.FullName} is for programs with a GPL-compatible license, but this one's is '{_environment.Options.License}'",
                "char LICENSE[] SEC(\"license\") = \"GPL\";"
            );
        }
    }

    private void NoteMap()
    {
        if (_call.Map < 0)
        {
            return;
        }
        ref var facts = ref _environment.Facts[_environment.Slot];
        var noted = _environment.IsTemplate(_call.Map) ? 0 : _call.Map + 1;
        var isSame = _mapSeen.Add(_environment.Slot) || facts.MapIndexPlusOne == noted;
        facts.MapIndexPlusOne = isSame ? noted : 0;
    }
}
