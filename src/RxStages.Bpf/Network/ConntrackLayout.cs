using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Network;

/// <summary>Where programs find the fields of <c>struct nf_conn</c>: by the kernel's types, if they are known.</summary>
internal sealed unsafe class ConntrackLayout
{
    private readonly int _use;
    private readonly int _timeout;
    private readonly int _status;
    private readonly int _zone;
    private readonly int _zoneDirections;
    private readonly int _mark;
    private readonly TupleLayout _original;
    private readonly TupleLayout _reply;

    /// <summary>Finds them; without types programs see nothing.</summary>
    public ConntrackLayout(Btf? types)
    {
        var connection = StructureLayout.Find(types, "nf_conn");
        var hash = StructureLayout.Find(types, "nf_conntrack_tuple_hash");
        Size = connection?.Size ?? 0;
        _use = Offset("ct_general.use", sizeof(int));
        _timeout = Offset("timeout", sizeof(uint));
        _status = Offset("status", sizeof(ulong));
        _zone = Offset("zone.id", sizeof(ushort));
        _zoneDirections = Offset("zone.dir", sizeof(byte));
        _mark = Offset("mark", sizeof(uint));
        var hashes = hash is null ? -1 : Offset("tuplehash", 2 * hash.Size);
        _original = new TupleLayout(hash, hashes);
        _reply = new TupleLayout(hash, hashes < 0 ? -1 : hashes + hash!.Size);

        int Offset(string path, int size) => connection?.OffsetOf(path, size) ?? -1;
    }

    /// <summary>Bytes of the structure; 0 if it is not known.</summary>
    public int Size { get; }

    /// <summary>Shows programs what the entry holds.</summary>
    public void Show(ConntrackEntry* entry)
    {
        var connection = (byte*)(entry + 1);
        Write(connection, _use, entry->References);
        Write(connection, _timeout, entry->Timeout);
        Write(connection, _status, (ulong)entry->Status);
        Write(connection, _zone, entry->Zone);
        Write(connection, _zoneDirections, entry->ZoneDirections);
        _original.Show(connection, entry->Original, ConntrackDirection.Original);
        _reply.Show(connection, entry->Reply, ConntrackDirection.Reply);
    }

    /// <summary>True when all of the bytes, by their offset in the structure, are the mark's.</summary>
    public bool IsMark(int offset, int size) =>
        _mark >= 0 && offset >= _mark && size <= sizeof(uint) && offset + size <= _mark + sizeof(uint);

    /// <summary>Clears what programs may have written.</summary>
    public void Clear(ConntrackEntry* entry) => Write((byte*)(entry + 1), _mark, 0u);

    private static void Write<T>(byte* structure, int offset, T value)
        where T : unmanaged
    {
        if (offset >= 0)
        {
            System.Runtime.CompilerServices.Unsafe.WriteUnaligned(structure + offset, value);
        }
    }

    private sealed class TupleLayout(StructureLayout? hash, int start)
    {
        // NFPROTO_IPV4, NFPROTO_IPV6
        private const ushort Ipv4 = 2;
        private const ushort Ipv6 = 10;

        // union nf_inet_addr
        private const int AddressSize = 16;

        private readonly int _sourceAddress = Offset(hash, start, "tuple.src.u3", AddressSize);
        private readonly int _sourcePort = Offset(hash, start, "tuple.src.u", sizeof(ushort));
        private readonly int _family = Offset(hash, start, "tuple.src.l3num", sizeof(ushort));
        private readonly int _destinationAddress = Offset(hash, start, "tuple.dst.u3", AddressSize);
        private readonly int _destinationPort = Offset(hash, start, "tuple.dst.u", sizeof(ushort));
        private readonly int _protocol = Offset(hash, start, "tuple.dst.protonum", sizeof(byte));
        private readonly int _direction = Offset(hash, start, "tuple.dst.dir", sizeof(byte));

        public void Show(byte* connection, in ConntrackTuple tuple, ConntrackDirection direction)
        {
            WriteEndpoint(connection, tuple.Source, _sourceAddress, _sourcePort);
            WriteEndpoint(connection, tuple.Destination, _destinationAddress, _destinationPort);
            Write(connection, _family, tuple.Source.Address.IsIpv6 ? Ipv6 : Ipv4);
            Write(connection, _protocol, tuple.Protocol);
            Write(connection, _direction, (byte)direction);
        }

        private static void WriteEndpoint(byte* connection, Endpoint endpoint, int address, int port)
        {
            if (address >= 0)
            {
                new Span<byte>(connection + address, AddressSize).Clear();
                endpoint.Address.Write(connection + address);
            }
            Write(connection, port, System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(endpoint.Port));
        }

        private static int Offset(StructureLayout? hash, int start, string path, int size) =>
            start >= 0 && hash?.OffsetOf(path, size) is { } offset and >= 0 ? start + offset : -1;
    }
}
