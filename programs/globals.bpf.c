/*
 * Functions of their own (static ones and a global one, which the kernel verifies by itself), global variables in every
 * kind of section, and all atomic operations.
 */
#include "include/packets.h"

/* .rodata: the verifier takes frozen values as constants. */
const volatile __u32 threshold = 100;
const char table[16] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3 };

/* .data and .bss, and a section by name. */
__u64 total = 1000;
__u32 state = 0x12345678;
__u64 packets;
__u64 bytes_by_length[8];
static __u32 longest;
__u64 own_section SEC(".data.own") = 7;

/* Atomics want to be seen doing what they return. */
struct {
	__u64 added, ored, anded, xored, exchanged, compared;
	__u32 added32, exchanged32, compared32;
} fetched;

__u64 or_target = 1, and_target = ~0ULL, xor_target = 5, exchange_target, compare_target = 3;
__u32 add_target32, exchange_target32, compare_target32;

static __noinline __u32 digit_sum(__u32 number)
{
	__u32 sum = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 10 && number; i++) {
		sum += number % 10;
		number /= 10;
	}
	return sum;
}

/* Two calls deep, with an argument that is memory of the caller's stack. */
static __noinline __u32 mix(__u32 *words, int count)
{
	__u32 result = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 4; i++) {
		if (i < count)
			result += digit_sum(words[i]) * table[(words[i] >> 4) & 15];
	}
	return result;
}

/* Global: the kernel verifies it for any argument, and its callers for any result. */
__noinline __u32 classify(__u32 length, __u32 mixed)
{
	if (length > threshold)
		return mixed & 1 ? 3 : 2;
	return mixed % 7 == 0;
}

SEC("xdp")
int globals(struct xdp_md *ctx)
{
	__u64 length = packet_end(ctx) - packet_start(ctx);
	__u8 *data = packet_start(ctx);
	__u32 words[4];

	if ((void *)data + sizeof(words) > packet_end(ctx))
		return XDP_PASS;
	__builtin_memcpy(words, data, sizeof(words));
	packets++;
	total += length;
	own_section ^= total;
	bytes_by_length[(length >> 6) & 7] += length;
	if (length > longest)
		longest = length;
	state = state * 1103515245 + words[3];
	return classify(length, mix(words, (state >> 16) & 7));
}

SEC("xdp")
int atomics(struct xdp_md *ctx)
{
	__u64 *data = packet_start(ctx);
	__u64 operand;

	if ((void *)(data + 2) > packet_end(ctx))
		return XDP_PASS;
	operand = data[0] ^ data[1] >> 7;
	fetched.added = __sync_fetch_and_add(&total, operand);
	fetched.ored = __sync_fetch_and_or(&or_target, operand & 0x00ff00ff00ff00ff);
	fetched.anded = __sync_fetch_and_and(&and_target, operand | 0xffff0000ffff0000);
	fetched.xored = __sync_fetch_and_xor(&xor_target, operand);
	fetched.exchanged = __sync_lock_test_and_set(&exchange_target, operand);
	fetched.compared = __sync_val_compare_and_swap(&compare_target, operand & 3, operand & 3 ? operand >> 60 : 3);
	fetched.added32 = __sync_fetch_and_add(&add_target32, (__u32)operand);
	fetched.exchanged32 = __sync_lock_test_and_set(&exchange_target32, (__u32)operand);
	fetched.compared32 = __sync_val_compare_and_swap(&compare_target32, (__u32)operand & 1, (__u32)operand & 2);
	/* And those without a result, in both widths. */
	__sync_fetch_and_add(&packets, operand);
	__sync_fetch_and_or(&bytes_by_length[0], operand);
	__sync_fetch_and_and(&bytes_by_length[1], operand);
	__sync_fetch_and_xor(&bytes_by_length[2], operand);
	__sync_fetch_and_add(&state, (__u32)operand);
	return (fetched.compared ^ fetched.added) & 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
