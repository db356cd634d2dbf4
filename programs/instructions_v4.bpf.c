/*
 * What instruction set version 4 adds, on operands out of the packet: signed division and remainder, sign-extending
 * moves and loads, byte swaps, the long jump. The results go into the packet behind its Ethernet header.
 */
#include "include/packets.h"

struct operands {
	__s64 a;
	__s64 b;
};

struct results {
	__s64 quotient, remainder;
	__s32 quotient32, remainder32;
	__u64 swapped64;
	__u32 swapped32;
	__u16 swapped16;
	__u16 path;
};

/* Signed loads: the same bytes as signed numbers of every width, summed. */
static __noinline __s64 signed_sum(const struct operands *operands)
{
	const volatile __s8 *bytes = (const void *)operands;
	const volatile __s16 *halves = (const void *)operands;
	const volatile __s32 *words = (const void *)operands;
	__s64 sum = 0;

	for (int i = 0; i < 4; i++)
		sum += (__s64)bytes[i] * 3 + (__s64)halves[i] * 5 + (__s64)words[i] * 7;
	return sum;
}

/* Signed moves: narrowed in registers, between widths. */
static __noinline __s64 narrowed(__s64 value)
{
	__s64 sum = (__s8)value;

	opaque(sum);
	sum += (__s16)(value >> 8);
	opaque(sum);
	sum += (__s32)(value >> 16);
	return sum + (__s32)(__s8)(value >> 24) + (__s32)(__s16)(value >> 32);
}

SEC("xdp")
int instructions_v4(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx);
	struct results *results = (void *)(eth + 1);
	struct operands operands;
	__u64 mixed;
	__u32 path = 1;

	if ((void *)(results + 1) > packet_end(ctx))
		return XDP_PASS;
	__builtin_memcpy(&operands, results, sizeof(operands));
	mixed = signed_sum(&operands) ^ narrowed(operands.a - operands.b);
	asm goto("if %[a] s> 0 goto +1\n\tgotol %l[negative]" : : [a] "r"(operands.a) : : negative);
	path += 2;
negative:
	/* Division by 0 gives 0 and leaves the dividend; the kernel has no divide error, nor for the lowest by -1. */
	results->quotient = operands.a / operands.b;
	results->remainder = operands.a % (operands.b >> 32);
	results->quotient32 = (__s32)operands.a / (__s32)operands.b;
	results->remainder32 = (__s32)(operands.a >> 32) % (__s32)operands.b;
	results->swapped64 = __builtin_bswap64(mixed);
	results->swapped32 = __builtin_bswap32((__u32)mixed);
	results->swapped16 = __builtin_bswap16((__u16)mixed);
	results->path = path;
	return path + ((mixed >> 13) & 1);
}

char LICENSE[] SEC("license") = "GPL";
