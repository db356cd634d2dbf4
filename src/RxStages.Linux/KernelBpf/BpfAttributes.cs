using System.Runtime.InteropServices;

namespace RxStages.Linux.KernelBpf;

// The arguments of bpf(), one structure a command, laid out as the members of the kernel's union bpf_attr
// (include/uapi/linux/bpf.h). Addresses are 64 bits wide there on every machine; so they are here.

[StructLayout(LayoutKind.Sequential)]
internal struct MapCreateAttributes
{
    public uint MapType;
    public uint KeySize;
    public uint ValueSize;
    public uint MaxEntries;
    public uint MapFlags;
    public uint InnerMapFd;
    public uint NumaNode;
    public NameBuffer Name;
    public uint Ifindex;
    public uint BtfFd;
    public uint BtfKeyTypeId;
    public uint BtfValueTypeId;
    public uint BtfVmlinuxValueTypeId;
    public ulong MapExtra;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MapElementAttributes
{
    public uint MapFd;
    public ulong Key;

    /// <summary>The value, or for <see cref="BpfCommand.MapGetNextKey"/> the next key.</summary>
    public ulong Value;
    public ulong Flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MapFreezeAttributes
{
    public uint MapFd;
}

[StructLayout(LayoutKind.Sequential)]
internal struct ProgramLoadAttributes
{
    public uint ProgramType;
    public uint InstructionCount;
    public ulong Instructions;
    public ulong License;
    public uint LogLevel;
    public uint LogSize;
    public ulong LogBuffer;
    public uint KernelVersion;
    public uint Flags;
    public NameBuffer Name;
    public uint Ifindex;
    public uint ExpectedAttachType;
    public uint BtfFd;
    public uint FunctionInfoRecordSize;
    public ulong FunctionInfo;
    public uint FunctionInfoCount;
    public uint LineInfoRecordSize;
    public ulong LineInfo;
    public uint LineInfoCount;
    public uint AttachBtfId;
    public uint AttachProgramFd;
}

[StructLayout(LayoutKind.Sequential)]
internal struct BtfLoadAttributes
{
    public ulong Btf;
    public ulong LogBuffer;
    public uint Size;
    public uint LogSize;
    public uint LogLevel;
}

[StructLayout(LayoutKind.Sequential)]
internal struct TestRunAttributes
{
    public uint ProgramFd;
    public uint ReturnValue;
    public uint DataSizeIn;
    public uint DataSizeOut;
    public ulong DataIn;
    public ulong DataOut;
    public uint Repeat;
    public uint Duration;
    public uint ContextSizeIn;
    public uint ContextSizeOut;
    public ulong ContextIn;
    public ulong ContextOut;
}

[StructLayout(LayoutKind.Sequential)]
internal struct LinkCreateAttributes
{
    public uint ProgramFd;
    public uint TargetFd;
    public uint AttachType;
    public uint Flags;
    public uint TargetBtfId;
}
