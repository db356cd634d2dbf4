/* What programs tell: records in ring buffers, perf events, queues and stacks. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} records SEC(".maps");

/* So small that it runs full. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} few_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 0);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, struct flow);
	__uint(max_entries, 32);
} recent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__type(value, __u64);
	__uint(max_entries, 16);
} last SEC(".maps");

counter_map(totals, 8);

struct record {
	__u32 length;
	__u16 kind;
	__u16 captured;
	__u8 bytes[48];
};

SEC("xdp")
int record_headers(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	__be16 proto = next_ethernet(&cursor);
	struct record *record;
	__u8 *from = packet_start(ctx);
	int i;

	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return XDP_DROP;
	record->length = packet_end(ctx) - packet_start(ctx);
	record->kind = proto;
	__builtin_memset(record->bytes, 0, sizeof(record->bytes));
	for (i = 0; i < (int)sizeof(record->bytes); i++) {
		if ((void *)(from + i + 1) > packet_end(ctx))
			break;
		record->bytes[i] = from[i];
	}
	record->captured = i;
	if (proto == bpf_htons(ETH_P_ARP)) {
		bpf_ringbuf_discard(record, 0);
		return XDP_TX;
	}
	bpf_ringbuf_submit(record, proto == bpf_htons(ETH_P_IP) ? 1 : 0);
	return XDP_PASS;
}

SEC("xdp")
int record_flows(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	if (bpf_ringbuf_output(&few_records, &flow, sizeof(flow), 0)) {
		count(&totals, 0, 1);
		return XDP_DROP;
	}
	count(&totals, 1, bpf_ringbuf_query(&few_records, 0));
	count(&totals, 2, bpf_ringbuf_query(&few_records, 1));
	count(&totals, 3, bpf_ringbuf_query(&few_records, 2));
	count(&totals, 4, bpf_ringbuf_query(&few_records, 3));
	return XDP_TX;
}

SEC("xdp")
int sample_packets(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx), sample = length < 64 ? length : 64;
	struct {
		__u32 length;
		__u32 sample;
		__u32 ifindex;
	} header = { length, sample, ctx->ingress_ifindex };
	long error = bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU | BPF_F_CTXLEN(sample), &header,
					   sizeof(header));

	count(&totals, 5, -error);
	return error ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int queue_flows(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow, oldest;

	if (!next_flow(&cursor, &flow))
		return bpf_map_pop_elem(&recent, &oldest) ? XDP_DROP : XDP_PASS;
	if (flow.protocol == IPPROTO_UDP)
		return bpf_map_push_elem(&recent, &flow, BPF_EXIST) ? XDP_ABORTED : XDP_TX;
	if (bpf_map_push_elem(&recent, &flow, BPF_ANY))
		return XDP_DROP;
	if (bpf_map_peek_elem(&recent, &oldest))
		return XDP_ABORTED;
	return oldest.version == 4 ? XDP_TX : XDP_PASS;
}

SEC("xdp")
int stack_lengths(struct xdp_md *ctx)
{
	__u64 length = packet_end(ctx) - packet_start(ctx), top = 0;

	if (length & 1) {
		if (bpf_map_pop_elem(&last, &top))
			return XDP_DROP;
		count(&totals, 6, top);
		return XDP_TX;
	}
	bpf_map_peek_elem(&last, &top);
	length += top << 1;
	return bpf_map_push_elem(&last, &length, length & 2 ? BPF_EXIST : BPF_ANY) ? XDP_ABORTED : XDP_PASS;
}

/* Records of a length that is known when it runs. */
SEC("xdp")
int record_bytes(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	__u64 taken = (length - 1) & 127;
	struct bpf_dynptr record;
	__u8 bytes[128] = {};

	opaque(taken);
	taken += 1;
	if (bpf_ringbuf_reserve_dynptr(&records, taken + 4, 0, &record)) {
		bpf_ringbuf_discard_dynptr(&record, 0);
		return XDP_DROP;
	}
	if (length != 60 && !bpf_xdp_load_bytes(ctx, 0, bytes, taken)) {
		bpf_dynptr_write(&record, 0, &length, 4, 0);
		bpf_dynptr_write(&record, 4, bytes, taken, 0);
		bpf_ringbuf_submit_dynptr(&record, 0);
		return XDP_PASS;
	}
	bpf_ringbuf_discard_dynptr(&record, 0);
	return XDP_TX;
}
