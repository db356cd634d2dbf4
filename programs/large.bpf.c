/*
 * More than 5,000 instructions that all matter: a classifier of 360 unrolled rules over the packet's first 60 bytes,
 * gone through twice, with far jumps forward (early exits to the end), one far jump back (the second pass) and map
 * values held across. The score goes into the packet and into a histogram, so that a single wrong instruction shows.
 */
#include "include/jhash.h"
#include "include/packets.h"

#define LOOKED_AT 60

/* Configuration, set before loading: where the scores start. */
const volatile __u32 seed = 0x9e3779b9;

/* Packets by the low byte of their score. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} histogram SEC(".maps");

/* How often each block of 60 rules ended the classification early, and how much its rules had matched by then. */
struct early {
	__u64 exits;
	__u64 matches;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct early);
} early_exits SEC(".maps");

/*
 * One rule: looks at 16 bits of the packet under a mask and, as they compare, mixes the score one way or the other. All
 * that differs between rules follows from the number. The reads are volatile so that each rule has its own.
 */
#define RULE_OFFSET(n) ((n) * 7 % (LOOKED_AT - 1))
#define RULE_MASK(n) ((__u16)((n) * 40503u >> 3 | 0x0101))
#define RULE_VALUE(n) ((__u16)((n) * 25741u & RULE_MASK(n)))
#define RULE(n)                                                                                                        \
	do {                                                                                                           \
		__u32 bits_ = *(volatile __u16 *)(data + RULE_OFFSET(n)) & RULE_MASK(n);                               \
		if (bits_ > RULE_VALUE(n)) {                                                                           \
			score = rotate_left(score, (n) % 31 + 1) + (n) * 2654435761u;                                  \
			matches++;                                                                                     \
		} else {                                                                                               \
			score = (score ^ bits_ << (n) % 15) * 5 + (n);                                                 \
		}                                                                                                      \
	} while (0);

#define RULES_5(n) RULE(n) RULE(n + 1) RULE(n + 2) RULE(n + 3) RULE(n + 4)
#define RULES_20(n) RULES_5(n) RULES_5(n + 5) RULES_5(n + 10) RULES_5(n + 15)
#define RULES_60(n) RULES_20(n) RULES_20(n + 20) RULES_20(n + 40)

/* Ends the classification for one score in eight. */
#define EARLY_EXIT(n)                                                                                                  \
	do {                                                                                                           \
		if ((score & 0x7000) == 0x3000) {                                                                      \
			block = n;                                                                                     \
			goto out;                                                                                      \
		}                                                                                                      \
	} while (0);

SEC("xdp")
int large(struct xdp_md *ctx)
{
	__u8 *data = packet_start(ctx);
	__u32 score = seed, matches = 0, block = 0, index;
	struct early *early;
	__u64 *count;

	if ((void *)data + LOOKED_AT > packet_end(ctx))
		return XDP_PASS;
#pragma clang loop unroll(disable)
	for (int pass = 0; pass < 2; pass++) {
		RULES_60(1)
		EARLY_EXIT(1)
		RULES_60(61)
		EARLY_EXIT(2)
		RULES_60(121)
		EARLY_EXIT(3)
		RULES_60(181)
		EARLY_EXIT(4)
		RULES_60(241)
		EARLY_EXIT(5)
		RULES_60(301)
		EARLY_EXIT(6)
	}
out:
	early = bpf_map_lookup_elem(&early_exits, &block);
	if (early) {
		early->exits++;
		early->matches += matches;
	} else {
		struct early first = { .exits = 1, .matches = matches };

		bpf_map_update_elem(&early_exits, &block, &first, BPF_NOEXIST);
	}
	index = score & 0xff;
	count = bpf_map_lookup_elem(&histogram, &index);
	if (count)
		++*count;
	/* Into the source address, for all to see. */
	*(__u32 *)(data + offsetof(struct ethhdr, h_source)) = score;
	*(__u16 *)(data + offsetof(struct ethhdr, h_source) + 4) = matches;
	return score >> 30 ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
