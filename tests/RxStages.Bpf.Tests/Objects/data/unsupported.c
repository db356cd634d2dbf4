// Programs that need what a kernel has, beside one that does not.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct net_device {
	int ifindex;
	int mtu;
} __attribute__((preserve_access_index));

extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *context, __u32 *hash, int *type) __ksym;
extern int LINUX_KERNEL_VERSION __kconfig;
struct net_device *device;

SEC("xdp") int plain(struct xdp_md *context)
{
	return XDP_PASS;
}

SEC("xdp") int relocated(struct xdp_md *context)
{
	struct net_device *pointer = (void *)(long)context->rx_queue_index;

	return BPF_CORE_READ(pointer, mtu) > 1500 ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int calls_kernel(struct xdp_md *context)
{
	__u32 hash = 0;
	int type = 0;

	return bpf_xdp_metadata_rx_hash(context, &hash, &type) ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int reads_config(struct xdp_md *context)
{
	return LINUX_KERNEL_VERSION > 1 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
