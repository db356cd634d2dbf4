using System.Runtime.InteropServices;

namespace RxStages.Linux.KernelBpf;

/// <summary>Memory of the kernel's behind a descriptor, mapped into the process (<c>mmap</c>) until it is disposed.</summary>
internal sealed unsafe partial class SharedMemory : IDisposable
{
    private const int ProtectRead = 1;
    private const int ProtectWrite = 2;
    private const int MapShared = 1;

    private readonly nuint _size;
    private byte* _address;

    /// <summary>Maps so many bytes from an offset on, both multiples of a page.</summary>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public SharedMemory(FileDescriptor descriptor, nuint size, nuint offset, bool isWritable, string what)
    {
        var protection = isWritable ? ProtectRead | ProtectWrite : ProtectRead;
        var address = Map(0, size, protection, MapShared, descriptor.Number, (nint)offset);
        var error = Marshal.GetLastPInvokeError();
        GC.KeepAlive(descriptor);
        if (address == -1)
        {
            throw new KernelBpfException($"map {what}", error);
        }
        _address = (byte*)address;
        _size = size;
    }

    /// <summary>The first byte.</summary>
    public byte* Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(_address == null, this);
            return _address;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_address != null)
        {
            _ = Unmap((nint)_address, _size);
            _address = null;
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint size, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint size);
}
