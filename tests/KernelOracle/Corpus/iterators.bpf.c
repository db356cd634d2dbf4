/* Loops without unrolling: bounded ones, open-coded iterators, and may_goto. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

#define bpf_for(i, start, end)                                                                                         \
	for (struct bpf_iter_num it_ __attribute__((aligned(8), cleanup(bpf_iter_num_destroy))),                       \
	     *once_ __attribute__((unused)) = (bpf_iter_num_new(&it_, (start), (end)), (void *)0);                     \
	     ({                                                                                                        \
		     int *at_ = bpf_iter_num_next(&it_);                                                               \
		     (at_ ? ((i) = *at_, 1) : 0) && (i) >= (start) && (i) < (end);                                     \
	     });)

#define can_loop                                                                                                       \
	({                                                                                                             \
		__label__ stop_, go_;                                                                                  \
		int again_ = 1;                                                                                        \
		asm volatile goto("may_goto %l[stop_]" : : : : stop_);                                                 \
		goto go_;                                                                                              \
	stop_:                                                                                                         \
		again_ = 0;                                                                                            \
	go_:;                                                                                                          \
		again_;                                                                                                \
	})

counter_map(results, 8);

static __u8 table[256];
static __u32 position, hits;

SEC("xdp")
int fletcher(struct xdp_md *ctx)
{
	__u32 a = 0, b = 0;
	__u8 *start = packet_start(ctx);
	int i;

	bpf_for(i, 0, 1024) {
		__u8 *byte = start + i;

		if ((void *)(byte + 1) > packet_end(ctx))
			break;
		a = (a + *byte) & 0xffff;
		b = (b + a) & 0xffff;
	}
	count(&results, 0, (__u64)b << 16 | a);
	return b & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int empty_and_wrong_ranges(struct xdp_md *ctx)
{
	int length = packet_end(ctx) - packet_start(ctx), i;
	__u64 sum = 0;

	bpf_for(i, length - 200, 100)
		sum += i & 0xff;
	count(&results, 1, sum);
	return sum ? XDP_TX : XDP_PASS;
}

/* A scan that ends by itself, and a budget of the kernel's behind it. */
SEC("xdp")
int scan_until(struct xdp_md *ctx)
{
	__u8 *packet = packet_start(ctx);

	if ((void *)(packet + 14) > packet_end(ctx))
		return XDP_ABORTED;
	hits = 0;
	for (position = packet[5]; position < 2000 && can_loop; position += 7) {
		__u32 at = position & 255;

		if (table[at] == packet[12])
			hits++;
		else if (hits < 4)
			table[at] = packet[12];
	}
	count(&results, 2, hits);
	return hits > 100 ? XDP_DROP : hits ? XDP_TX : XDP_PASS;
}

SEC("xdp")
int sort_bytes(struct xdp_md *ctx)
{
	__u8 bytes[16], *packet = packet_start(ctx);
	__u64 order = 0;

	if ((void *)(packet + 30) > packet_end(ctx))
		return XDP_DROP;
	__builtin_memcpy(bytes, packet + 14, sizeof(bytes));
#pragma clang loop unroll(disable)
	for (int i = 1; i < 16; i++) {
#pragma clang loop unroll(disable)
		for (int j = 0; j < 15; j++) {
			if (bytes[j] > bytes[j + 1]) {
				__u8 byte = bytes[j];

				bytes[j] = bytes[j + 1];
				bytes[j + 1] = byte;
			}
		}
	}
	for (int i = 0; i < 16; i++)
		order = order * 31 + bytes[i];
	count(&results, 3, order);
	__builtin_memcpy(packet + 14, bytes, sizeof(bytes));
	return XDP_TX;
}
