// Several programs in sections of every name, and one that is not for XDP.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int shared(struct xdp_md *context)
{
	return context->rx_queue_index & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int one(struct xdp_md *context)
{
	return shared(context);
}

SEC("xdp") int two(struct xdp_md *context)
{
	return shared(context) + 1;
}

SEC("xdp/three") int three(struct xdp_md *context)
{
	return XDP_TX;
}

SEC("xdp.frags") int frags(struct xdp_md *context)
{
	return shared(context);
}

SEC("xdp_old") int old_name(struct xdp_md *context)
{
	return XDP_ABORTED;
}

SEC("xdp/devmap") int on_devmap(struct xdp_md *context)
{
	return context->egress_ifindex;
}

SEC("xdp.frags/cpumap") int on_cpumap(struct xdp_md *context)
{
	return XDP_PASS;
}

SEC("tc") int classifier(struct __sk_buff *skb)
{
	return skb->len;
}

char _license[] SEC("license") = "GPL";
