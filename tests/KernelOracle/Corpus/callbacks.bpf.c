/* Functions that helpers call back: loops over bytes, maps walked, entries thrown out on the way. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __be32);
	__type(value, __u64);
	__uint(max_entries, 64);
} hosts SEC(".maps");

counter_map(histogram, 16);
counter_map(results, 8);

struct summing {
	struct xdp_md *ctx;
	__u32 sum;
	__u32 visited;
};

static long add_word(__u32 index, struct summing *summing)
{
	__be16 *word = packet_start(summing->ctx) + (index & 0x7ff) * 2;

	if ((void *)(word + 1) > packet_end(summing->ctx))
		return 1;
	summing->sum += *word;
	summing->visited++;
	return 0;
}

SEC("xdp")
int checksum_by_loop(struct xdp_md *ctx)
{
	struct summing summing = { .ctx = ctx };
	__u32 length = packet_end(ctx) - packet_start(ctx);
	long loops = bpf_loop(length / 2 + 3, add_word, &summing, 0);

	count(&results, 0, loops);
	count(&results, 1, summing.sum);
	count(&results, 2, summing.visited);
	return csum_fold(summing.sum) & 1 ? XDP_PASS : XDP_DROP;
}

struct nested {
	__u32 outer;
	__u64 total;
};

static long inner(__u32 index, struct nested *nested)
{
	nested->total += (__u64)index * nested->outer;
	return index == 6;
}

static long outer(__u32 index, struct nested *nested)
{
	nested->outer = index;
	return bpf_loop(10, inner, nested, 0) != 7;
}

SEC("xdp")
int nested_loops(struct xdp_md *ctx)
{
	struct nested nested = {};
	__u32 length = packet_end(ctx) - packet_start(ctx);
	long loops = bpf_loop(length & 31, outer, &nested, 0);

	count(&results, 3, loops);
	count(&results, 4, nested.total);
	/* Too many, and a flag that there is not. */
	count(&results, 5, -bpf_loop((1 << 23) + 1, inner, &nested, 0));
	count(&results, 6, -bpf_loop(1, inner, &nested, 1));
	return nested.total & 4 ? XDP_TX : XDP_PASS;
}

struct visit {
	__u64 sum;
	__u32 limit;
	__u32 seen;
};

static long add_slot(void *map, __u32 *key, __u64 *value, struct visit *visit)
{
	visit->sum += *value * (*key + 1);
	visit->seen++;
	return *key >= visit->limit;
}

SEC("xdp")
int walk_array(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	struct visit visit = { .limit = length % 20 };
	long visited;

	count(&histogram, length & 15, length);
	visited = bpf_for_each_map_elem(&histogram, add_slot, &visit, 0);
	count(&results, 7, visit.sum);
	return visited == 16 ? XDP_PASS : XDP_DROP;
}

/* The order of a hash is nobody's business: what is done does not depend on it. */
static long expire(void *map, __be32 *key, __u64 *value, struct visit *visit)
{
	visit->seen++;
	visit->sum += *value;
	if (*value >= visit->limit)
		bpf_map_delete_elem(map, key);
	return 0;
}

SEC("xdp")
int walk_hash(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct visit visit = { .limit = 4 };
	__u64 one = 1, *packets;
	struct iphdr *ip;
	__be32 source;
	long visited;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip)
		return XDP_ABORTED;
	source = ip->saddr;
	packets = bpf_map_lookup_elem(&hosts, &source);
	if (packets)
		*packets += 1;
	else if (bpf_map_update_elem(&hosts, &source, &one, BPF_NOEXIST))
		return XDP_DROP;
	visited = bpf_for_each_map_elem(&hosts, expire, &visit, 0);
	if (visited != visit.seen)
		return XDP_ABORTED;
	return visit.sum & 1 ? XDP_TX : XDP_PASS;
}
