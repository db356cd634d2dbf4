/* Timers of flows: armed and cancelled; none of them ever comes, so that nothing depends on when. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct bpf_timer {
	__u64 opaque[2];
} __attribute__((aligned(8)));

static long (*const bpf_timer_init)(struct bpf_timer *timer, void *map, __u64 flags) = BPF_HELPER(169);
static long (*const bpf_timer_set_callback)(struct bpf_timer *timer, void *callback) = BPF_HELPER(170);
static long (*const bpf_timer_start)(struct bpf_timer *timer, __u64 nanoseconds, __u64 flags) = BPF_HELPER(171);
static long (*const bpf_timer_cancel)(struct bpf_timer *timer) = BPF_HELPER(172);

#define CLOCK_MONOTONIC 1
#define HOUR (3600ULL * 1000000000)

struct watched {
	__u64 packets;
	struct bpf_timer timer;
	__u64 started;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __be32);
	__type(value, struct watched);
	__uint(max_entries, 512);
} sources SEC(".maps");

counter_map(answers, 8);

static int forget(void *map, __be32 *source, struct watched *watched)
{
	bpf_map_delete_elem(map, source);
	return 0;
}

SEC("xdp")
int idle_timeout(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct watched *watched, fresh = {};
	struct iphdr *ip;
	__be32 source;
	long error;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip)
		return XDP_ABORTED;
	source = ip->saddr;
	watched = bpf_map_lookup_elem(&sources, &source);
	if (!watched) {
		if (bpf_map_update_elem(&sources, &source, &fresh, BPF_NOEXIST))
			return XDP_DROP;
		watched = bpf_map_lookup_elem(&sources, &source);
		if (!watched)
			return XDP_ABORTED;
		/* Not yet made, then made twice. */
		count(&answers, 0, -bpf_timer_cancel(&watched->timer));
		count(&answers, 1, -bpf_timer_start(&watched->timer, HOUR, 0));
		error = bpf_timer_init(&watched->timer, &sources, CLOCK_MONOTONIC);
		count(&answers, 2, -error);
		count(&answers, 3, -bpf_timer_init(&watched->timer, &sources, CLOCK_MONOTONIC));
		bpf_timer_set_callback(&watched->timer, forget);
	}
	watched->packets++;
	error = bpf_timer_start(&watched->timer, HOUR, watched->packets & 7 ? 0 : 1ULL << 10);
	count(&answers, 4, -error);
	if (!error)
		watched->started++;
	if (watched->packets % 5 == 0) {
		count(&answers, 5, bpf_timer_cancel(&watched->timer));
		count(&answers, 6, bpf_timer_cancel(&watched->timer));
		return XDP_TX;
	}
	return error ? XDP_DROP : XDP_PASS;
}
