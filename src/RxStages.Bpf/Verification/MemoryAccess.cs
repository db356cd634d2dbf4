namespace RxStages.Bpf.Verification;

/// <summary>What an instruction or a call does with memory.</summary>
internal enum MemoryAccess
{
    /// <summary>Reads it.</summary>
    Read,

    /// <summary>Writes it.</summary>
    Write,

    /// <summary>Reads and writes it.</summary>
    ReadWrite,
}
