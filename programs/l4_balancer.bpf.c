/*
 * A layer-4 load balancer: packets for a virtual address go to one of its backends inside an IPv4-in-IPv4 tunnel
 * (RFC 2003), out of the interface that they came in by. A connection stays with its backend.
 */
#include "include/checksum.h"
#include "include/jhash.h"

/* Configuration, set before loading. */

/* The tunnel's own end: source address of the outer header (10.0.0.1). */
const volatile __be32 tunnel_source = bpf_htonl(0x0a000001);
/* The largest inner packet, from its IP header, that still fits the backend's link with the outer header. */
const volatile __u16 max_inner_length = 1480;
const volatile __u32 hash_seed = 0x5eed;

struct vip {
	__be32 address;
	__be16 port;
	__u8 protocol;
	__u8 unused;
};

/* A run of the backends array. */
struct pool {
	__u32 first;
	__u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct vip);
	__type(value, struct pool);
} vips SEC(".maps");

/* Address 0: no backend. The MAC address is that of the next hop towards it. */
struct backend {
	__be32 address;
	__u8 mac[6];
	__u16 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct backend);
} backends SEC(".maps");

struct connection {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 protocol;
};

/* To which backend a connection belongs. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct connection);
	__type(value, __u32);
} connections SEC(".maps");

enum event {
	EVENT_NOT_OURS,
	EVENT_NEW_CONNECTION,
	EVENT_KNOWN_CONNECTION,
	EVENT_MALFORMED,
	EVENT_FRAGMENT,
	EVENT_TOO_BIG,
	EVENT_NO_BACKEND,
	EVENT_NO_HEADROOM,
	EVENT_COUNT,
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EVENT_COUNT);
	__type(key, __u32);
	__type(value, struct counter);
} events SEC(".maps");

static __always_inline int count(enum event event, __u32 bytes, int action)
{
	__u32 index = event;
	struct counter *counter = bpf_map_lookup_elem(&events, &index);

	if (counter) {
		counter->packets++;
		counter->bytes += bytes;
	}
	return action;
}

/* The connection's backend, chosen now if it is a new one; null when the pool has none. */
static __always_inline struct backend *find_backend(struct connection *connection, struct pool *pool,
						    enum event *event)
{
	__u32 *known = bpf_map_lookup_elem(&connections, connection);
	struct backend *backend;
	__u32 index;

	if (known) {
		index = *known;
		backend = bpf_map_lookup_elem(&backends, &index);
		if (backend && backend->address) {
			*event = EVENT_KNOWN_CONNECTION;
			return backend;
		}
	}
	if (!pool->count)
		return NULL;
	index = pool->first + jhash_3words(connection->source, connection->destination,
					   (__u32)connection->source_port << 16 | connection->destination_port,
					   hash_seed ^ connection->protocol) % pool->count;
	backend = bpf_map_lookup_elem(&backends, &index);
	if (!backend || !backend->address)
		return NULL;
	bpf_map_update_elem(&connections, connection, &index, BPF_ANY);
	*event = EVENT_NEW_CONNECTION;
	return backend;
}

/* Puts the outer header around the packet; false when there is no room for it. */
static __always_inline int encapsulate(struct xdp_md *ctx, struct backend *backend, __u8 tos, __u16 inner_length)
{
	struct ethhdr old_eth, *eth;
	struct iphdr *ip;
	void *end;

	eth = packet_start(ctx);
	if ((void *)(eth + 1) > packet_end(ctx))
		return 0;
	old_eth = *eth;
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*ip)))
		return 0;
	eth = packet_start(ctx);
	end = packet_end(ctx);
	ip = (void *)(eth + 1);
	if ((void *)(ip + 1) > end)
		return 0;
	__builtin_memcpy(eth->h_dest, backend->mac, sizeof(eth->h_dest));
	__builtin_memcpy(eth->h_source, old_eth.h_dest, sizeof(eth->h_source));
	eth->h_proto = bpf_htons(ETH_P_IP);
	ip->version = 4;
	ip->ihl = 5;
	ip->tos = tos;
	ip->tot_len = bpf_htons(inner_length + sizeof(*ip));
	ip->id = 0;
	ip->frag_off = bpf_htons(IP_DF);
	ip->ttl = 64;
	ip->protocol = IPPROTO_IPIP;
	ip->check = 0;
	ip->saddr = tunnel_source;
	ip->daddr = backend->address;
	ip->check = ipv4_checksum(ip);
	return 1;
}

SEC("xdp")
int l4_balancer(struct xdp_md *ctx)
{
	struct cursor cursor = { packet_start(ctx), packet_end(ctx) };
	__u32 length = cursor.end - cursor.position;
	struct ethhdr *eth = next_header(&cursor, struct ethhdr);
	struct connection connection = {};
	struct vip vip = {};
	enum event event;
	struct iphdr *ip;
	struct backend *backend;
	struct pool *pool;
	__u16 inner_length;
	__u8 tos;

	if (!eth || eth->h_proto != bpf_htons(ETH_P_IP))
		return count(EVENT_NOT_OURS, length, XDP_PASS);
	ip = next_ipv4(&cursor);
	if (!ip)
		return count(EVENT_MALFORMED, length, XDP_DROP);
	inner_length = bpf_ntohs(ip->tot_len);
	tos = ip->tos;
	/* Later fragments have no ports, so they could not follow the first. */
	if (ip->frag_off & bpf_htons(IP_MF | IP_OFFSET))
		return count(EVENT_FRAGMENT, length, XDP_PASS);
	connection.source = ip->saddr;
	connection.destination = ip->daddr;
	connection.protocol = ip->protocol;
	if (ip->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = next_header(&cursor, struct tcphdr);

		if (!tcp)
			return count(EVENT_MALFORMED, length, XDP_DROP);
		connection.source_port = tcp->source;
		connection.destination_port = tcp->dest;
	} else if (ip->protocol == IPPROTO_UDP) {
		struct udphdr *udp = next_header(&cursor, struct udphdr);

		if (!udp)
			return count(EVENT_MALFORMED, length, XDP_DROP);
		connection.source_port = udp->source;
		connection.destination_port = udp->dest;
	} else {
		return count(EVENT_NOT_OURS, length, XDP_PASS);
	}
	vip.address = connection.destination;
	vip.port = connection.destination_port;
	vip.protocol = connection.protocol;
	pool = bpf_map_lookup_elem(&vips, &vip);
	if (!pool)
		return count(EVENT_NOT_OURS, length, XDP_PASS);
	if (inner_length > max_inner_length)
		return count(EVENT_TOO_BIG, length, XDP_DROP);
	backend = find_backend(&connection, pool, &event);
	if (!backend)
		return count(EVENT_NO_BACKEND, length, XDP_DROP);
	if (!encapsulate(ctx, backend, tos, inner_length))
		return count(EVENT_NO_HEADROOM, length, XDP_DROP);
	return count(event, length, XDP_TX);
}

char LICENSE[] SEC("license") = "GPL";
