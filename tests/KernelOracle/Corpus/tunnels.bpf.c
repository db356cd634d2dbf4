/* Into tunnels and out of them: the head of the packet moves both ways. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

/* Moves the Ethernet header to the new head; null when there is no room. */
static __always_inline struct ethhdr *move_head(struct xdp_md *ctx, int delta, __be16 proto)
{
	struct ethhdr *eth = packet_start(ctx), copy;

	if ((void *)(eth + 1) > packet_end(ctx))
		return NULL;
	copy = *eth;
	if (bpf_xdp_adjust_head(ctx, delta))
		return NULL;
	eth = packet_start(ctx);
	if ((void *)(eth + 1) > packet_end(ctx))
		return NULL;
	*eth = copy;
	eth->h_proto = proto;
	return eth;
}

static __always_inline void outer_ipv4(struct iphdr *ip, __u8 protocol, __u16 length)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = bpf_htons(length);
	ip->frag_off = bpf_htons(IP_DF);
	ip->ttl = 64;
	ip->protocol = protocol;
	ip->saddr = bpf_htonl(0xac100001);
	ip->daddr = bpf_htonl(0xac100002);
	ip->check = ipv4_checksum(ip);
}

SEC("xdp")
int gre_out(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	__u16 length = packet_end(ctx) - packet_start(ctx) - sizeof(*eth);
	struct grehdr *gre;
	struct iphdr *ip;
	__be16 inner;

	if ((void *)(eth + 1) > packet_end(ctx))
		return XDP_ABORTED;
	inner = eth->h_proto;
	if (inner != bpf_htons(ETH_P_IP) && inner != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	eth = move_head(ctx, -(int)(sizeof(*ip) + sizeof(*gre)), bpf_htons(ETH_P_IP));
	if (!eth)
		return XDP_DROP;
	ip = (void *)(eth + 1);
	gre = (void *)(ip + 1);
	if ((void *)(gre + 1) > packet_end(ctx))
		return XDP_ABORTED;
	outer_ipv4(ip, IPPROTO_GRE, length + sizeof(*ip) + sizeof(*gre));
	gre->flags = 0;
	gre->protocol = inner;
	return XDP_TX;
}

SEC("xdp")
int gre_in(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	struct grehdr *gre = (void *)(ip + 1);
	__be16 proto;
	int length;

	if ((void *)(gre + 1) > packet_end(ctx))
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_GRE)
		return XDP_PASS;
	proto = gre->protocol;
	length = sizeof(*ip) + sizeof(*gre);
	if (gre->flags & bpf_htons(0x8000))
		length += 4;
	if (gre->flags & bpf_htons(0x2000))
		length += 4;
	if (gre->flags & bpf_htons(0x1000))
		length += 4;
	if (proto == bpf_htons(ETH_P_TEB))
		return bpf_xdp_adjust_head(ctx, length + sizeof(*eth)) ? XDP_DROP : XDP_PASS;
	return move_head(ctx, length, proto) ? XDP_TX : XDP_DROP;
}

SEC("xdp")
int vxlan_out(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	struct ethhdr *eth = packet_start(ctx);
	struct vxlanhdr *vxlan;
	struct udphdr *udp;
	struct iphdr *ip;
	__u32 hash;

	if ((void *)(eth + 1) > packet_end(ctx))
		return XDP_ABORTED;
	hash = jhash_3words(eth->h_dest[5], eth->h_source[5], eth->h_proto, 0);
	if (bpf_xdp_adjust_head(ctx, -50))
		return XDP_DROP;
	eth = packet_start(ctx);
	ip = (void *)(eth + 1);
	udp = (void *)(ip + 1);
	vxlan = (void *)(udp + 1);
	if ((void *)(vxlan + 1) > packet_end(ctx))
		return XDP_ABORTED;
	__builtin_memset(eth->h_dest, 0x02, 6);
	__builtin_memset(eth->h_source, 0x04, 6);
	eth->h_proto = bpf_htons(ETH_P_IP);
	outer_ipv4(ip, IPPROTO_UDP, length + 36);
	udp->source = bpf_htons(0xc000 | (hash & 0x3fff));
	udp->dest = bpf_htons(VXLAN_PORT);
	udp->len = bpf_htons(length + 16);
	udp->check = 0;
	vxlan->flags = bpf_htonl(0x08000000);
	vxlan->vni = bpf_htonl((hash & 0xfff) << 8);
	return XDP_TX;
}

SEC("xdp")
int vxlan_in(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct vxlanhdr *vxlan;
	struct udphdr *udp;
	struct iphdr *ip;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip || ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	udp = next_header(&cursor, struct udphdr);
	if (!udp || udp->dest != bpf_htons(VXLAN_PORT))
		return XDP_PASS;
	vxlan = next_header(&cursor, struct vxlanhdr);
	if (!vxlan)
		return XDP_DROP;
	if (bpf_xdp_adjust_head(ctx, cursor.position - packet_start(ctx)))
		return XDP_ABORTED;
	return XDP_TX;
}

SEC("xdp")
int mpls_push(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	__be32 *label;
	__be16 proto;

	if ((void *)(eth + 1) > packet_end(ctx))
		return XDP_ABORTED;
	proto = eth->h_proto;
	if (proto != bpf_htons(ETH_P_IP) && proto != bpf_htons(ETH_P_MPLS))
		return XDP_PASS;
	eth = move_head(ctx, -4, bpf_htons(ETH_P_MPLS));
	if (!eth)
		return XDP_DROP;
	label = (void *)(eth + 1);
	if ((void *)(label + 1) > packet_end(ctx))
		return XDP_ABORTED;
	*label = bpf_htonl(1000 << 12 | (proto == bpf_htons(ETH_P_IP)) << 8 | 64);
	return XDP_TX;
}

SEC("xdp")
int mpls_pop(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	__be32 *label = (void *)(eth + 1);
	__u32 entry;

	if ((void *)(label + 1) > packet_end(ctx) || eth->h_proto != bpf_htons(ETH_P_MPLS))
		return XDP_PASS;
	entry = bpf_ntohl(*label);
	return move_head(ctx, 4, entry & 0x100 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_MPLS)) ? XDP_TX : XDP_DROP;
}

/* Takes both tags of QinQ and gives one that is made of them. */
SEC("xdp")
int qinq_to_vlan(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	struct vlan_hdr *outer = (void *)(eth + 1), *inner = outer + 1, *tag;
	__u16 tci;

	if ((void *)(inner + 1) > packet_end(ctx))
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_8021AD) || outer->h_vlan_encapsulated_proto != bpf_htons(ETH_P_8021Q))
		return XDP_PASS;
	tci = (bpf_ntohs(outer->h_vlan_TCI) & 0xf000) | (bpf_ntohs(inner->h_vlan_TCI) & 0xfff);
	eth = move_head(ctx, 4, bpf_htons(ETH_P_8021Q));
	if (!eth)
		return XDP_ABORTED;
	tag = (void *)(eth + 1);
	if ((void *)(tag + 1) > packet_end(ctx))
		return XDP_ABORTED;
	tag->h_vlan_TCI = bpf_htons(tci);
	return XDP_TX;
}

/* IPv6 in IPv4 and back, as the packet comes. */
SEC("xdp")
int six_in_four(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	__u16 length = packet_end(ctx) - packet_start(ctx) - sizeof(*eth);
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > packet_end(ctx))
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP) && ip->ihl == 5 && ip->protocol == IPPROTO_IPV6)
		return move_head(ctx, sizeof(*ip), bpf_htons(ETH_P_IPV6)) ? XDP_TX : XDP_DROP;
	if (eth->h_proto != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	eth = move_head(ctx, -(int)sizeof(*ip), bpf_htons(ETH_P_IP));
	if (!eth)
		return XDP_ABORTED;
	ip = (void *)(eth + 1);
	if ((void *)(ip + 1) > packet_end(ctx))
		return XDP_ABORTED;
	outer_ipv4(ip, IPPROTO_IPV6, length + sizeof(*ip));
	return XDP_TX;
}
