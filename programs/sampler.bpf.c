/*
 * Tells of packets picked at random: when each came, where, how long it was and how it began. Every packet passes.
 * Two ways to tell: `sampler` through a ring buffer, `sampler_perf` through a perf event array.
 */
#include "include/bpf.h"

/* Configuration: one packet in so many; 1 picks all. */
const volatile __u32 one_in = 1;

struct sample {
	__u64 time;
	__u32 cpu;
	__u32 ifindex;
	__u32 queue;
	__u32 length;
	__u32 random;
	__u8 start[20];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
} perf_samples SEC(".maps");

/* 0: packets picked, 1: those that there was no room to tell of. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

static __always_inline void count(__u32 what)
{
	__u64 *counter = bpf_map_lookup_elem(&counts, &what);

	if (counter)
		++*counter;
}

/* Is the packet to be told of? Its random number decides. */
static __always_inline int picks(struct xdp_md *ctx, __u32 random)
{
	if (one_in > 1 && random % one_in != 0)
		return 0;
	count(0);
	return packet_start(ctx) + sizeof_member(struct sample, start) <= packet_end(ctx);
}

static __always_inline void describe(struct xdp_md *ctx, struct sample *sample, __u32 random)
{
	sample->time = bpf_ktime_get_ns();
	sample->cpu = bpf_get_smp_processor_id();
	sample->ifindex = ctx->ingress_ifindex;
	sample->queue = ctx->rx_queue_index;
	sample->length = packet_end(ctx) - packet_start(ctx);
	sample->random = random;
}

SEC("xdp")
int sampler(struct xdp_md *ctx)
{
	__u32 random = bpf_get_prandom_u32();
	void *start = packet_start(ctx);
	struct sample *sample;

	if (!picks(ctx, random))
		return XDP_PASS;
	sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	if (!sample) {
		count(1);
		return XDP_PASS;
	}
	describe(ctx, sample, random);
	if (start + sizeof(sample->start) <= packet_end(ctx))
		__builtin_memcpy(sample->start, start, sizeof(sample->start));
	bpf_ringbuf_submit(sample, 0);
	return XDP_PASS;
}

SEC("xdp")
int sampler_perf(struct xdp_md *ctx)
{
	__u32 random = bpf_get_prandom_u32();
	void *start = packet_start(ctx);
	struct sample sample = {};
	__u32 length;

	if (!picks(ctx, random))
		return XDP_PASS;
	describe(ctx, &sample, random);
	if (start + sizeof(sample.start) <= packet_end(ctx))
		__builtin_memcpy(sample.start, start, sizeof(sample.start));
	length = sample.length < 64 ? sample.length : 64;
	if (bpf_perf_event_output(ctx, &perf_samples, BPF_F_CURRENT_CPU | BPF_F_CTXLEN(length), &sample, sizeof(sample)))
		count(1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
