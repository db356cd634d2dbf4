using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RxStages.Linux.KernelBpf;

/// <summary>A file descriptor that closes when nobody holds it any more.</summary>
public sealed partial class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    /// <summary>Takes over an open descriptor.</summary>
    public FileDescriptor(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <summary>The number. Valid only as long as this object is kept alive.</summary>
    public int Number => (int)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Close((int)handle) == 0;

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
