/*
 * Two programs in one file: one puts an 802.1Q tag on every packet, the other takes the outer tag off. Both work at the
 * head alone, so they take packets in fragments (jumbo frames) too.
 */
#include "include/packets.h"

/* Configuration, set before loading: the tag to push (priority in the top three bits, then VLAN id). */
const volatile __u16 vlan_tci = 100;

/* Tags taken off, by VLAN id. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u16);
	__type(value, __u64);
} popped SEC(".maps");

SEC("xdp.frags")
int vlan_push(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	struct ethhdr old;
	struct vlan_hdr *vlan;

	if ((void *)(eth + 1) > packet_end(ctx))
		return XDP_DROP;
	old = *eth;
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*vlan)))
		return XDP_ABORTED;
	eth = packet_start(ctx);
	vlan = (void *)(eth + 1);
	if ((void *)(vlan + 1) > packet_end(ctx))
		return XDP_ABORTED;
	__builtin_memcpy(eth, &old, 2 * sizeof(old.h_dest));
	eth->h_proto = bpf_htons(ETH_P_8021Q);
	vlan->h_vlan_TCI = bpf_htons(vlan_tci);
	vlan->h_vlan_encapsulated_proto = old.h_proto;
	return XDP_TX;
}

SEC("xdp.frags")
int vlan_pop(struct xdp_md *ctx)
{
	struct cursor cursor = { packet_start(ctx), packet_end(ctx) };
	struct ethhdr *eth = next_header(&cursor, struct ethhdr);
	struct vlan_hdr *vlan;
	struct ethhdr new;
	__u64 *count;
	__u16 id;

	if (!eth || (eth->h_proto != bpf_htons(ETH_P_8021Q) && eth->h_proto != bpf_htons(ETH_P_8021AD)))
		return XDP_PASS;
	vlan = next_header(&cursor, struct vlan_hdr);
	if (!vlan)
		return XDP_DROP;
	id = bpf_ntohs(vlan->h_vlan_TCI) & 0xfff;
	new = *eth;
	new.h_proto = vlan->h_vlan_encapsulated_proto;
	if (bpf_xdp_adjust_head(ctx, sizeof(*vlan)))
		return XDP_ABORTED;
	eth = packet_start(ctx);
	if ((void *)(eth + 1) > packet_end(ctx))
		return XDP_ABORTED;
	*eth = new;
	count = bpf_map_lookup_elem(&popped, &id);
	if (count) {
		++*count;
	} else {
		__u64 one = 1;

		bpf_map_update_elem(&popped, &id, &one, BPF_NOEXIST);
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
