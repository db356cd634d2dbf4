/*
 * A parser cut into programs that tail-call each other: Ethernet, VLAN (which calls itself for every tag), IPv4, IPv6,
 * TCP, UDP. What one program knows the next finds in the metadata in front of the packet. An end without a verdict of
 * its own shows what the tail call does when the prog array has no program there: nothing, and the caller goes on.
 */
#include "include/packets.h"

enum stage {
	STAGE_VLAN,
	STAGE_IPV4,
	STAGE_IPV6,
	STAGE_TCP,
	STAGE_UDP,
	STAGE_NONE, /* left empty */
	STAGE_COUNT,
};

int parse_vlan(struct xdp_md *ctx);
int parse_ipv4(struct xdp_md *ctx);
int parse_ipv6(struct xdp_md *ctx);
int parse_tcp(struct xdp_md *ctx);
int parse_udp(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, STAGE_COUNT);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} stages SEC(".maps") = {
	.values = {
		[STAGE_VLAN] = &parse_vlan,
		[STAGE_IPV4] = &parse_ipv4,
		[STAGE_IPV6] = &parse_ipv6,
		[STAGE_TCP] = &parse_tcp,
		[STAGE_UDP] = &parse_udp,
	},
};

/* Packets by protocol (high byte) and low byte of the destination port; what the whole chain found. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

/* How the chain ended, by the XDP action: an array in .bss, counted atomically because all CPUs share it. */
__u64 verdicts[5];

/* Handed from program to program. */
struct notes {
	__u16 offset; /* where the next header starts */
	__u8 tags;
	__u8 protocol;
};

#define MAX_OFFSET 0x3ff

static __always_inline int finish(int action)
{
	__sync_fetch_and_add(&verdicts[action], 1);
	return action;
}

/* The notes, and the cursor at the next header; null when there are none. */
static __always_inline struct notes *take_notes(struct xdp_md *ctx, struct cursor *cursor)
{
	struct notes *notes = packet_meta(ctx);

	cursor->position = packet_start(ctx);
	cursor->end = packet_end(ctx);
	if ((void *)(notes + 1) > packet_start(ctx))
		return NULL;
	cursor->position += notes->offset & MAX_OFFSET;
	return notes;
}

/* Goes on with the program for an EtherType; comes back when there is none. */
static __always_inline void next_by_ethertype(struct xdp_md *ctx, __be16 proto)
{
	switch (proto) {
	case bpf_htons(ETH_P_8021Q):
	case bpf_htons(ETH_P_8021AD):
		bpf_tail_call(ctx, &stages, STAGE_VLAN);
		break;
	case bpf_htons(ETH_P_IP):
		bpf_tail_call(ctx, &stages, STAGE_IPV4);
		break;
	case bpf_htons(ETH_P_IPV6):
		bpf_tail_call(ctx, &stages, STAGE_IPV6);
		break;
	}
}

/* The same for an IP protocol; the index is a variable here. */
static __always_inline void next_by_protocol(struct xdp_md *ctx, __u8 protocol)
{
	__u32 stage = protocol == IPPROTO_TCP ? STAGE_TCP : protocol == IPPROTO_UDP ? STAGE_UDP : STAGE_NONE;

	opaque(stage);
	bpf_tail_call(ctx, &stages, stage);
}

SEC("xdp")
int parse_ethernet(struct xdp_md *ctx)
{
	struct notes *notes;
	struct ethhdr *eth;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*notes)))
		return finish(XDP_ABORTED);
	notes = packet_meta(ctx);
	eth = packet_start(ctx);
	if ((void *)(notes + 1) > (void *)eth || (void *)(eth + 1) > packet_end(ctx))
		return finish(XDP_DROP);
	*notes = (struct notes){ .offset = sizeof(*eth) };
	next_by_ethertype(ctx, eth->h_proto);
	return finish(XDP_PASS);
}

SEC("xdp")
int parse_vlan(struct xdp_md *ctx)
{
	struct cursor cursor;
	struct notes *notes = take_notes(ctx, &cursor);
	struct vlan_hdr *vlan;

	if (!notes)
		return finish(XDP_ABORTED);
	vlan = next_header(&cursor, struct vlan_hdr);
	if (!vlan)
		return finish(XDP_DROP);
	notes->offset += sizeof(*vlan);
	notes->tags++;
	next_by_ethertype(ctx, vlan->h_vlan_encapsulated_proto);
	return finish(XDP_PASS);
}

SEC("xdp")
int parse_ipv4(struct xdp_md *ctx)
{
	struct cursor cursor;
	struct notes *notes = take_notes(ctx, &cursor);
	struct iphdr *ip;

	if (!notes)
		return finish(XDP_ABORTED);
	ip = next_ipv4(&cursor);
	if (!ip)
		return finish(XDP_DROP);
	notes->offset += ip->ihl * 4;
	notes->protocol = ip->protocol;
	if (ip->frag_off & bpf_htons(IP_OFFSET))
		return finish(XDP_PASS);
	next_by_protocol(ctx, ip->protocol);
	return finish(XDP_PASS);
}

SEC("xdp")
int parse_ipv6(struct xdp_md *ctx)
{
	struct cursor cursor;
	struct notes *notes = take_notes(ctx, &cursor);
	struct ipv6hdr *ip;

	if (!notes)
		return finish(XDP_ABORTED);
	ip = next_header(&cursor, struct ipv6hdr);
	if (!ip)
		return finish(XDP_DROP);
	notes->offset += sizeof(*ip);
	notes->protocol = ip->nexthdr;
	next_by_protocol(ctx, ip->nexthdr);
	return finish(XDP_PASS);
}

static __always_inline void count_port(__u8 protocol, __be16 port)
{
	__u32 key = protocol << 8 | (bpf_ntohs(port) & 0xff);
	__u64 *count = bpf_map_lookup_elem(&seen, &key);

	if (count) {
		++*count;
	} else {
		__u64 one = 1;

		bpf_map_update_elem(&seen, &key, &one, BPF_ANY);
	}
}

SEC("xdp")
int parse_tcp(struct xdp_md *ctx)
{
	struct cursor cursor;
	struct notes *notes = take_notes(ctx, &cursor);
	struct tcphdr *tcp;

	if (!notes)
		return finish(XDP_ABORTED);
	tcp = next_header(&cursor, struct tcphdr);
	if (!tcp)
		return finish(XDP_DROP);
	count_port(notes->protocol, tcp->dest);
	/* The metadata goes: what passes has none for the stack to trip over. */
	bpf_xdp_adjust_meta(ctx, sizeof(*notes));
	return finish(XDP_PASS);
}

SEC("xdp")
int parse_udp(struct xdp_md *ctx)
{
	struct cursor cursor;
	struct notes *notes = take_notes(ctx, &cursor);
	struct udphdr *udp;
	__u8 tags;

	if (!notes)
		return finish(XDP_ABORTED);
	udp = next_header(&cursor, struct udphdr);
	if (!udp)
		return finish(XDP_DROP);
	tags = notes->tags;
	count_port(notes->protocol, udp->dest);
	return finish(tags ? XDP_DROP : XDP_TX);
}

char LICENSE[] SEC("license") = "GPL";
