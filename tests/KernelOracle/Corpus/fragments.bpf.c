/* Packets of several buffers: bytes loaded and stored wherever they are, tails cut and padded. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

counter_map(sums, 8);

SEC("xdp.frags")
int sum_last_bytes(struct xdp_md *ctx)
{
	__u32 length = bpf_xdp_get_buff_len(ctx);
	__u64 words[4] = {};
	long error;

	if (length < sizeof(words))
		return XDP_DROP;
	error = bpf_xdp_load_bytes(ctx, length - sizeof(words), words, sizeof(words));
	if (error)
		return XDP_ABORTED;
	count(&sums, 0, words[0] ^ words[1] ^ words[2] ^ words[3]);
	count(&sums, 1, length);
	count(&sums, 2, packet_end(ctx) - packet_start(ctx));
	return length > 3520 ? XDP_TX : XDP_PASS;
}

SEC("xdp.frags")
int stamp_end(struct xdp_md *ctx)
{
	__u32 length = bpf_xdp_get_buff_len(ctx);
	__u8 stamp[10] = { 'r', 'e', 'c', 'e', 'i', 'v', 'e', 'd', 0, 0 };
	long error;

	*(__be16 *)&stamp[8] = bpf_htons(length);
	error = bpf_xdp_adjust_tail(ctx, sizeof(stamp));
	if (error) {
		count(&sums, 3, -error);
		return XDP_DROP;
	}
	if (bpf_xdp_store_bytes(ctx, length, stamp, sizeof(stamp)))
		return XDP_ABORTED;
	return XDP_TX;
}

/* Takes away what link layers pad. */
SEC("xdp.frags")
int trim_padding(struct xdp_md *ctx)
{
	__u32 length = bpf_xdp_get_buff_len(ctx), wanted;
	struct cursor cursor = cursor_of(ctx);
	struct iphdr *ip;
	long error;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_header(&cursor, struct iphdr);
	if (!ip || ip->version != 4)
		return XDP_DROP;
	wanted = (void *)ip - packet_start(ctx) + bpf_ntohs(ip->tot_len);
	if (wanted >= length)
		return XDP_PASS;
	error = bpf_xdp_adjust_tail(ctx, (int)wanted - (int)length);
	count(&sums, 4, -error);
	return error ? XDP_ABORTED : XDP_TX;
}

/* Writes across the seam of the linear part and of pages. */
SEC("xdp.frags")
int across_seams(struct xdp_md *ctx)
{
	__u32 length = bpf_xdp_get_buff_len(ctx);
	__u8 bytes[16];
	int written = 0;

	for (__u32 i = 0; i < 3; i++) {
		__u32 at = 3520 - 7 + i * 4096;

		if (at + sizeof(bytes) > length)
			break;
		if (bpf_xdp_load_bytes(ctx, at, bytes, sizeof(bytes)))
			return XDP_ABORTED;
		for (int j = 0; j < 8; j++) {
			__u8 byte = bytes[j];

			bytes[j] = bytes[15 - j];
			bytes[15 - j] = byte ^ i;
		}
		if (bpf_xdp_store_bytes(ctx, at, bytes, sizeof(bytes)))
			return XDP_ABORTED;
		written++;
	}
	return written ? XDP_TX : XDP_PASS;
}

/* Cuts large packets to the first bytes and says so: packet too big, in the manner of RFC 1191. */
SEC("xdp.frags")
int too_big(struct xdp_md *ctx)
{
	__u32 length = bpf_xdp_get_buff_len(ctx), mtu = 1500 + sizeof(struct ethhdr);
	__u8 bytes[64];
	long error;

	if (length <= mtu)
		return XDP_PASS;
	if (bpf_xdp_load_bytes(ctx, 0, bytes, sizeof(bytes)))
		return XDP_ABORTED;
	error = bpf_xdp_adjust_tail(ctx, 128 - (int)length);
	if (error) {
		count(&sums, 5, -error);
		return XDP_DROP;
	}
	if (bpf_xdp_store_bytes(ctx, 64, bytes, sizeof(bytes)))
		return XDP_ABORTED;
	return XDP_TX;
}

/* Without the promise to know of fragments: long packets come all the same, in parts. */
SEC("xdp")
int not_aware(struct xdp_md *ctx)
{
	__u32 linear = packet_end(ctx) - packet_start(ctx), length = bpf_xdp_get_buff_len(ctx);

	count(&sums, 6, linear);
	count(&sums, 7, length);
	return bpf_xdp_adjust_tail(ctx, -1) ? XDP_DROP : linear == length ? XDP_PASS : XDP_TX;
}
