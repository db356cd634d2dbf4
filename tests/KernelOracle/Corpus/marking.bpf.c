/* Small rewrites of headers: time to live, congestion marks, classes, segment sizes. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

SEC("xdp")
int decrement_ttl(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__be16 proto = next_ethernet(&cursor);

	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = next_ipv4(&cursor);
		__u32 check;

		if (!ip || ip->ttl <= 1)
			return XDP_DROP;
		check = ip->check + bpf_htons(0x0100);
		ip->check = check + (check >= 0xffff);
		ip->ttl--;
		return XDP_TX;
	}
	if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = next_header(&cursor, struct ipv6hdr);

		if (!ip || ip->hop_limit <= 1)
			return XDP_DROP;
		ip->hop_limit--;
		return XDP_TX;
	}
	return XDP_PASS;
}

SEC("xdp")
int mark_congestion(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__be16 proto = next_ethernet(&cursor);

	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = next_ipv4(&cursor);
		__u16 before;

		if (!ip)
			return XDP_DROP;
		if (!(ip->tos & 3))
			return XDP_PASS;
		before = *(__u16 *)ip;
		ip->tos |= 3;
		ip->check = csum_replace(ip->check, before, *(__u16 *)ip);
		return XDP_TX;
	}
	if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = next_header(&cursor, struct ipv6hdr);

		if (!ip)
			return XDP_DROP;
		if (!(ip->version_class_flow & bpf_htonl(0x00300000)))
			return XDP_PASS;
		ip->version_class_flow |= bpf_htonl(0x00300000);
		return XDP_TX;
	}
	return XDP_PASS;
}

static const __u8 class_of_dscp[64] = {
	[0] = 0, [8] = 10, [10] = 12, [12] = 14, [14] = 18, [18] = 20, [26] = 28, [34] = 36, [46] = 48, [48] = 56,
};

SEC("xdp")
int rewrite_dscp(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct iphdr *ip;
	__u16 before;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip)
		return XDP_ABORTED;
	before = *(__u16 *)ip;
	ip->tos = class_of_dscp[ip->tos >> 2] << 2 | (ip->tos & 3);
	ip->check = csum_replace(ip->check, before, *(__u16 *)ip);
	return before == *(__u16 *)ip ? XDP_PASS : XDP_TX;
}

SEC("xdp")
int clamp_mss(struct xdp_md *ctx)
{
	const __u16 limit = 1200;
	struct cursor cursor = cursor_of(ctx);
	struct tcphdr *tcp;
	struct iphdr *ip;
	__u8 *option;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	tcp = next_header(&cursor, struct tcphdr);
	if (!tcp || !(tcp->flags & TCP_SYN) || tcp->doff < 6)
		return XDP_PASS;
	option = cursor.position;
	if ((void *)(option + 4) > cursor.end || option[0] != 2 || option[1] != 4)
		return XDP_PASS;
	if ((option[2] << 8 | option[3]) <= limit)
		return XDP_PASS;
	tcp->check = csum_replace(tcp->check, *(__be16 *)(option + 2), bpf_htons(limit));
	*(__be16 *)(option + 2) = bpf_htons(limit);
	return XDP_TX;
}

SEC("xdp")
int swap_directions(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ethhdr *eth = packet_start(ctx);
	struct udphdr *ports;
	struct ethhdr copy;
	struct iphdr *ip;
	__be32 address;
	__be16 port;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip || (ip->protocol != IPPROTO_UDP && ip->protocol != IPPROTO_TCP))
		return XDP_PASS;
	ports = next_header(&cursor, struct udphdr);
	if (!ports)
		return XDP_DROP;
	copy = *eth;
	__builtin_memcpy(eth->h_dest, copy.h_source, 6);
	__builtin_memcpy(eth->h_source, copy.h_dest, 6);
	address = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = address;
	port = ports->source;
	ports->source = ports->dest;
	ports->dest = port;
	return XDP_TX;
}
