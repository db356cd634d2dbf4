using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Interpretation;

/// <summary>
/// What calls gave to a running program for a while: records of ring buffers, sockets, kernel objects, parts of dynptrs; the
/// dynptrs that it made on its stack; and the spin lock that it holds.
/// </summary>
internal sealed class GrantedMemory
{
    private readonly List<Grant> _grants = [];
    private readonly List<StackDynptr> _dynptrs = [];
    private readonly List<ulong> _structures = [];
    private ulong _lastRecord;

    /// <summary>Memory that the program may access.</summary>
    /// <param name="Address">The first byte.</param>
    /// <param name="Size">Bytes.</param>
    /// <param name="IsWritable">True when the program may write them.</param>
    /// <param name="Owner">The object that the memory is part of and ends with, by the number that it was acquired with; 0 for none.</param>
    /// <param name="IsObject">True for what must be given back by its address.</param>
    public readonly record struct Grant(ulong Address, ulong Size, bool IsWritable, ulong Owner, bool IsObject);

    /// <summary>A dynptr on the stack.</summary>
    /// <param name="Address">Where.</param>
    /// <param name="Kind">Of which kind.</param>
    /// <param name="Owner">The record that it holds, by number; 0 for none.</param>
    public readonly record struct StackDynptr(ulong Address, DynptrKinds Kind, ulong Owner)
    {
        /// <summary>Bytes in a dynptr.</summary>
        public const ulong Size = 16;

        /// <summary>True when it has some of the bytes.</summary>
        public bool Overlaps(ulong address, ulong size) => address < Address + Size && Address < address + size;
    }

    /// <summary>The address of the spin lock that is held, or 0.</summary>
    public ulong Lock { get; set; }

    /// <summary>A pointer to a structure of the kernel, from a call or read through another: it need not be valid.</summary>
    public void AddStructure(ulong address)
    {
        if (!_structures.Contains(address))
        {
            _structures.Add(address);
        }
    }

    /// <summary>True when the address may be that of a member of such a structure.</summary>
    public bool IsInStructure(ulong address)
    {
        foreach (var structure in _structures)
        {
            if (address - structure < BpfRuntime.MaxStructureSize)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>True when something was acquired and not given back.</summary>
    public bool HoldsObjects => _grants.Exists(grant => grant.IsObject) || _dynptrs.Exists(dynptr => dynptr.Owner != 0);

    /// <summary>Gives memory; an object gets a number.</summary>
    public void Add(ulong address, ulong size, bool isWritable, ulong owner = 0, bool isObject = false) =>
        _grants.Add(new Grant(address, size, isWritable, isObject ? ++_lastRecord : owner, isObject));

    /// <summary>A dynptr was made; one that holds a record of its own gets a number.</summary>
    public void AddDynptr(ulong address, DynptrKinds kind, ulong owner) =>
        _dynptrs.Add(new StackDynptr(address, kind, kind == DynptrKinds.Ringbuf && owner == 0 ? ++_lastRecord : owner));

    /// <summary>True when the program may access the bytes so.</summary>
    public bool Allows(ulong address, ulong size, Access access)
    {
        foreach (var grant in _grants)
        {
            if (
                (grant.IsWritable || access == Access.Read)
                && size <= grant.Size
                && address - grant.Address <= grant.Size - size
            )
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>True when the address is that of an object which the program must give back.</summary>
    public bool IsObject(ulong address) => _grants.Exists(grant => grant.IsObject && grant.Address == address);

    /// <summary>Takes an object back, with all that belongs to it.</summary>
    public void Release(ulong address)
    {
        var index = _grants.FindIndex(grant => grant.IsObject && grant.Address == address);
        if (index >= 0)
        {
            ReleaseOwned(_grants[index].Owner);
        }
    }

    /// <summary>Takes a record back: its dynptrs are none any more, their parts void.</summary>
    public void ReleaseOwned(ulong owner)
    {
        _grants.RemoveAll(grant => grant.Owner == owner);
        _dynptrs.RemoveAll(dynptr => dynptr.Owner == owner);
    }

    /// <summary>The packet may have moved: parts of dynptrs that are not part of a record are void.</summary>
    public void ReleaseSlices() => _grants.RemoveAll(grant => grant.Owner == 0);

    /// <summary>The dynptr at an address, or null.</summary>
    public StackDynptr? DynptrAt(ulong address) =>
        _dynptrs.FindIndex(dynptr => dynptr.Address == address) is >= 0 and var index ? _dynptrs[index] : null;

    /// <summary>True when some bytes belong to a dynptr.</summary>
    public bool TouchesDynptr(ulong address, ulong size)
    {
        foreach (var dynptr in _dynptrs)
        {
            if (dynptr.Overlaps(address, size))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Bytes are about to be written: dynptrs there are none any more. False when one holds a record.</summary>
    public bool TryOverwrite(ulong address, ulong size)
    {
        if (_dynptrs.Exists(dynptr => dynptr.Owner != 0 && dynptr.Overlaps(address, size)))
        {
            return false;
        }
        _dynptrs.RemoveAll(dynptr => dynptr.Overlaps(address, size));
        return true;
    }
}
