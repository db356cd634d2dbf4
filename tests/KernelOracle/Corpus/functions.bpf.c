/* Functions of a program: global ones that are verified alone, static ones, arguments on the stack of the caller. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

counter_map(results, 8);

struct parsed {
	__u32 offset;
	__u16 ethertype;
	__u8 protocol;
	__u8 depth;
};

__noinline int classify(__u32 ethertype, __u32 length)
{
	if (ethertype == ETH_P_IP)
		return length > 200 ? 1 : 2;
	if (ethertype == ETH_P_IPV6)
		return 3;
	return length & 4 ? 4 : 0;
}

__noinline int ethertype_of(struct xdp_md *ctx __arg_ctx, struct parsed *parsed __arg_nonnull)
{
	struct ethhdr *eth = packet_start(ctx);

	if ((void *)(eth + 1) > packet_end(ctx))
		return -1;
	parsed->ethertype = bpf_ntohs(eth->h_proto);
	parsed->offset = sizeof(*eth);
	parsed->depth += 1;
	return parsed->ethertype;
}

__noinline __u64 fold(__u64 value)
{
	value ^= value >> 32;
	value *= 0xff51afd7ed558ccd;
	value ^= value >> 29;
	return value;
}

SEC("xdp")
int global_functions(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	struct parsed parsed = {};
	int ethertype = ethertype_of(ctx, &parsed), class;

	if (ethertype < 0)
		return XDP_ABORTED;
	class = classify(ethertype, length);
	count(&results, class & 7, fold(length) >> 60);
	return class == 0 ? XDP_DROP : class == 1 ? XDP_TX : XDP_PASS;
}

struct six {
	__u32 a, b, c, d, e, f;
};

/* More arguments than registers: by address. */
static __noinline __u32 mix(const struct six *six, __u32 *carry)
{
	*carry += six->a;
	return (six->a ^ six->b) + (six->c ^ six->d) * 3 + (six->e ^ six->f) * 5;
}

static __noinline __u32 mix_twice(struct six *six)
{
	__u32 carry = 0, first = mix(six, &carry);

	six->a = first;
	return mix(six, &carry) + carry;
}

SEC("xdp")
int stack_arguments(struct xdp_md *ctx)
{
	__u32 *words = packet_start(ctx);
	struct six six;
	__u32 mixed;

	if ((void *)(words + 3) > packet_end(ctx))
		return XDP_ABORTED;
	six = (struct six){ words[0], words[1], words[2], ctx->rx_queue_index, ctx->ingress_ifindex, 77 };
	mixed = mix_twice(&six);
	count(&results, mixed & 7, mixed);
	words[0] = mixed;
	return XDP_TX;
}

static __noinline int depth4(__u32 x)
{
	return x & 1 ? XDP_PASS : XDP_DROP;
}

static __noinline int depth3(__u32 x, __u32 y)
{
	return x > y ? depth4(x - y) : depth4(x + y * 2 + 1);
}

static __noinline int depth2(struct xdp_md *ctx, __u32 x)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);

	return depth3(length, x) + depth3(x, length) > 3 ? XDP_PASS : XDP_TX;
}

static __noinline int depth1(struct xdp_md *ctx)
{
	__u8 *byte = packet_start(ctx);

	if ((void *)(byte + 6) > packet_end(ctx))
		return XDP_ABORTED;
	return depth2(ctx, byte[5] * 16);
}

SEC("xdp")
int call_depth(struct xdp_md *ctx)
{
	return depth1(ctx);
}

/* Packet pointers live through calls that do not change packets. */
static __noinline __u32 sum_of(const __u8 *from, const void *end)
{
	__u32 sum = 0;

	for (int i = 0; i < 24; i++) {
		if ((const void *)(from + i + 1) > end)
			break;
		sum = sum * 33 + from[i];
	}
	return sum;
}

SEC("xdp")
int packet_arguments(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	__u32 sum;

	if ((void *)(eth + 1) > packet_end(ctx))
		return XDP_ABORTED;
	sum = sum_of((__u8 *)(eth + 1), packet_end(ctx));
	eth->h_source[5] = sum;
	count(&results, sum & 7, sum);
	return sum & 8 ? XDP_TX : XDP_PASS;
}
