/* Packets by dynptr: slices, copies, parts of parts. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

extern int bpf_dynptr_from_xdp(struct xdp_md *ctx, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, __u32 start, __u32 end) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *ptr, struct bpf_dynptr *clone) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *ptr) __ksym;
extern _Bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *ptr) __ksym;

counter_map(results, 8);

struct memory {
	__u8 bytes[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct memory);
	__uint(max_entries, 1);
} memory SEC(".maps");

SEC("xdp.frags")
int parse_slices(struct xdp_md *ctx)
{
	__u8 ethernet[14], network[20], transport[8];
	struct bpf_dynptr packet;
	struct udphdr *udp;
	struct ethhdr *eth;
	struct iphdr *ip;

	if (bpf_dynptr_from_xdp(ctx, 0, &packet))
		return XDP_ABORTED;
	eth = bpf_dynptr_slice(&packet, 0, ethernet, sizeof(ethernet));
	if (!eth)
		return XDP_ABORTED;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = bpf_dynptr_slice(&packet, 14, network, sizeof(network));
	if (!ip || ip->ihl < 5)
		return XDP_DROP;
	udp = bpf_dynptr_slice(&packet, 14 + ip->ihl * 4, transport, sizeof(transport));
	if (!udp)
		return XDP_DROP;
	count(&results, ip->protocol & 7, bpf_ntohs(udp->dest));
	return ip->protocol == IPPROTO_UDP ? XDP_TX : XDP_PASS;
}

SEC("xdp.frags")
int write_slices(struct xdp_md *ctx)
{
	struct bpf_dynptr packet;
	__u8 buffer[16] = {}, *slice;
	__u32 size, at;

	if (bpf_dynptr_from_xdp(ctx, 0, &packet))
		return XDP_ABORTED;
	size = bpf_dynptr_size(&packet);
	if (size < 16)
		return XDP_DROP;
	at = size - 16;
	slice = bpf_dynptr_slice_rdwr(&packet, at, buffer, sizeof(buffer));
	if (!slice)
		return XDP_ABORTED;
	for (int i = 0; i < 8; i++)
		slice[i] ^= slice[15 - i];
	/* A copy is not the packet; it must be written back. */
	if (slice == buffer)
		bpf_dynptr_write(&packet, at, buffer, sizeof(buffer), 0);
	return XDP_TX;
}

SEC("xdp.frags")
int parts(struct xdp_md *ctx)
{
	struct bpf_dynptr packet, clone;
	__u8 bytes[8] = {};
	__u32 size;
	long error;

	if (bpf_dynptr_from_xdp(ctx, 0, &packet) || bpf_dynptr_clone(&packet, &clone))
		return XDP_ABORTED;
	size = bpf_dynptr_size(&packet);
	error = bpf_dynptr_adjust(&clone, 20, size - 4);
	if (error) {
		count(&results, 0, -error);
		return XDP_DROP;
	}
	count(&results, 1, bpf_dynptr_size(&clone));
	count(&results, 2, bpf_dynptr_is_null(&clone) * 2 + bpf_dynptr_is_rdonly(&clone));
	error = bpf_dynptr_read(bytes, sizeof(bytes), &clone, size & 63, 0);
	if (error) {
		count(&results, 3, -error);
		return XDP_PASS;
	}
	count(&results, 4, *(__u64 *)bytes);
	error = bpf_dynptr_write(&packet, 14, bytes, sizeof(bytes), 0);
	return error ? XDP_ABORTED : XDP_TX;
}

SEC("xdp")
int of_memory(struct xdp_md *ctx)
{
	__u32 zero = 0, length = packet_end(ctx) - packet_start(ctx);
	struct memory *value = bpf_map_lookup_elem(&memory, &zero);
	struct bpf_dynptr ptr;
	__u64 *word;
	long error;

	if (!value)
		return XDP_ABORTED;
	if (bpf_dynptr_from_mem(value, sizeof(*value), 0, &ptr))
		return XDP_DROP;
	error = bpf_dynptr_write(&ptr, length % 70, &length, sizeof(length), 0);
	count(&results, 5, -error);
	word = bpf_dynptr_data(&ptr, 8, sizeof(*word));
	if (!word)
		return XDP_PASS;
	*word += length;
	return error ? XDP_TX : XDP_PASS;
}
