using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>What helpers and kfuncs do with the memory that dynptrs name, all of it checked when it is done.</summary>
internal static unsafe class DynptrMemory
{
    // How much is carried at a time between memory that is not in one piece.
    private const uint ChunkSize = 256;

    /// <summary>Whether a range lies in a dynptr (<c>bpf_dynptr_check_off_len</c>).</summary>
    internal static bool Holds(Dynptr* dynptr, uint offset, uint length) =>
        length <= dynptr->Size && offset <= dynptr->Size - length;

    /// <summary>Copies out of a dynptr (<c>__bpf_dynptr_read</c>).</summary>
    /// <returns>0, or a negated error number.</returns>
    internal static int Read(byte* target, uint length, Dynptr* dynptr, uint offset, ulong flags)
    {
        if (dynptr->Data == null || flags != 0)
        {
            return -Errno.EINVAL;
        }
        if (!Holds(dynptr, offset, length))
        {
            return -Errno.E2BIG;
        }
        if (dynptr->Type == DynptrType.Xdp)
        {
            return PacketMemory.Load((XdpBuff*)dynptr->Data, dynptr->Offset + offset, target, length);
        }
        Buffer.MemoryCopy((byte*)dynptr->Data + dynptr->Offset + offset, target, length, length);
        return 0;
    }

    /// <summary>Copies into a dynptr (<c>__bpf_dynptr_write</c>).</summary>
    /// <returns>0, or a negated error number.</returns>
    internal static int Write(Dynptr* dynptr, uint offset, byte* source, uint length, ulong flags)
    {
        if (dynptr->Data == null || dynptr->IsReadOnly)
        {
            return -Errno.EINVAL;
        }
        if (!Holds(dynptr, offset, length))
        {
            return -Errno.E2BIG;
        }
        if (flags != 0)
        {
            return -Errno.EINVAL;
        }
        if (dynptr->Type == DynptrType.Xdp)
        {
            return PacketMemory.Store((XdpBuff*)dynptr->Data, dynptr->Offset + offset, source, length);
        }
        Buffer.MemoryCopy(source, (byte*)dynptr->Data + dynptr->Offset + offset, length, length);
        return 0;
    }

    /// <summary>
    /// The address of a range of a dynptr (<c>bpf_dynptr_slice</c>): its own where it is in one piece, else that of
    /// <paramref name="buffer"/>, with a copy.
    /// </summary>
    /// <param name="dynptr">The dynptr.</param>
    /// <param name="offset">Where the range begins.</param>
    /// <param name="buffer">Takes the copy, or null.</param>
    /// <param name="length">The length of range and buffer.</param>
    /// <returns>Null when the range is not in the dynptr, or not in one piece and without a buffer.</returns>
    internal static byte* Slice(Dynptr* dynptr, uint offset, byte* buffer, uint length)
    {
        if (dynptr->Data == null || !Holds(dynptr, offset, length))
        {
            return null;
        }
        if (dynptr->Type != DynptrType.Xdp)
        {
            return (byte*)dynptr->Data + dynptr->Offset + offset;
        }
        var packet = (XdpBuff*)dynptr->Data;
        PacketMemory.Find(packet, dynptr->Offset + offset, length, out var address);
        if (address != null)
        {
            return address;
        }
        return buffer != null && PacketMemory.TryLoadAny(packet, dynptr->Offset + offset, buffer, length)
            ? buffer
            : null;
    }

    /// <summary>The same, for writing: null for a read-only dynptr.</summary>
    internal static byte* WritableSlice(Dynptr* dynptr, uint offset, byte* buffer, uint length) =>
        dynptr->IsReadOnly ? null : Slice(dynptr, offset, buffer, length);

    /// <summary>Copies from one dynptr to another (<c>bpf_dynptr_copy</c>).</summary>
    /// <returns>0, or a negated error number.</returns>
    internal static int Copy(Dynptr* target, uint targetOffset, Dynptr* source, uint sourceOffset, uint length)
    {
        var from = Slice(source, sourceOffset, null, length);
        var to = WritableSlice(target, targetOffset, null, length);
        if (from != null && to != null)
        {
            Buffer.MemoryCopy(from, to, length, length);
            return 0;
        }
        if (from != null)
        {
            return Write(target, targetOffset, from, length, 0);
        }
        if (to != null)
        {
            return Read(to, length, source, sourceOffset, 0);
        }
        if (!Holds(target, targetOffset, length) || !Holds(source, sourceOffset, length))
        {
            return -Errno.E2BIG;
        }
        var chunk = stackalloc byte[(int)ChunkSize];
        for (var done = 0u; done < length; done += ChunkSize)
        {
            var count = Math.Min(length - done, ChunkSize);
            var error = Read(chunk, count, source, sourceOffset + done, 0);
            if (error == 0)
            {
                error = Write(target, targetOffset + done, chunk, count, 0);
            }
            if (error != 0)
            {
                return error;
            }
        }
        return 0;
    }

    /// <summary>Fills a range of a dynptr with a value (<c>bpf_dynptr_memset</c>).</summary>
    /// <returns>0, or a negated error number.</returns>
    internal static int Fill(Dynptr* dynptr, uint offset, uint length, byte value)
    {
        var slice = WritableSlice(dynptr, offset, null, length);
        if (slice != null)
        {
            Unsafe.InitBlockUnaligned(slice, value, length);
            return 0;
        }
        if (dynptr->IsReadOnly)
        {
            return -Errno.EINVAL;
        }
        if (!Holds(dynptr, offset, length))
        {
            return -Errno.E2BIG;
        }
        var chunk = stackalloc byte[(int)ChunkSize];
        Unsafe.InitBlockUnaligned(chunk, value, ChunkSize);
        for (var done = 0u; done < length; done += ChunkSize)
        {
            var error = Write(dynptr, offset + done, chunk, Math.Min(length - done, ChunkSize), 0);
            if (error != 0)
            {
                return error;
            }
        }
        return 0;
    }
}
