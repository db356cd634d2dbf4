/* Counting and summarising: per CPU, least recently used, filters, sketches, histograms. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct totals {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct totals);
	__uint(max_entries, 256);
} by_protocol SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__type(key, struct flow);
	__type(value, struct totals);
	__uint(max_entries, 8192);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(map_flags, BPF_F_NO_COMMON_LRU);
	__type(key, __be32);
	__type(value, struct totals);
	__uint(max_entries, 4096);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__type(value, struct flow);
	__uint(max_entries, 4096);
	__uint(map_extra, 5);
} seen SEC(".maps");

counter_map(lengths, 32);

#define SKETCH_ROWS 4
#define SKETCH_COLUMNS 256
static __u32 sketch[SKETCH_ROWS][SKETCH_COLUMNS];
static __u8 registers[64];

SEC("xdp")
int protocols(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct totals *totals;
	struct flow flow;
	__u32 protocol = 255;

	if (next_flow(&cursor, &flow))
		protocol = flow.protocol;
	totals = bpf_map_lookup_elem(&by_protocol, &protocol);
	if (!totals)
		return XDP_ABORTED;
	totals->packets++;
	totals->bytes += packet_end(ctx) - packet_start(ctx);
	return totals->packets & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int top_flows(struct xdp_md *ctx)
{
	struct totals *totals, first = { 1, packet_end(ctx) - packet_start(ctx) };
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	totals = bpf_map_lookup_elem(&flows, &flow);
	if (!totals) {
		bpf_map_update_elem(&flows, &flow, &first, BPF_ANY);
		return XDP_DROP;
	}
	totals->packets++;
	totals->bytes += first.bytes;
	return totals->packets > 2 ? XDP_TX : XDP_PASS;
}

SEC("xdp")
int top_sources(struct xdp_md *ctx)
{
	struct totals *totals, first = { 1, packet_end(ctx) - packet_start(ctx) };
	struct cursor cursor = cursor_of(ctx);
	struct iphdr *ip;
	__be32 source;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip)
		return XDP_DROP;
	source = ip->saddr;
	totals = bpf_map_lookup_elem(&sources, &source);
	if (!totals)
		return bpf_map_update_elem(&sources, &source, &first, BPF_NOEXIST) ? XDP_ABORTED : XDP_PASS;
	__sync_fetch_and_add(&totals->packets, 1);
	__sync_fetch_and_add(&totals->bytes, first.bytes);
	return XDP_TX;
}

/* What a Bloom filter holds it always finds, so the order of look-up and addition makes the verdict certain. */
SEC("xdp")
int filter_of_flows(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	if (bpf_map_push_elem(&seen, &flow, BPF_ANY))
		return XDP_ABORTED;
	return bpf_map_peek_elem(&seen, &flow) ? XDP_DROP : XDP_TX;
}

static __always_inline __u32 log2_of(__u32 value)
{
	__u32 result = 0, shift;

	shift = (value > 0xffff) << 4;
	value >>= shift;
	result |= shift;
	shift = (value > 0xff) << 3;
	value >>= shift;
	result |= shift;
	shift = (value > 0xf) << 2;
	value >>= shift;
	result |= shift;
	shift = (value > 0x3) << 1;
	value >>= shift;
	return result | shift | value >> 1;
}

SEC("xdp")
int histogram(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);

	count(&lengths, log2_of(length), 1);
	count(&lengths, 16 + (length & 15), 1);
	return length & 16 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int count_min(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__u32 least = ~0u;
	struct flow flow;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	for (int row = 0; row < SKETCH_ROWS; row++) {
		__u32 *cell = &sketch[row][flow_hash(&flow, row * 0x9e3779b9) & (SKETCH_COLUMNS - 1)];

		*cell += 1;
		if (*cell < least)
			least = *cell;
	}
	return least > 3 ? XDP_DROP : XDP_TX;
}

/* How many different flows there are: HyperLogLog with 64 registers. */
SEC("xdp")
int distinct_flows(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__u32 hash, rank = 1, index;
	struct flow flow;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	hash = flow_hash(&flow, 1);
	index = hash & 63;
	for (hash >>= 6; rank < 27 && !(hash & 1); hash >>= 1)
		rank++;
	if (registers[index] >= rank)
		return XDP_DROP;
	registers[index] = rank;
	return XDP_TX;
}
