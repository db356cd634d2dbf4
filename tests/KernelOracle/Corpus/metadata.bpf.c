/* What is handed up in front of the packet. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct hint {
	__u32 hash;
	__u32 mark;
};

SEC("xdp")
int flow_hint(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct hint *hint;
	struct flow flow;
	__u32 hash;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	hash = flow_hash(&flow, 42);
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*hint)))
		return XDP_ABORTED;
	hint = packet_meta(ctx);
	if ((void *)(hint + 1) > packet_start(ctx))
		return XDP_ABORTED;
	hint->hash = hash;
	hint->mark = flow.protocol;
	return XDP_PASS;
}

/* All sizes and some that are none; the metadata moves with the head. */
SEC("xdp")
int sizes_of_metadata(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	int delta = (int)(length % 80) - 70;
	__u8 *meta;
	long error = bpf_xdp_adjust_meta(ctx, delta);

	if (error)
		return error == -13 ? XDP_ABORTED : error == -22 ? XDP_DROP : XDP_REDIRECT;
	meta = packet_meta(ctx);
	if ((void *)(meta + 4) <= packet_start(ctx))
		*(__u32 *)meta = length;
	return bpf_xdp_adjust_head(ctx, length & 1 ? -8 : 8) ? XDP_TX : XDP_PASS;
}
