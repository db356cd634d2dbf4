// Functions to take the place of those in replaceable.c.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __attribute__((noinline)) int count(__u64 by)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&seen, &key);

	if (value)
		*value += by;
	return XDP_DROP;
}

SEC("freplace/decide") int always_drop(struct xdp_md *context, int otherwise)
{
	// All of the stack that there is: an extension has its own.
	char room[400];

	__builtin_memset(room, otherwise, sizeof(room));
	asm volatile("" ::"r"(&room) : "memory");
	return count(context->data_end - context->data);
}

SEC("freplace/other") int wrong(struct xdp_md *context)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
