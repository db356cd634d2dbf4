/*
 * One step of a router: longest prefix of the destination to a next hop, time to live down by one, out of the next
 * hop's interface by a devmap. What needs more than that (no route, expired, options, multicast) goes to the stack.
 */
#include "include/checksum.h"

struct prefix_v4 {
	__u32 length;
	__be32 address;
};

struct prefix_v6 {
	__u32 length;
	struct in6_addr address;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_v4);
	__type(value, __u32);
} routes_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_v6);
	__type(value, __u32);
} routes_v6 SEC(".maps");

/* port: index into ports. */
struct next_hop {
	__u32 port;
	__u8 destination[6];
	__u8 source[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct next_hop);
} next_hops SEC(".maps");

/* The interfaces. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 64);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} ports SEC(".maps");

enum outcome {
	OUTCOME_FORWARDED,
	OUTCOME_NOT_IP,
	OUTCOME_MALFORMED,
	OUTCOME_NO_ROUTE,
	OUTCOME_EXPIRED,
	OUTCOME_OPTIONS,
	OUTCOME_MULTICAST,
	OUTCOME_NO_PORT,
	OUTCOME_COUNT,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OUTCOME_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} outcomes SEC(".maps");

static __always_inline int finish(enum outcome outcome, int action)
{
	__u32 index = outcome;
	__u64 *count = bpf_map_lookup_elem(&outcomes, &index);

	if (count)
		++*count;
	return action;
}

static __noinline int forward(struct xdp_md *ctx, __u32 hop_index)
{
	struct next_hop *hop = bpf_map_lookup_elem(&next_hops, &hop_index);
	struct ethhdr *eth = packet_start(ctx);
	int action;

	if (!hop || (void *)(eth + 1) > packet_end(ctx))
		return finish(OUTCOME_NO_PORT, XDP_PASS);
	/* The low bits of the flags are what it returns when the devmap has no such entry. */
	action = bpf_redirect_map(&ports, hop->port, XDP_PASS);
	if (action != XDP_REDIRECT)
		return finish(OUTCOME_NO_PORT, action);
	__builtin_memcpy(eth->h_dest, hop->destination, sizeof(eth->h_dest));
	__builtin_memcpy(eth->h_source, hop->source, sizeof(eth->h_source));
	return finish(OUTCOME_FORWARDED, action);
}

static __always_inline int route_ipv4(struct xdp_md *ctx, struct cursor *cursor)
{
	struct iphdr *ip = next_header(cursor, struct iphdr);
	struct prefix_v4 prefix = { .length = 32 };
	__u32 *hop;
	__u16 from;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return finish(OUTCOME_MALFORMED, XDP_DROP);
	if (ip->ihl != 5)
		return finish(OUTCOME_OPTIONS, XDP_PASS);
	if ((ip->daddr & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000))
		return finish(OUTCOME_MULTICAST, XDP_PASS);
	if (ip->ttl <= 1)
		return finish(OUTCOME_EXPIRED, XDP_PASS);
	prefix.address = ip->daddr;
	hop = bpf_map_lookup_elem(&routes_v4, &prefix);
	if (!hop)
		return finish(OUTCOME_NO_ROUTE, XDP_PASS);
	from = *(__u16 *)&ip->ttl;
	ip->ttl--;
	ip->check = csum_replace(ip->check, from, *(__u16 *)&ip->ttl);
	return forward(ctx, *hop);
}

static __always_inline int route_ipv6(struct xdp_md *ctx, struct cursor *cursor)
{
	struct ipv6hdr *ip = next_header(cursor, struct ipv6hdr);
	struct prefix_v6 prefix = { .length = 128 };
	__u32 *hop;

	if (!ip)
		return finish(OUTCOME_MALFORMED, XDP_DROP);
	if (ip->daddr.bytes[0] == 0xff)
		return finish(OUTCOME_MULTICAST, XDP_PASS);
	if (ip->hop_limit <= 1)
		return finish(OUTCOME_EXPIRED, XDP_PASS);
	prefix.address = ip->daddr;
	hop = bpf_map_lookup_elem(&routes_v6, &prefix);
	if (!hop)
		return finish(OUTCOME_NO_ROUTE, XDP_PASS);
	ip->hop_limit--;
	return forward(ctx, *hop);
}

SEC("xdp")
int router(struct xdp_md *ctx)
{
	struct cursor cursor = { packet_start(ctx), packet_end(ctx) };
	struct ethhdr *eth = next_header(&cursor, struct ethhdr);

	if (!eth)
		return finish(OUTCOME_MALFORMED, XDP_DROP);
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return route_ipv4(ctx, &cursor);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return route_ipv6(ctx, &cursor);
	return finish(OUTCOME_NOT_IP, XDP_PASS);
}

char LICENSE[] SEC("license") = "GPL";
