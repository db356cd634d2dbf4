/* Text in packets: requests, numbers, names. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct line {
	char text[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct line);
	__type(value, __u32);
	__uint(max_entries, 1024);
} lines SEC(".maps");

counter_map(results, 8);

static __always_inline void *payload(struct xdp_md *ctx, __u32 *length)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;

	if (!next_flow(&cursor, &flow))
		return NULL;
	if (flow.protocol == IPPROTO_TCP && cursor.position + 12 <= cursor.end)
		cursor.position += 12;
	*length = cursor.end - cursor.position;
	return cursor.position;
}

SEC("xdp")
int http_methods(struct xdp_md *ctx)
{
	static const char get[] = "GET ", post[] = "POST ", http[] = "HTTP/1.";
	__u32 length;
	char *text = payload(ctx, &length), start[8];

	if (!text || (void *)(text + 8) > packet_end(ctx))
		return XDP_PASS;
	__builtin_memcpy(start, text, sizeof(start));
	if (!bpf_strncmp(start, 4, get))
		return XDP_TX;
	if (!bpf_strncmp(start, 5, post))
		return XDP_DROP;
	count(&results, bpf_strncmp(start, 7, http) < 0 ? 0 : 1, 1);
	return bpf_strncmp(start, 8, http) > 0 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int numbers(struct xdp_md *ctx)
{
	__u8 *packet = packet_start(ctx);
	unsigned long natural = 0;
	char text[16];
	long whole = 0, used;

	if ((void *)(packet + 30) > packet_end(ctx))
		return XDP_DROP;
	for (int i = 0; i < 15; i++)
		text[i] = "0123456789-+ x89"[packet[i + 14] & 15];
	text[15] = 0;
	used = bpf_strtol(text, sizeof(text), packet[0] & 8 ? 16 : packet[0] & 1 ? 10 : 0, &whole);
	count(&results, 2, used);
	count(&results, 3, whole);
	used = bpf_strtoul(text, sizeof(text), packet[0] & 2 ? 8 : 10, &natural);
	count(&results, 4, used);
	count(&results, 5, natural);
	return used < 0 ? XDP_PASS : XDP_TX;
}

SEC("xdp")
int descriptions(struct xdp_md *ctx)
{
	static const char format[] = "%pI4>%pI4 p=%u len=%-5d|%04x %s";
	static const char name[] = "flow";
	struct cursor cursor = cursor_of(ctx);
	struct line line = {};
	struct flow flow;
	__u32 *seen, one = 1;
	__u64 data[6];
	long written;

	if (!next_flow(&cursor, &flow) || flow.version != 4)
		return XDP_PASS;
	data[0] = (__u64)(long)&flow.source;
	data[1] = (__u64)(long)&flow.destination;
	data[2] = flow.protocol;
	data[3] = packet_end(ctx) - packet_start(ctx);
	data[4] = bpf_ntohs(flow.destination_port);
	data[5] = (__u64)(long)name;
	written = bpf_snprintf(line.text, sizeof(line.text), format, data, sizeof(data));
	count(&results, 6, written);
	seen = bpf_map_lookup_elem(&lines, &line);
	if (seen)
		*seen += 1;
	else
		bpf_map_update_elem(&lines, &line, &one, BPF_ANY);
	return written > 45 ? XDP_TX : XDP_DROP;
}

/* The labels of a DNS question, in lower case. */
SEC("xdp")
int dns_names(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct line name = {};
	__u32 at = 0, left = 0, *seen, one = 1;
	struct flow flow;
	__u8 *byte;

	if (!next_flow(&cursor, &flow) || flow.protocol != IPPROTO_UDP || flow.destination_port != bpf_htons(53))
		return XDP_PASS;
	byte = cursor.position + 12;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 62; i++, byte++) {
		if ((void *)(byte + 1) > packet_end(ctx))
			return XDP_ABORTED;
		if (!left) {
			if (!*byte)
				break;
			if (*byte > 63)
				return XDP_DROP;
			left = *byte;
			name.text[at++ & 63] = '.';
			continue;
		}
		left--;
		name.text[at++ & 63] = *byte >= 'A' && *byte <= 'Z' ? *byte | 32 : *byte;
	}
	seen = bpf_map_lookup_elem(&lines, &name);
	if (!seen)
		return bpf_map_update_elem(&lines, &name, &one, BPF_NOEXIST) ? XDP_ABORTED : XDP_PASS;
	return ++*seen > 2 ? XDP_DROP : XDP_TX;
}
