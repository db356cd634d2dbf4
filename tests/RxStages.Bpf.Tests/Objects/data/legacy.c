// Maps as loaders before BTF had them: a shared section with definitions of two sizes, and a section per map.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bpf_map_def {
	unsigned int type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int max_entries;
	unsigned int map_flags;
};

struct long_map_def {
	struct bpf_map_def common;
	unsigned int inner_map_idx;
	unsigned int numa_node;
};

struct bpf_map_def counters SEC("maps") = {
	.type = BPF_MAP_TYPE_PERCPU_ARRAY,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 256,
};

struct long_map_def sources SEC("maps") = {
	.common = {
		.type = BPF_MAP_TYPE_HASH,
		.key_size = 16,
		.value_size = 4,
		.max_entries = 1000,
		.map_flags = BPF_F_NO_PREALLOC,
	},
};

static struct bpf_map_def ports SEC("maps/ports") = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = 4,
	.value_size = 2,
	.max_entries = 3,
};

SEC("xdp_filter") int filter(struct xdp_md *context)
{
	__u32 key = context->rx_queue_index;
	__u8 source[16] = {};
	__u64 *counter = bpf_map_lookup_elem(&counters, &key);

	if (counter)
		++*counter;
	if (bpf_map_lookup_elem(&ports, &key))
		return XDP_TX;
	return bpf_map_lookup_elem(&sources, source) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
