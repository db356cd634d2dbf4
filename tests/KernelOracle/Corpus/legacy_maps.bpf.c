/* An object as of 2018: map definitions in the section "maps", no BTF. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct bpf_map_def {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
};

struct bpf_map_def SEC("maps") port_counts = {
	.type = BPF_MAP_TYPE_HASH,
	.key_size = sizeof(__u16),
	.value_size = sizeof(__u64),
	.max_entries = 512,
};

struct bpf_map_def SEC("maps") totals = {
	.type = BPF_MAP_TYPE_PERCPU_ARRAY,
	.key_size = sizeof(__u32),
	.value_size = sizeof(__u64),
	.max_entries = 8,
};

struct bpf_map_def SEC("maps") networks = {
	.type = BPF_MAP_TYPE_LPM_TRIE,
	.key_size = 8,
	.value_size = 4,
	.max_entries = 64,
	.map_flags = BPF_F_NO_PREALLOC,
};

SEC("xdp_ports")
int legacy_ports(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;
	__u64 *packets, one = 1;
	__u16 port;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	port = bpf_ntohs(flow.destination_port);
	packets = bpf_map_lookup_elem(&port_counts, &port);
	if (packets) {
		__sync_fetch_and_add(packets, 1);
		return *packets > 4 ? XDP_DROP : XDP_TX;
	}
	return bpf_map_update_elem(&port_counts, &port, &one, BPF_ANY) ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp_totals")
int legacy_totals(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__be16 proto = next_ethernet(&cursor);

	count(&totals, proto == bpf_htons(ETH_P_IP) ? 0 : proto == bpf_htons(ETH_P_IPV6) ? 1 : proto ? 2 : 3, 1);
	count(&totals, 4, packet_end(ctx) - packet_start(ctx));
	return proto ? XDP_PASS : XDP_DROP;
}

SEC("xdp_networks")
int legacy_networks(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__u32 key[2] = { 20 }, *seen, one = 1;
	struct iphdr *ip;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip)
		return XDP_DROP;
	key[1] = ip->saddr;
	seen = bpf_map_lookup_elem(&networks, key);
	if (!seen) {
		key[0] = 16 + (ip->ttl & 7);
		return bpf_map_update_elem(&networks, key, &one, BPF_ANY) ? XDP_ABORTED : XDP_PASS;
	}
	*seen += 1;
	return XDP_TX;
}
