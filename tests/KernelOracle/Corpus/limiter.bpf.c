/* Rate limiters. The packets themselves are the clock, so that runs repeat. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

__u64 ticks;

struct bucket {
	__u64 filled;
	__u32 tokens;
	__u32 dropped;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __be32);
	__type(value, struct bucket);
	__uint(max_entries, 256);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__type(key, struct flow);
	__type(value, __u32);
	__uint(max_entries, 1024);
} syns SEC(".maps");

struct shared_bucket {
	struct bpf_spin_lock lock;
	__u32 rounds;
	__s64 credit;
	__u64 total;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct shared_bucket);
	__uint(max_entries, 16);
} shared_buckets SEC(".maps");

static __always_inline struct iphdr *ipv4_of(struct cursor *cursor)
{
	return next_ethernet(cursor) == bpf_htons(ETH_P_IP) ? next_ipv4(cursor) : NULL;
}

SEC("xdp")
int packets_per_source(struct xdp_md *ctx)
{
	const __u32 burst = 5, per_token = 7;
	struct cursor cursor = cursor_of(ctx);
	struct iphdr *ip = ipv4_of(&cursor);
	struct bucket *bucket;
	__u64 now = ++ticks, fresh;
	__be32 source;

	if (!ip)
		return XDP_PASS;
	source = ip->saddr;
	bucket = bpf_map_lookup_elem(&buckets, &source);
	if (!bucket) {
		struct bucket full = { now, burst - 1, 0 };

		bpf_map_update_elem(&buckets, &source, &full, BPF_ANY);
		return XDP_PASS;
	}
	fresh = (now - bucket->filled) / per_token;
	if (fresh) {
		bucket->filled += fresh * per_token;
		bucket->tokens = bucket->tokens + fresh > burst ? burst : bucket->tokens + fresh;
	}
	if (!bucket->tokens) {
		bucket->dropped++;
		return XDP_DROP;
	}
	bucket->tokens--;
	return XDP_PASS;
}

SEC("xdp")
int syns_per_flow(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct tcphdr *tcp;
	struct flow flow;
	__u32 *seen, one = 1;

	if (!next_flow(&cursor, &flow) || flow.protocol != IPPROTO_TCP)
		return XDP_PASS;
	tcp = cursor.position - sizeof(struct udphdr);
	if ((void *)(tcp + 1) > cursor.end)
		return XDP_ABORTED;
	if (!(tcp->flags & TCP_SYN))
		return XDP_TX;
	flow.source_port = 0;
	seen = bpf_map_lookup_elem(&syns, &flow);
	if (!seen)
		return bpf_map_update_elem(&syns, &flow, &one, BPF_NOEXIST) ? XDP_ABORTED : XDP_PASS;
	return ++*seen > 3 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int bytes_of_classes(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct iphdr *ip = ipv4_of(&cursor);
	__u32 length = packet_end(ctx) - packet_start(ctx), class;
	struct shared_bucket *bucket;
	int verdict = XDP_PASS;

	if (!ip)
		return XDP_PASS;
	class = ip->tos >> 4;
	bucket = bpf_map_lookup_elem(&shared_buckets, &class);
	if (!bucket)
		return XDP_ABORTED;
	bpf_spin_lock(&bucket->lock);
	bucket->total += length;
	bucket->credit += 120;
	if (bucket->credit > 2000)
		bucket->credit = 2000;
	if (bucket->credit < (__s64)length)
		verdict = XDP_DROP;
	else
		bucket->credit -= length;
	bucket->rounds++;
	bpf_spin_unlock(&bucket->lock);
	return verdict;
}

/* One in so many, by division and by remainder. */
SEC("xdp")
int one_in_n(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	__u64 now = ++ticks;

	if (now % (length % 13 + 1) == 0)
		return XDP_DROP;
	return now / (length % 7 + 1) & 1 ? XDP_TX : XDP_PASS;
}
