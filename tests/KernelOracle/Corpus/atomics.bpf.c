/* Atomic operations of both widths, with and without what was there before. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct cell {
	__u64 total;
	__u64 bits;
	__u32 small;
	__u32 flags;
	__u64 owner;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct cell);
	__uint(max_entries, 16);
} cells SEC(".maps");

static __u64 tickets;
static __u32 state;

static __always_inline struct cell *cell_of(struct xdp_md *ctx, __u32 length)
{
	__u32 index = length & 15;

	return bpf_map_lookup_elem(&cells, &index);
}

SEC("xdp")
int fetching(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx), before32;
	struct cell *cell = cell_of(ctx, length);
	__u64 before;

	if (!cell)
		return XDP_ABORTED;
	before = __sync_fetch_and_add(&cell->total, length);
	before ^= __sync_fetch_and_or(&cell->bits, 1ULL << (length & 63));
	before ^= __sync_fetch_and_xor(&cell->bits, before);
	before += __sync_fetch_and_and(&cell->bits, ~(__u64)length);
	before32 = __sync_fetch_and_add(&cell->small, -length);
	before32 ^= __sync_fetch_and_or(&cell->flags, before32 >> 3);
	before32 += __sync_fetch_and_and(&cell->flags, 0x7fffffff);
	return (before ^ before32) & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int without_fetch(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	struct cell *cell = cell_of(ctx, length);

	if (!cell)
		return XDP_ABORTED;
	__sync_fetch_and_add(&cell->total, length);
	__sync_fetch_and_or(&cell->bits, length);
	__sync_fetch_and_xor(&cell->flags, length << 3);
	__sync_fetch_and_and(&cell->small, length);
	return cell->flags & 8 ? XDP_TX : XDP_PASS;
}

SEC("xdp")
int state_machine(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx), was;
	struct cell *cell = cell_of(ctx, length);
	__u64 owner;

	if (!cell)
		return XDP_ABORTED;
	was = __sync_val_compare_and_swap(&state, length & 3, (length + 1) & 3);
	owner = __sync_val_compare_and_swap(&cell->owner, 0, length);
	if (owner == length)
		cell->owner = __sync_lock_test_and_set(&cell->total, owner);
	return was == (length & 3) ? owner ? XDP_DROP : XDP_TX : XDP_PASS;
}

SEC("xdp")
int ticket_lock(struct xdp_md *ctx)
{
	__u64 ticket = __sync_fetch_and_add(&tickets, 1);
	__u8 *packet = packet_start(ctx);
	__u64 on_stack = ticket;

	if ((void *)(packet + 14) > packet_end(ctx))
		return XDP_ABORTED;
	__sync_fetch_and_add(&on_stack, packet[13]);
	packet[0] = on_stack;
	return on_stack % 3 ? XDP_TX : XDP_DROP;
}
