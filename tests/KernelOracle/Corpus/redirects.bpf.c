/* Packets sent elsewhere: by maps of devices, CPUs and sockets, and by number. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 8);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(max_entries, 8);
} device_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 4);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 4);
} sockets SEC(".maps");

counter_map(answers, 8);

static __always_inline __u32 choice(struct xdp_md *ctx)
{
	return (packet_end(ctx) - packet_start(ctx)) & 7;
}

SEC("xdp")
int to_devices(struct xdp_md *ctx)
{
	__u32 index = choice(ctx);

	return bpf_redirect_map(&devices, index, index & 1 ? XDP_PASS : XDP_TX);
}

SEC("xdp")
int to_hashed_devices(struct xdp_md *ctx)
{
	__u32 index = choice(ctx) * 1000, *device = bpf_map_lookup_elem(&device_hash, &index);

	if (device)
		count(&answers, 0, *device);
	return bpf_redirect_map(&device_hash, index, XDP_DROP);
}

SEC("xdp")
int to_cpus(struct xdp_md *ctx)
{
	long answer = bpf_redirect_map(&cpus, choice(ctx), 0);

	count(&answers, 1, answer);
	return answer;
}

SEC("xdp")
int to_sockets(struct xdp_md *ctx)
{
	__u32 queue = ctx->rx_queue_index;
	void *socket = bpf_map_lookup_elem(&sockets, &queue);

	if (!socket)
		return choice(ctx) & 1 ? XDP_PASS : XDP_DROP;
	return bpf_redirect_map(&sockets, queue, XDP_PASS);
}

SEC("xdp")
int to_interface(struct xdp_md *ctx)
{
	long answer = bpf_redirect(1, choice(ctx) == 3);

	count(&answers, 2, answer);
	return answer;
}

SEC("xdp")
int by_size(struct xdp_md *ctx)
{
	__u32 mtu = 0;
	long error = bpf_check_mtu(ctx, choice(ctx) & 1, &mtu, (int)choice(ctx) * 9000, 0);

	count(&answers, 3, error);
	count(&answers, 4, mtu);
	return error ? XDP_DROP : XDP_PASS;
}
