/*
 * Asks the helpers what they do at their edges and writes their answers down: one program for each family of helpers.
 * Compared with what the kernel answers, it is the specification of the error codes.
 */
#include "include/packets.h"

#define MAX_RESULTS 64

/* What each call returned, in order; the rest stays as it was. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_RESULTS);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

/* Maps to misuse. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u64);
} percpu_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} percpu_array SEC(".maps");

struct prefix {
	__u32 length;
	__be32 address;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u64);
} trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} device_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} sockets SEC(".maps");

static __always_inline void record(__u32 *index, __s64 result)
{
	__s64 *slot = bpf_map_lookup_elem(&results, index);

	if (slot)
		*slot = result;
	++*index;
}

static __always_inline __s64 packet_length(struct xdp_md *ctx)
{
	return packet_end(ctx) - packet_start(ctx);
}

SEC("xdp")
int probe_checksum(struct xdp_md *ctx)
{
	__be32 words[8] = { 1, 0xffff0000, 0x80000001, 0xffffffff, 5, 6, 7, 8 };
	__be32 *data = packet_start(ctx);
	__u32 i = 0;
	__u32 size;

	if ((void *)(data + 5) > packet_end(ctx))
		return XDP_DROP;
	words[4] = data[1];
	words[5] = data[2];
	record(&i, bpf_csum_diff(NULL, 0, words, 32, 0));
	record(&i, bpf_csum_diff(words, 32, NULL, 0, 0));
	record(&i, bpf_csum_diff(words, 32, words, 32, 0));
	record(&i, bpf_csum_diff(words, 16, words + 4, 16, 0));
	record(&i, bpf_csum_diff(words, 4, words + 4, 16, 0xffff));
	record(&i, bpf_csum_diff(words + 4, 16, words, 4, 0xffffffff));
	record(&i, bpf_csum_diff(NULL, 0, NULL, 0, 0));
	record(&i, bpf_csum_diff(NULL, 0, NULL, 0, 0x12345678));
	record(&i, bpf_csum_diff(NULL, 0, data, 20, 0));
	record(&i, bpf_csum_diff(data, 20, words, 20, ~0U));
	record(&i, bpf_csum_diff(NULL, 0, words, 6, 0));
	record(&i, bpf_csum_diff(words, 3, words, 4, 0));
	size = data[0] & 28;
	record(&i, bpf_csum_diff(NULL, 0, words, size, data[3]));
	record(&i, bpf_csum_diff(words, size, NULL, 0, data[3]));
	return XDP_PASS;
}

SEC("xdp")
int probe_head(struct xdp_md *ctx)
{
	__s64 length = packet_length(ctx);
	__u32 i = 0;

	record(&i, length);
	record(&i, bpf_xdp_adjust_head(ctx, 0));
	record(&i, bpf_xdp_adjust_head(ctx, 14 - length));
	record(&i, bpf_xdp_adjust_head(ctx, length - 13)); /* leaves less than an Ethernet header */
	record(&i, bpf_xdp_adjust_head(ctx, length + 1));
	record(&i, bpf_xdp_adjust_head(ctx, -4096));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_head(ctx, 3));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_head(ctx, -20));
	record(&i, packet_length(ctx));
	/* In steps of 64 until the headroom is used up, then byte by byte. */
#pragma clang loop unroll(disable)
	for (int step = 0; step < 5; step++)
		record(&i, bpf_xdp_adjust_head(ctx, -64));
#pragma clang loop unroll(disable)
	for (int step = 0; step < 70; step++) {
		if (bpf_xdp_adjust_head(ctx, -1))
			break;
	}
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_head(ctx, packet_length(ctx) - 14));
	record(&i, packet_length(ctx));
	return XDP_TX;
}

SEC("xdp")
int probe_tail(struct xdp_md *ctx)
{
	__s64 length = packet_length(ctx);
	__u32 i = 0;
	__u8 *data;

	record(&i, bpf_xdp_adjust_tail(ctx, 0));
	record(&i, bpf_xdp_adjust_tail(ctx, 14 - length - 1)); /* leaves less than an Ethernet header */
	record(&i, bpf_xdp_adjust_tail(ctx, -length - 1));
	record(&i, bpf_xdp_adjust_tail(ctx, 4096));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_tail(ctx, 100)); /* what is new is zero */
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_tail(ctx, -50));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_tail(ctx, 70));
	record(&i, packet_length(ctx));
#pragma clang loop unroll(disable)
	for (int step = 0; step < 8; step++)
		record(&i, bpf_xdp_adjust_tail(ctx, 512));
	record(&i, packet_length(ctx));
	data = packet_start(ctx);
	if ((void *)(data + 64) <= packet_end(ctx))
		data[63] ^= 0xff;
	return XDP_TX;
}

/* The same for packets in fragments: what the tail loses and gains, whole fragments included. */
SEC("xdp.frags")
int probe_fragments(struct xdp_md *ctx)
{
	__u32 i = 0;

	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_tail(ctx, -100));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_tail(ctx, 50));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_head(ctx, -30));
	record(&i, bpf_xdp_adjust_head(ctx, 60));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_meta(ctx, -16));
	record(&i, bpf_xdp_adjust_tail(ctx, -4000));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_tail(ctx, 3000));
	record(&i, packet_length(ctx));
	record(&i, bpf_xdp_adjust_tail(ctx, -20000));
	record(&i, packet_length(ctx));
	return XDP_TX;
}

SEC("xdp")
int probe_meta(struct xdp_md *ctx)
{
	__u32 i = 0;
	__u32 *meta;

	record(&i, packet_start(ctx) - packet_meta(ctx));
	record(&i, bpf_xdp_adjust_meta(ctx, 0));
	record(&i, bpf_xdp_adjust_meta(ctx, 4)); /* behind the packet's start */
	record(&i, bpf_xdp_adjust_meta(ctx, -3));
	record(&i, bpf_xdp_adjust_meta(ctx, -4));
	record(&i, bpf_xdp_adjust_meta(ctx, -28));
	record(&i, packet_start(ctx) - packet_meta(ctx));
	record(&i, bpf_xdp_adjust_meta(ctx, -4));
	record(&i, bpf_xdp_adjust_meta(ctx, -220));
	record(&i, bpf_xdp_adjust_meta(ctx, -256));
	record(&i, packet_start(ctx) - packet_meta(ctx));
	meta = packet_meta(ctx);
	if ((void *)(meta + 1) <= packet_start(ctx))
		*meta = 0xfeedc0de;
	/* The metadata moves with the head. */
	record(&i, bpf_xdp_adjust_head(ctx, -8));
	meta = packet_meta(ctx);
	if ((void *)(meta + 1) <= packet_start(ctx))
		record(&i, *meta);
	record(&i, bpf_xdp_adjust_head(ctx, -240));
	record(&i, bpf_xdp_adjust_head(ctx, 8));
	record(&i, packet_start(ctx) - packet_meta(ctx));
	record(&i, bpf_xdp_adjust_meta(ctx, 32));
	record(&i, packet_start(ctx) - packet_meta(ctx));
	return XDP_PASS;
}

/* The same questions to any map with 4-byte keys and 8-byte values: does it exist, can it, what does a wrong flag say? */
#define PROBE_MAP(map, absent, present)                                                                                \
	do {                                                                                                           \
		__u32 key_ = absent;                                                                                   \
		__u64 value_ = 77;                                                                                     \
		record(&i, bpf_map_update_elem(map, &key_, &value_, BPF_EXIST));                                       \
		record(&i, bpf_map_delete_elem(map, &key_));                                                           \
		record(&i, bpf_map_lookup_elem(map, &key_) != NULL);                                                   \
		key_ = present;                                                                                        \
		record(&i, bpf_map_update_elem(map, &key_, &value_, BPF_ANY));                                         \
		record(&i, bpf_map_update_elem(map, &key_, &value_, BPF_NOEXIST));                                     \
		record(&i, bpf_map_update_elem(map, &key_, &value_, BPF_EXIST));                                       \
		record(&i, bpf_map_update_elem(map, &key_, &value_, 3));                                               \
		record(&i, bpf_map_update_elem(map, &key_, &value_, 4));                                               \
		record(&i, bpf_map_update_elem(map, &key_, &value_, 1ULL << 32));                                      \
		record(&i, bpf_map_lookup_elem(map, &key_) != NULL);                                                   \
		record(&i, bpf_map_delete_elem(map, &key_));                                                           \
		record(&i, bpf_map_delete_elem(map, &key_));                                                           \
	} while (0)

SEC("xdp")
int probe_hashes(struct xdp_md *ctx)
{
	__u32 i = 0;
	__u64 value = 5;

	PROBE_MAP(&hash, 10, 11);
	PROBE_MAP(&percpu_hash, 10, 11);
	/* Full: one more is too many, one that is there is not. */
#pragma clang loop unroll(disable)
	for (__u32 key = 20; key < 25; key++) {
		record(&i, bpf_map_update_elem(&hash, &key, &value, BPF_ANY));
		record(&i, bpf_map_update_elem(&percpu_hash, &key, &value, BPF_NOEXIST));
	}
	{
		__u32 key = 21;

		value = 6;
		record(&i, bpf_map_update_elem(&hash, &key, &value, BPF_ANY));
		record(&i, bpf_map_update_elem(&percpu_hash, &key, &value, BPF_EXIST));
	}
	return XDP_PASS;
}

SEC("xdp")
int probe_arrays(struct xdp_md *ctx)
{
	__u32 i = 0;

	PROBE_MAP(&array, 3, 2);
	PROBE_MAP(&percpu_array, 3, 2);
	return XDP_PASS;
}

SEC("xdp")
int probe_trie(struct xdp_md *ctx)
{
	struct prefix key = { .length = 33 };
	__u64 value = 1;
	__u32 i = 0;

	record(&i, bpf_map_update_elem(&trie, &key, &value, BPF_ANY));
	record(&i, bpf_map_lookup_elem(&trie, &key) != NULL);
	record(&i, bpf_map_delete_elem(&trie, &key));
	key.length = 8;
	key.address = bpf_htonl(0x0a000000);
	record(&i, bpf_map_update_elem(&trie, &key, &value, BPF_EXIST));
	record(&i, bpf_map_delete_elem(&trie, &key));
	record(&i, bpf_map_update_elem(&trie, &key, &value, BPF_NOEXIST));
	record(&i, bpf_map_update_elem(&trie, &key, &value, BPF_NOEXIST));
	record(&i, bpf_map_update_elem(&trie, &key, &value, 3));
	record(&i, bpf_map_update_elem(&trie, &key, &value, 4));
	key.length = 0;
	record(&i, bpf_map_update_elem(&trie, &key, &value, BPF_ANY));
	key.length = 16;
	record(&i, bpf_map_update_elem(&trie, &key, &value, BPF_ANY)); /* the third of two */
	key.address = bpf_htonl(0x0affffff);
	key.length = 32;
	record(&i, bpf_map_lookup_elem(&trie, &key) != NULL);
	record(&i, bpf_map_delete_elem(&trie, &key));
	key.length = 4; /* shorter than the prefix that is there, so only the default matches */
	record(&i, bpf_map_lookup_elem(&trie, &key) != NULL);
	return XDP_PASS;
}

SEC("xdp")
int probe_redirect(struct xdp_md *ctx)
{
	__u32 i = 0;
	__u32 key = 1;

	record(&i, bpf_redirect(1, 0));
	record(&i, bpf_redirect(1, 1));
	record(&i, bpf_redirect(0xffffffff, 0));
	record(&i, bpf_redirect_map(&devices, 0, 0));
	record(&i, bpf_redirect_map(&devices, 0, XDP_PASS));
	record(&i, bpf_redirect_map(&devices, 1, XDP_PASS));
	record(&i, bpf_redirect_map(&devices, 4, XDP_TX));
	record(&i, bpf_redirect_map(&devices, 1ULL << 32 | 1, XDP_TX));
	record(&i, bpf_redirect_map(&devices, 1, 4));
	record(&i, bpf_redirect_map(&devices, 0, BPF_F_BROADCAST));
	record(&i, bpf_redirect_map(&devices, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS | XDP_DROP));
	record(&i, bpf_redirect_map(&devices, 0, 1 << 5));
	record(&i, bpf_redirect_map(&device_hash, 7, XDP_DROP));
	record(&i, bpf_redirect_map(&device_hash, 1, XDP_DROP));
	record(&i, bpf_redirect_map(&device_hash, 7, 8 | 1));
	record(&i, bpf_redirect_map(&cpus, 0, XDP_PASS));
	record(&i, bpf_redirect_map(&cpus, 9, XDP_PASS));
	record(&i, bpf_redirect_map(&cpus, 0, BPF_F_BROADCAST));
	record(&i, bpf_redirect_map(&sockets, 0, XDP_PASS));
	record(&i, bpf_redirect_map(&sockets, 4, XDP_TX));
	record(&i, bpf_redirect_map(&sockets, 0, BPF_F_BROADCAST));
	record(&i, bpf_map_lookup_elem(&sockets, &key) != NULL);
	record(&i, ctx->ingress_ifindex);
	record(&i, ctx->rx_queue_index);
	return XDP_DROP;
}

/* Clocks run forward and the processor is one there is: facts of any machine, whatever the time. */
SEC("xdp")
int probe_clocks(struct xdp_md *ctx)
{
	__u64 first = bpf_ktime_get_ns();
	__u64 boot = bpf_ktime_get_boot_ns();
	__u64 coarse = bpf_ktime_get_coarse_ns();
	__u64 second = bpf_ktime_get_ns();
	__u32 i = 0;

	record(&i, second >= first);
	record(&i, boot >= first);
	record(&i, coarse <= second);
	record(&i, second - first < 1000000000);
	record(&i, bpf_get_smp_processor_id() < 4096);
	record(&i, (bpf_get_prandom_u32() | bpf_get_prandom_u32() | bpf_get_prandom_u32()) != 0);
	return XDP_PASS;
}

SEC("xdp")
int probe_print(struct xdp_md *ctx)
{
	static const char format[] = "probe %d %u %x";
	static const char bad_format[] = "probe %q";
	static const char plain[] = "probe";
	static const char newline[] = "probe %llu %p%%\n";
	__u32 i = 0;

	record(&i, bpf_trace_printk(format, sizeof(format), -1, 2, 0xabcdef));
	record(&i, bpf_trace_printk(bad_format, sizeof(bad_format)));
	record(&i, bpf_trace_printk(plain, sizeof(plain)));
	record(&i, bpf_trace_printk(plain, sizeof(plain) - 1)); /* not terminated */
	record(&i, bpf_trace_printk(newline, sizeof(newline), 1ULL << 40, 0));
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
