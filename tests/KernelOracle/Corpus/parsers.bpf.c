/* Parsers that go deep: what they found is counted by kind, so that a wrong turn anywhere shows in a map. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

counter_map(depths, 16);
counter_map(labels, 64);
counter_map(extensions, 256);
counter_map(tunnels, 64);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 512);
} identifiers SEC(".maps");

struct mss_of {
	__be16 port;
	__u16 mss;
	__u8 scale;
	__u8 sack;
	__u16 options;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct mss_of);
	__type(value, __u32);
	__uint(max_entries, 1024);
} offers SEC(".maps");

static __always_inline void note(__u32 identifier)
{
	__u64 one = 1;
	__u64 *seen = bpf_map_lookup_elem(&identifiers, &identifier);

	if (seen)
		*seen += 1;
	else
		bpf_map_update_elem(&identifiers, &identifier, &one, BPF_NOEXIST);
}

SEC("xdp")
int vlan_depth(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ethhdr *eth = next_header(&cursor, struct ethhdr);
	__be16 proto;
	__u32 depth;

	if (!eth)
		return XDP_ABORTED;
	proto = eth->h_proto;
	for (depth = 0; depth < 6; depth++) {
		struct vlan_hdr *vlan;

		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		vlan = next_header(&cursor, struct vlan_hdr);
		if (!vlan)
			return XDP_DROP;
		note((depth << 16) | (bpf_ntohs(vlan->h_vlan_TCI) & 0xfff));
		proto = vlan->h_vlan_encapsulated_proto;
	}
	count(&depths, depth, 1);
	return depth > 2 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int mpls_labels(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__be16 proto = next_ethernet(&cursor);

	if (proto != bpf_htons(ETH_P_MPLS))
		return XDP_PASS;
	for (int depth = 0; depth < 8; depth++) {
		__be32 *entry = next_header(&cursor, __be32);
		__u32 word;

		if (!entry)
			return XDP_ABORTED;
		word = bpf_ntohl(*entry);
		count(&labels, (word >> 12) & 63, 1);
		if ((word & 0xff) < 2)
			return XDP_DROP;
		if (word & 0x100) {
			__u8 *version = next_header(&cursor, __u8);

			if (!version)
				return XDP_DROP;
			return (*version >> 4) == 4 ? XDP_PASS : (*version >> 4) == 6 ? XDP_TX : XDP_DROP;
		}
	}
	return XDP_DROP;
}

SEC("xdp")
int ipv6_extensions(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ipv6hdr *ip;
	__u8 next;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	ip = next_header(&cursor, struct ipv6hdr);
	if (!ip)
		return XDP_DROP;
	next = ip->nexthdr;
#pragma clang loop unroll(full)
	for (int i = 0; i < 6; i++) {
		struct ipv6_ext_hdr *extension;
		__u64 length;

		count(&extensions, next, 1);
		switch (next) {
		case IPPROTO_HOPOPTS:
			if (i)
				return XDP_DROP;
			/* fallthrough */
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_FRAGMENT:
		case IPPROTO_AH:
			extension = next_header(&cursor, struct ipv6_ext_hdr);
			if (!extension)
				return XDP_ABORTED;
			length = next == IPPROTO_AH ? (extension->hdrlen + 2) * 4 : extension->hdrlen * 8;
			if (next == IPPROTO_FRAGMENT)
				length = 0;
			else if (next == IPPROTO_AH)
				length = length > 8 ? length - 8 : 0;
			next = extension->nexthdr;
			opaque(length);
			length &= 0x7fc;
			if (cursor.position + length > cursor.end)
				return XDP_DROP;
			cursor.position += length;
			break;
		default:
			return next == IPPROTO_TCP || next == IPPROTO_UDP ? XDP_TX : XDP_PASS;
		}
	}
	return XDP_DROP;
}

SEC("xdp")
int gre_keys(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct grehdr *gre;
	struct iphdr *ip;
	__u16 flags;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip || ip->protocol != IPPROTO_GRE)
		return XDP_PASS;
	gre = next_header(&cursor, struct grehdr);
	if (!gre)
		return XDP_DROP;
	flags = bpf_ntohs(gre->flags);
	if (flags & 7)
		return XDP_ABORTED;
	if (flags & 0x8000 && !next_header(&cursor, __be32))
		return XDP_DROP;
	if (flags & 0x2000) {
		__be32 *key = next_header(&cursor, __be32);

		if (!key)
			return XDP_DROP;
		note(bpf_ntohl(*key));
	}
	if (flags & 0x1000 && !next_header(&cursor, __be32))
		return XDP_DROP;
	count(&tunnels, gre->protocol == bpf_htons(ETH_P_IP) ? 0 : gre->protocol == bpf_htons(ETH_P_TEB) ? 1 : 2, 1);
	if (gre->protocol == bpf_htons(ETH_P_TEB))
		return next_ethernet(&cursor) == bpf_htons(ETH_P_IP) ? XDP_TX : XDP_DROP;
	return XDP_TX;
}

static __always_inline struct udphdr *next_udp(struct cursor *cursor)
{
	__be16 proto = next_ethernet(cursor);

	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = next_ipv4(cursor);

		if (!ip || ip->protocol != IPPROTO_UDP || ip->frag_off & bpf_htons(IP_OFFSET))
			return NULL;
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = next_header(cursor, struct ipv6hdr);

		if (!ip || ip->nexthdr != IPPROTO_UDP)
			return NULL;
	} else {
		return NULL;
	}
	return next_header(cursor, struct udphdr);
}

SEC("xdp")
int vxlan_inner(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct udphdr *udp = next_udp(&cursor);
	struct vxlanhdr *vxlan;
	__be16 inner;

	if (!udp || udp->dest != bpf_htons(VXLAN_PORT))
		return XDP_PASS;
	vxlan = next_header(&cursor, struct vxlanhdr);
	if (!vxlan || !(vxlan->flags & bpf_htonl(0x08000000)))
		return XDP_DROP;
	note(bpf_ntohl(vxlan->vni) >> 8);
	inner = next_ethernet(&cursor);
	count(&tunnels, 8 + (inner == bpf_htons(ETH_P_IP)) + 2 * (inner == bpf_htons(ETH_P_IPV6)), 1);
	if (inner == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = next_ipv4(&cursor);

		if (!ip)
			return XDP_ABORTED;
		count(&extensions, ip->protocol, 1);
		return XDP_TX;
	}
	return XDP_PASS;
}

SEC("xdp")
int geneve_options(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct udphdr *udp = next_udp(&cursor);
	struct genevehdr *geneve;
	__u32 left;

	if (!udp || udp->dest != bpf_htons(GENEVE_PORT))
		return XDP_PASS;
	geneve = next_header(&cursor, struct genevehdr);
	if (!geneve || geneve->version)
		return XDP_DROP;
	note(bpf_ntohl(geneve->vni) >> 8);
	left = geneve->option_words;
	for (int i = 0; i < 8 && left; i++) {
		__be32 *option = next_header(&cursor, __be32);
		__u32 word, length;

		if (!option)
			return XDP_ABORTED;
		word = bpf_ntohl(*option);
		length = word & 31;
		count(&labels, (word >> 8) & 63, 1);
		if (length + 1 > left || cursor.position + length * 4 > cursor.end)
			return XDP_DROP;
		cursor.position += length * 4;
		left -= length + 1;
	}
	return left ? XDP_DROP : XDP_TX;
}

SEC("xdp")
int tcp_options(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct mss_of offer = {};
	struct tcphdr *tcp;
	struct iphdr *ip;
	__u32 left, *seen, one = 1;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	tcp = next_header(&cursor, struct tcphdr);
	if (!tcp || tcp->doff < 5)
		return XDP_DROP;
	left = tcp->doff * 4 - sizeof(*tcp);
	offer.port = tcp->dest;
	for (int i = 0; i < 20 && left; i++) {
		__u8 *kind = cursor.position, *length = cursor.position + 1;

		if ((void *)(kind + 1) > cursor.end)
			return XDP_ABORTED;
		if (*kind == 0)
			break;
		if (*kind == 1) {
			cursor.position += 1;
			left--;
			continue;
		}
		if ((void *)(length + 1) > cursor.end || *length < 2 || *length > left)
			return XDP_DROP;
		if (*kind == 2 && cursor.position + 4 <= cursor.end)
			offer.mss = bpf_ntohs(*(__be16 *)(cursor.position + 2));
		else if (*kind == 3 && cursor.position + 3 <= cursor.end)
			offer.scale = *(__u8 *)(cursor.position + 2);
		else if (*kind == 4)
			offer.sack = 1;
		offer.options |= 1 << (*kind & 15);
		left -= *length;
		cursor.position += *length & 63;
	}
	seen = bpf_map_lookup_elem(&offers, &offer);
	if (seen)
		*seen += 1;
	else
		bpf_map_update_elem(&offers, &offer, &one, BPF_ANY);
	return offer.options ? XDP_TX : XDP_PASS;
}
