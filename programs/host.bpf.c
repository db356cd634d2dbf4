/*
 * Asks the host: `host_forward` routes IPv4 by the host's own tables, `host_listens` lets only those TCP connections in
 * that somebody listens for.
 */
#include "include/checksum.h"

#define AF_INET 2
#define BPF_F_CURRENT_NETNS (-1)
#define BPF_FIB_LKUP_RET_SUCCESS 0
#define BPF_FIB_LKUP_RET_BLACKHOLE 1
#define BPF_FIB_LKUP_RET_UNREACHABLE 2
#define BPF_FIB_LKUP_RET_PROHIBIT 3

/* struct bpf_fib_lookup, as IPv4 uses it. */
struct fib_lookup {
	__u8 family;
	__u8 l4_protocol;
	__be16 sport;
	__be16 dport;
	__u16 tot_len; /* behind: the MTU of the way, where the packet does not fit */
	__u32 ifindex; /* before: of the packet; behind: the way out */
	__u32 tos;
	__be32 source;
	__u8 unused1[12];
	__be32 destination;
	__u8 unused2[12];
	__u32 unused3;
	__u8 source_mac[6];
	__u8 destination_mac[6];
};

/* What lookups came to: index 0 to 8 as bpf_fib_lookup returns it, 9: too large for the way, 10: not IPv4. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 11);
	__type(key, __u32);
	__type(value, __u64);
} ways SEC(".maps");

/* Connection attempts: 0 nobody listens, 1 somebody does. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} attempts SEC(".maps");

static __always_inline void count(void *map, __u32 index)
{
	__u64 *counter = bpf_map_lookup_elem(map, &index);

	if (counter)
		++*counter;
}

SEC("xdp")
int host_forward(struct xdp_md *ctx)
{
	struct cursor cursor = { packet_start(ctx), packet_end(ctx) };
	struct ethhdr *eth = next_header(&cursor, struct ethhdr);
	struct fib_lookup way = { .family = AF_INET };
	struct iphdr *ip;
	__u32 mtu = 0;
	long result;
	__u16 from;

	if (!eth || eth->h_proto != bpf_htons(ETH_P_IP) || !(ip = next_ipv4(&cursor)) || ip->ttl <= 1) {
		count(&ways, 10);
		return XDP_PASS;
	}
	way.l4_protocol = ip->protocol;
	way.tos = ip->tos;
	way.source = ip->saddr;
	way.destination = ip->daddr;
	way.ifindex = ctx->ingress_ifindex;
	result = bpf_fib_lookup(ctx, &way, sizeof(way), 0);
	if (result < 0)
		return XDP_ABORTED;
	count(&ways, result);
	switch (result) {
	case BPF_FIB_LKUP_RET_BLACKHOLE:
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return XDP_DROP;
	case BPF_FIB_LKUP_RET_SUCCESS:
		break;
	default:
		return XDP_PASS;
	}
	if (bpf_check_mtu(ctx, way.ifindex, &mtu, 0, 0)) {
		count(&ways, 9);
		return XDP_PASS;
	}
	from = *(__u16 *)&ip->ttl;
	ip->ttl--;
	ip->check = csum_replace(ip->check, from, *(__u16 *)&ip->ttl);
	__builtin_memcpy(eth->h_dest, way.destination_mac, sizeof(eth->h_dest));
	__builtin_memcpy(eth->h_source, way.source_mac, sizeof(eth->h_source));
	return bpf_redirect(way.ifindex, 0);
}

SEC("xdp")
int host_listens(struct xdp_md *ctx)
{
	struct cursor cursor = { packet_start(ctx), packet_end(ctx) };
	struct ethhdr *eth = next_header(&cursor, struct ethhdr);
	struct {
		__be32 source;
		__be32 destination;
		__be16 sport;
		__be16 dport;
	} tuple;
	struct tcphdr *tcp;
	struct iphdr *ip;
	void *sock;

	if (!eth || eth->h_proto != bpf_htons(ETH_P_IP) || !(ip = next_ipv4(&cursor)) || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	tcp = next_header(&cursor, struct tcphdr);
	if (!tcp || (tcp->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return XDP_PASS;
	tuple.source = ip->saddr;
	tuple.destination = ip->daddr;
	tuple.sport = tcp->source;
	tuple.dport = tcp->dest;
	sock = bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple), BPF_F_CURRENT_NETNS, 0);
	if (!sock) {
		count(&attempts, 0);
		return XDP_DROP;
	}
	bpf_sk_release(sock);
	count(&attempts, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
