// Static BTF-defined maps, which code names by their section and an offset. libbpf does not take them.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps");

static struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __u64);
} second SEC(".maps");

SEC("xdp") int program(struct xdp_md *context)
{
	__u32 key = context->rx_queue_index;

	return bpf_map_lookup_elem(&second, &key) && bpf_map_lookup_elem(&first, &key) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
