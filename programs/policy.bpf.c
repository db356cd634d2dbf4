/*
 * A guard whose policy can be replaced (see policy_udp.bpf.c), which counts its verdicts in a map that lives on from run to
 * run; and a pair of programs for both ends of a redirect.
 */
#include "include/packets.h"

#define LIBBPF_PIN_BY_NAME 1

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} verdicts SEC(".maps");

/* Where `mirror` sends packets: interface, and the program that looks at them there. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 2 * sizeof(__u32));
} mirrors SEC(".maps");

/* Runs late in a chain, and the next one after it for what it passes and what it drops. */
struct {
	__uint(priority, 70);
	__uint(XDP_PASS, 1);
	__uint(XDP_DROP, 1);
} _guard SEC(".xdp_run_config");

/* Passes everything, unless it is replaced. */
__noinline int policy(struct xdp_md *ctx)
{
	int verdict = XDP_PASS;

	opaque(verdict);
	return ctx ? verdict : XDP_ABORTED;
}

SEC("xdp")
int guard(struct xdp_md *ctx)
{
	__u32 verdict = policy(ctx);
	__u64 *count = bpf_map_lookup_elem(&verdicts, &verdict);

	if (count)
		++*count;
	return verdict;
}

SEC("xdp")
int mirror(struct xdp_md *ctx)
{
	return bpf_redirect_map(&mirrors, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
}

SEC("xdp/devmap")
int mirror_egress(struct xdp_md *ctx)
{
	struct cursor cursor = { packet_start(ctx), packet_end(ctx) };
	struct ethhdr *eth = next_header(&cursor, struct ethhdr);

	if (!eth || eth->h_proto == bpf_htons(ETH_P_ARP))
		return XDP_DROP;
	eth->h_source[5] = ctx->egress_ifindex;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
