// Global variables of every section, static and global functions in .text, a callback.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __u64);
} second SEC(".maps");

volatile const int limit = 4;
static const char *volatile names[] = { "a", "bb" };
int weight = 3;
static volatile int offset = 5;
int own SEC(".data.own") = 7;
__u64 zeros[2];
static int count;

static __attribute__((noinline)) int inner(int x)
{
	count += x;
	return x * weight + offset;
}

__attribute__((noinline)) int outer(int x)
{
	return inner(x) + own;
}

__attribute__((noinline, visibility("hidden"))) int hidden(int x)
{
	return inner(x + 1) ^ 3;
}

static long each(__u32 index, void *context)
{
	zeros[1] += index;
	return index > limit;
}

SEC("xdp") int program(struct xdp_md *context)
{
	__u32 key = context->rx_queue_index;
	__u64 *value = bpf_map_lookup_elem(&first, &key);

	if (value)
		count += *value;
	value = bpf_map_lookup_elem(&second, &key);
	if (value)
		zeros[0] += *value;
	bpf_loop(10, each, 0, 0);
	return outer(key) + inner(3) + hidden(key) + (names[key & 1] ? 1 : 0);
}

char _license[] SEC("license") = "GPL";
