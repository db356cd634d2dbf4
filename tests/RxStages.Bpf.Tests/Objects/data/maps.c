// BTF-defined maps with every attribute, static values of prog arrays and maps of maps.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct key {
	__u32 prefix;
	__u8 address[4];
};

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
};

struct inner inner_one SEC(".maps");
struct inner inner_two SEC(".maps");

int first_step(struct xdp_md *context);
int second_step(struct xdp_md *context);

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 100);
	__type(key, struct key);
	__type(value, __u32);
} trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__uint(key_size, 6);
	__uint(value_size, 24);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__uint(map_flags, BPF_F_NUMA_NODE);
	__uint(numa_node, 1);
} sizes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 64);
	__type(value, __u64);
	__uint(map_extra, 3);
} bloom SEC(".maps");

/* The way to write a number of 64 bits, which newer headers call __ulong. */
struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 64);
	__type(value, __u64);
	enum { hashes = 5 } map_extra;
} flat SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 5000);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(struct xdp_md *));
} steps SEC(".maps") = {
	.values = {
		[1] = &first_step,
		[3] = &second_step,
	},
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { &inner_two, 0, &inner_one },
};

SEC("xdp") int first_step(struct xdp_md *context)
{
	bpf_tail_call(context, &steps, 3);
	return XDP_DROP;
}

SEC("xdp") int second_step(struct xdp_md *context)
{
	return bpf_redirect_map(&ports, context->rx_queue_index, XDP_PASS);
}

SEC("xdp") int entry(struct xdp_md *context)
{
	bpf_tail_call(context, &steps, 1);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
