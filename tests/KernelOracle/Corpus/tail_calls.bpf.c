/* Chains of tail calls, what they hand on in a map, and the end of chains that have none. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

int stage_vlan(struct xdp_md *ctx);
int stage_ipv4(struct xdp_md *ctx);
int stage_ipv6(struct xdp_md *ctx);
int stage_again(struct xdp_md *ctx);

enum { VLAN, IPV4, IPV6, ABSENT, AGAIN };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(key_size, 4);
	__uint(max_entries, 8);
	__array(values, int(struct xdp_md *));
} stages SEC(".maps") = {
	.values = { [VLAN] = &stage_vlan, [IPV4] = &stage_ipv4, [IPV6] = &stage_ipv6, [AGAIN] = &stage_again },
};

struct state {
	__u32 offset;
	__u32 steps;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct state);
	__uint(max_entries, 1);
} handed_on SEC(".maps");

counter_map(visits, 8);

static __always_inline struct state *state_of(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&handed_on, &zero);
}

static __always_inline int by_ethertype(struct xdp_md *ctx, __be16 proto)
{
	switch (proto) {
	case bpf_htons(ETH_P_8021Q):
	case bpf_htons(ETH_P_8021AD):
		bpf_tail_call(ctx, &stages, VLAN);
		break;
	case bpf_htons(ETH_P_IP):
		bpf_tail_call(ctx, &stages, IPV4);
		break;
	case bpf_htons(ETH_P_IPV6):
		bpf_tail_call(ctx, &stages, IPV6);
		break;
	default:
		bpf_tail_call(ctx, &stages, ABSENT);
	}
	return XDP_PASS;
}

SEC("xdp")
int chain(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	struct state *state = state_of();

	if (!state || (void *)(eth + 1) > packet_end(ctx))
		return XDP_ABORTED;
	state->offset = sizeof(*eth);
	state->steps = 0;
	return by_ethertype(ctx, eth->h_proto);
}

SEC("xdp")
int stage_vlan(struct xdp_md *ctx)
{
	struct state *state = state_of();
	struct vlan_hdr *vlan;

	if (!state || state->offset > 64)
		return XDP_ABORTED;
	vlan = packet_start(ctx) + state->offset;
	if ((void *)(vlan + 1) > packet_end(ctx))
		return XDP_DROP;
	count(&visits, VLAN, 1);
	state->offset += sizeof(*vlan);
	state->steps++;
	return by_ethertype(ctx, vlan->h_vlan_encapsulated_proto);
}

SEC("xdp")
int stage_ipv4(struct xdp_md *ctx)
{
	struct state *state = state_of();
	struct iphdr *ip;

	if (!state || state->offset > 64)
		return XDP_ABORTED;
	ip = packet_start(ctx) + state->offset;
	if ((void *)(ip + 1) > packet_end(ctx))
		return XDP_DROP;
	count(&visits, IPV4, 1 + state->steps);
	ip->tos = state->steps << 2;
	return XDP_TX;
}

SEC("xdp")
int stage_ipv6(struct xdp_md *ctx)
{
	count(&visits, IPV6, 1);
	return packet_end(ctx) - packet_start(ctx) > 80 ? XDP_TX : XDP_DROP;
}

/* Calls itself until the kernel stops it, which is 33 calls later. */
SEC("xdp")
int endless(struct xdp_md *ctx)
{
	struct state *state = state_of();

	if (!state)
		return XDP_ABORTED;
	state->offset = packet_end(ctx) - packet_start(ctx);
	state->steps = 0;
	bpf_tail_call(ctx, &stages, AGAIN);
	return XDP_ABORTED;
}

SEC("xdp")
int stage_again(struct xdp_md *ctx)
{
	struct state *state = state_of();

	if (!state)
		return XDP_ABORTED;
	state->steps++;
	count(&visits, AGAIN, 1);
	if (state->offset & 1 && state->steps > state->offset >> 3)
		return XDP_PASS;
	bpf_tail_call(ctx, &stages, AGAIN);
	return state->steps == 33 ? XDP_DROP : XDP_TX;
}

/* The index comes from the packet: mostly none is there. */
SEC("xdp")
int by_packet(struct xdp_md *ctx)
{
	__u8 *byte = packet_start(ctx);
	struct state *state = state_of();

	if (!state || (void *)(byte + 14) > packet_end(ctx))
		return XDP_ABORTED;
	state->offset = sizeof(struct ethhdr);
	state->steps = byte[5];
	bpf_tail_call(ctx, &stages, byte[11] & 15);
	return XDP_DROP;
}
