/* Arithmetic on what packets hold: what compilers make of it differs by the version of the instruction set. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

counter_map(results, 16);

struct numbers {
	__u64 a;
	__u64 b;
};

/* Numbers out of the packet, so that nothing is known of them. */
static __always_inline int take(struct xdp_md *ctx, struct numbers *numbers)
{
	__u8 *from = packet_start(ctx);

	if ((void *)(from + 14) > packet_end(ctx))
		return 0;
	__builtin_memcpy(&numbers->a, from + 3, 8);
	__builtin_memcpy(&numbers->b, from + 6, 8);
	numbers->b ^= packet_end(ctx) - packet_start(ctx);
	return 1;
}

SEC("xdp")
int divisions(struct xdp_md *ctx)
{
	struct numbers n;

	if (!take(ctx, &n))
		return XDP_ABORTED;
	count(&results, 0, n.a / n.b + n.a % n.b);
	count(&results, 1, (__u32)n.a / (__u32)n.b + (__u32)n.a % (__u32)n.b);
	count(&results, 2, n.a / 7 + n.a % 1000003 + (__u32)n.b / 10);
	/* By nought: nothing, and all of it. */
	count(&results, 3, n.a / (n.b & 1) + n.b % (n.a & 1));
	count(&results, 4, (__u32)n.a / ((__u32)n.b & 1) + (__u32)n.b % ((__u32)n.a & 2));
	return n.a % n.b & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int shifts(struct xdp_md *ctx)
{
	struct numbers n;
	__u64 mixed;

	if (!take(ctx, &n))
		return XDP_ABORTED;
	mixed = n.a << (n.b & 63) | n.b >> (n.a & 63);
	mixed ^= (__u64)((__s64)n.a >> (n.b & 31));
	mixed += (__u32)n.a << (n.b & 31);
	mixed -= (__s32)n.b >> (n.a & 31);
	mixed ^= (__u64)(__s64)(__s32)n.a + (__s16)n.b + (__s8)n.a;
	count(&results, 5, mixed);
	return (__s64)mixed < 0 ? XDP_TX : (__s32)mixed < 0 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int swaps(struct xdp_md *ctx)
{
	__u8 *out = packet_start(ctx);
	struct numbers n;

	if (!take(ctx, &n))
		return XDP_ABORTED;
	count(&results, 6, __builtin_bswap64(n.a) + __builtin_bswap32(n.b) + __builtin_bswap16(n.a));
	*(__u16 *)out = __builtin_bswap16(*(__u16 *)(out + 4));
	*(__u32 *)(out + 8) = __builtin_bswap32(n.b >> 8);
	return XDP_TX;
}

SEC("xdp")
int comparisons(struct xdp_md *ctx)
{
	__u32 bits = 0;
	struct numbers n;

	if (!take(ctx, &n))
		return XDP_ABORTED;
	if (n.a < n.b)
		bits |= 1;
	if ((__s64)n.a < (__s64)n.b)
		bits |= 2;
	if ((__u32)n.a <= (__u32)n.b)
		bits |= 4;
	if ((__s32)n.a >= (__s32)n.b)
		bits |= 8;
	if (n.a & n.b & 0x8000000000000000)
		bits |= 16;
	if ((__s8)n.a > (__s8)n.b)
		bits |= 32;
	if ((n.a ^ n.b) == (__u32)(n.a ^ n.b))
		bits |= 64;
	count(&results, 7, 1ULL << (bits & 63));
	return (int)(bits % 5);
}

/* Exponentially weighted, in fixed point. */
SEC("xdp")
int moving_average(struct xdp_md *ctx)
{
	static __u64 average = 100 << 16, deviation;
	__u64 length = (__u64)(packet_end(ctx) - packet_start(ctx)) << 16;
	__s64 error = (__s64)(length - average);
	__u64 distance = error < 0 ? -error : error;

	average += error >> 3;
	deviation += ((__s64)(distance - deviation)) >> 2;
	count(&results, 8, 1);
	return distance > 2 * deviation ? XDP_DROP : XDP_PASS;
}

static const __u32 nibbles[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

SEC("xdp")
int crc32(struct xdp_md *ctx)
{
	__u8 *from = packet_start(ctx);
	__u32 crc = ~0u;

	if ((void *)(from + 14) > packet_end(ctx))
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 14; i++) {
		crc = crc >> 4 ^ nibbles[(crc ^ from[i]) & 15];
		crc = crc >> 4 ^ nibbles[(crc ^ from[i] >> 4) & 15];
	}
	count(&results, 9, ~crc);
	return crc & 1 ? XDP_TX : XDP_PASS;
}

/* Dense, so that a table or a tree of comparisons comes of it. */
SEC("xdp")
int switches(struct xdp_md *ctx)
{
	__u8 *from = packet_start(ctx);

	if ((void *)(from + 24) > packet_end(ctx))
		return XDP_ABORTED;
	switch (from[23]) {
	case 0: return XDP_PASS;
	case 1: count(&results, 10, from[0]); return XDP_TX;
	case 2: count(&results, 11, from[1]); return XDP_DROP;
	case 4: count(&results, 10, from[2] * 3); break;
	case 6: count(&results, 11, from[3] * 5); return XDP_PASS;
	case 17: count(&results, 12, from[4] << 4); return XDP_TX;
	case 41: case 43: case 44: return XDP_DROP;
	case 47: count(&results, 13, 1); break;
	case 58: count(&results, 13, 2); return XDP_PASS;
	case 132: return XDP_TX;
	case 200 ... 255: return XDP_DROP;
	}
	return XDP_PASS;
}

SEC("xdp")
int bit_tricks(struct xdp_md *ctx)
{
	struct numbers n;
	__u64 x, parity, ones;

	if (!take(ctx, &n))
		return XDP_ABORTED;
	x = n.a - ((n.a >> 1) & 0x5555555555555555);
	x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
	ones = ((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56;
	parity = n.b ^ n.b >> 32;
	parity ^= parity >> 16;
	parity ^= parity >> 8;
	parity = 0x6996966996696996 >> (parity & 63) & 1;
	x = -n.a & n.a;
	count(&results, 14, ones << 8 | parity);
	count(&results, 15, x * 0x07edd5e59a4e28c2 >> 58);
	return ones > 28 ? XDP_TX : parity ? XDP_DROP : XDP_PASS;
}
