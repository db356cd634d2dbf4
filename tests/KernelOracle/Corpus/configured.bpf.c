/* Configuration and state in global data: constants, initialised and zeroed variables, sections of one's own. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

const volatile __u32 least_length = 60;
const volatile __u16 ports[4] = { 53, 123, 1900, 11211 };
const volatile _Bool drop_reflections = 1;

__u32 mode = 2;
__u64 packets, bytes;
__s32 balance = -3;

struct {
	__u8 letter;
	__u32 word;
	__u64 longest;
} packed_state = { 'x', 7, 1 };

static __u32 in_section[8] SEC(".data.history") = { 1, 2, 3 };
static const char *const names[] = { "drop", "pass", "tx" };
__u32 letters[4] SEC(".data.letters");

SEC("xdp")
int filter_by_constants(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;

	packets++;
	bytes += length;
	if (length < least_length)
		return XDP_DROP;
	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	for (int i = 0; i < 4; i++)
		if (drop_reflections && flow.source_port == bpf_htons(ports[i]))
			return XDP_DROP;
	return XDP_TX;
}

SEC("xdp")
int state_in_data(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx), index = length & 7;

	in_section[index] = in_section[(index + 1) & 7] + length;
	packed_state.letter++;
	packed_state.word ^= length * mode;
	if (length > packed_state.longest)
		packed_state.longest = length;
	balance += length & 1 ? -(int)index : (int)index;
	if (balance < -20 || balance > 20) {
		balance = 0;
		mode = mode % 5 + 1;
		return XDP_DROP;
	}
	return balance < 0 ? XDP_TX : XDP_PASS;
}

/* Pointers into constants, chosen when it runs. */
SEC("xdp")
int chosen_texts(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx), which = length % 3;
	const char *name;

	opaque(which);
	which &= 3;
	name = which == 0 ? names[0] : which == 1 ? names[1] : names[2];

	for (int i = 0; i < 2; i++)
		letters[which] = letters[which] * 31 + name[i];
	return which + 1;
}
