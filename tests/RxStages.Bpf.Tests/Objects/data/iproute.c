// Maps and programs as iproute2 has them.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bpf_elf_map {
	__u32 type;
	__u32 size_key;
	__u32 size_value;
	__u32 max_elem;
	__u32 flags;
	__u32 id;
	__u32 pinning;
	__u32 inner_id;
	__u32 inner_idx;
};

struct bpf_elf_map jumps SEC("maps") = {
	.type = BPF_MAP_TYPE_PROG_ARRAY,
	.size_key = 4,
	.size_value = 4,
	.id = 7,
};
struct bpf_elf_map inner SEC("maps") = {
	.type = BPF_MAP_TYPE_ARRAY,
	.size_key = 4,
	.size_value = 8,
	.max_elem = 2,
	.id = 42,
	.inner_idx = 1,
	.pinning = 2,
};
struct bpf_elf_map outer SEC("maps") = {
	.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
	.size_key = 4,
	.size_value = 4,
	.max_elem = 2,
	.inner_id = 42,
};
struct bpf_elf_map prefixes SEC("maps") = {
	.type = BPF_MAP_TYPE_LPM_TRIE,
	.size_key = 8,
	.size_value = 4,
	.max_elem = 2,
};

SEC("prog") int entry(struct xdp_md *context)
{
	__u32 key = 1;
	void *map = bpf_map_lookup_elem(&outer, &key);
	char address[8] = { 32 };

	if (bpf_map_lookup_elem(&prefixes, address))
		return XDP_TX;
	if (map && bpf_map_lookup_elem(map, &key))
		bpf_tail_call(context, &jumps, 3);
	return XDP_ABORTED;
}

SEC("7/3") int target(struct xdp_md *context)
{
	return XDP_DROP;
}

static SEC("xdp") __attribute__((used)) int hidden_entry(struct xdp_md *context)
{
	return XDP_PASS;
}

SEC("kprobe/other") int other(void *context)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
