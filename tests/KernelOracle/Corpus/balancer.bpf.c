/* Load balancers: consistent hashing over arrays of maps, highest random weight, sticky flows. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

#define TABLE_SIZE 65

struct ring {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, TABLE_SIZE);
};

struct ring ring_web SEC(".maps"), ring_dns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps") = {
	.values = { [0] = &ring_web, [2] = &ring_dns },
};

struct backend {
	__be32 address;
	__u8 mac[6];
	__u16 weight;
};

static struct backend backends[8] = {
	{ 0x0101000a, { 2, 0, 0, 0, 0, 1 }, 10 }, { 0x0201000a, { 2, 0, 0, 0, 0, 2 }, 20 },
	{ 0x0301000a, { 2, 0, 0, 0, 0, 3 }, 5 },  { 0x0401000a, { 2, 0, 0, 0, 0, 4 }, 40 },
	{ 0x0501000a, { 2, 0, 0, 0, 0, 5 }, 1 },  { 0x0601000a, { 2, 0, 0, 0, 0, 6 }, 0 },
	{ 0x0701000a, { 2, 0, 0, 0, 0, 7 }, 13 }, { 0x0801000a, { 2, 0, 0, 0, 0, 8 }, 13 },
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct flow);
	__type(value, __u32);
	__uint(max_entries, 8192);
} sticky_flows SEC(".maps");

counter_map(chosen, 8);

static __always_inline int send_to(struct xdp_md *ctx, __u32 index)
{
	struct ethhdr *eth = packet_start(ctx);

	if (index >= ARRAY_SIZE(backends) || (void *)(eth + 1) > packet_end(ctx))
		return XDP_ABORTED;
	__builtin_memcpy(eth->h_source, eth->h_dest, 6);
	__builtin_memcpy(eth->h_dest, backends[index].mac, 6);
	count(&chosen, index, 1);
	return XDP_TX;
}

SEC("xdp")
int consistent(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;
	__u32 service, slot, *backend;
	void *ring;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	service = flow.destination_port == bpf_htons(53) ? 2 : flow.protocol == IPPROTO_TCP ? 0 : 1;
	ring = bpf_map_lookup_elem(&rings, &service);
	if (!ring)
		return XDP_DROP;
	slot = flow_hash(&flow, 0x5bd1e995) % TABLE_SIZE;
	backend = bpf_map_lookup_elem(ring, &slot);
	if (!backend)
		return XDP_ABORTED;
	if (!*backend) {
		__u32 first = 1 + slot % 8;

		bpf_map_update_elem(ring, &slot, &first, BPF_ANY);
		return XDP_PASS;
	}
	return send_to(ctx, *backend - 1);
}

SEC("xdp")
int rendezvous(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__u32 best = 0, hash;
	__u64 best_score = 0;
	struct flow flow;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	hash = flow_hash(&flow, 7);
	for (__u32 i = 0; i < ARRAY_SIZE(backends); i++) {
		__u64 score = (__u64)jhash_3words(hash, backends[i].address, i, 3) * backends[i].weight;

		if (score > best_score) {
			best_score = score;
			best = i;
		}
	}
	return send_to(ctx, best);
}

SEC("xdp")
int sticky(struct xdp_md *ctx)
{
	static __u32 next;
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;
	__u32 *backend, index;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	backend = bpf_map_lookup_elem(&sticky_flows, &flow);
	if (backend) {
		index = *backend;
	} else {
		index = next++ & 7;
		if (!backends[index].weight)
			return XDP_DROP;
		bpf_map_update_elem(&sticky_flows, &flow, &index, BPF_ANY);
	}
	return send_to(ctx, index & 7);
}

/* Direct server return in a tunnel: IPv4 in IPv4. */
SEC("xdp")
int tunnel_to_backend(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ethhdr *eth, *old;
	struct iphdr *ip;
	struct flow flow;
	__u32 index;
	__u16 length;

	if (!next_flow(&cursor, &flow) || flow.version != 4)
		return XDP_PASS;
	index = flow_hash(&flow, 99) & 7;
	length = packet_end(ctx) - packet_start(ctx) - sizeof(*eth) + sizeof(*ip);
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*ip)))
		return XDP_ABORTED;
	eth = packet_start(ctx);
	old = packet_start(ctx) + sizeof(*ip);
	ip = (void *)(eth + 1);
	if ((void *)(old + 1) > packet_end(ctx) || (void *)(ip + 1) > packet_end(ctx))
		return XDP_DROP;
	__builtin_memmove(eth->h_source, old->h_dest, 6);
	__builtin_memcpy(eth->h_dest, backends[index].mac, 6);
	eth->h_proto = bpf_htons(ETH_P_IP);
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = IPPROTO_IPIP;
	ip->tot_len = bpf_htons(length);
	ip->saddr = 0x010010ac | flow.source[0];
	ip->daddr = backends[index].address;
	ip->check = ipv4_checksum(ip);
	return XDP_TX;
}
