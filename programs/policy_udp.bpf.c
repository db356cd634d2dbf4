/* A policy for policy.bpf.c: drops UDP. */
#include "include/packets.h"

SEC("freplace/policy")
int drop_udp(struct xdp_md *ctx)
{
	struct cursor cursor = { packet_start(ctx), packet_end(ctx) };
	__be16 proto = next_ethernet(&cursor);
	struct ipv6hdr *ipv6;
	struct iphdr *ipv4;

	if (proto == bpf_htons(ETH_P_IP)) {
		ipv4 = next_ipv4(&cursor);
		return ipv4 && ipv4->protocol == IPPROTO_UDP ? XDP_DROP : XDP_PASS;
	}
	if (proto == bpf_htons(ETH_P_IPV6)) {
		ipv6 = next_header(&cursor, struct ipv6hdr);
		return ipv6 && ipv6->nexthdr == IPPROTO_UDP ? XDP_DROP : XDP_PASS;
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
