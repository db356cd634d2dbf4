/* Packet filters: prefixes, rules of tenants in maps of maps, bitmaps of ports, connections, constant tables. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct prefix4 {
	__u32 length;
	__be32 address;
};

struct prefix6 {
	__u32 length;
	__be32 address[4];
};

struct verdict {
	__u32 action;
	__u32 hits;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix4);
	__type(value, struct verdict);
	__uint(max_entries, 64);
} prefixes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix6);
	__type(value, struct verdict);
	__uint(max_entries, 64);
} prefixes6 SEC(".maps");

struct rules {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct verdict);
	__uint(max_entries, 32);
};

struct rules rules_a SEC(".maps"), rules_b SEC(".maps"), rules_c SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__type(key, __u32);
	__array(values, struct rules);
} tenants SEC(".maps") = {
	.values = { [0] = &rules_a, [1] = &rules_b, [2] = &rules_c },
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1024);
} open_ports SEC(".maps");

struct connection {
	__u32 state;
	__u32 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct flow);
	__type(value, struct connection);
	__uint(max_entries, 2048);
} connections SEC(".maps");

static __always_inline int judge(struct verdict *verdict)
{
	if (!verdict)
		return XDP_PASS;
	__sync_fetch_and_add(&verdict->hits, 1);
	return verdict->action ? XDP_DROP : XDP_TX;
}

SEC("xdp")
int acl(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	if (flow.version == 4) {
		struct prefix4 key = { 32, flow.source[0] };

		return judge(bpf_map_lookup_elem(&prefixes4, &key));
	} else {
		struct prefix6 key = { .length = 128 };

		__builtin_memcpy(key.address, flow.source, sizeof(key.address));
		return judge(bpf_map_lookup_elem(&prefixes6, &key));
	}
}

/* Learns prefixes from traffic: who sends resets is blocked by his /24, who ends well is released. */
SEC("xdp")
int learn_prefixes(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct prefix4 key = { .length = 24 };
	struct verdict block = { .action = 1 };
	struct tcphdr *tcp;
	struct iphdr *ip;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip)
		return XDP_DROP;
	key.address = ip->saddr;
	if (ip->protocol == IPPROTO_TCP) {
		tcp = next_header(&cursor, struct tcphdr);
		if (!tcp)
			return XDP_ABORTED;
		if (tcp->flags & TCP_RST)
			return bpf_map_update_elem(&prefixes4, &key, &block, BPF_ANY) ? XDP_ABORTED : XDP_DROP;
		if (tcp->flags & TCP_FIN)
			return bpf_map_delete_elem(&prefixes4, &key) ? XDP_PASS : XDP_TX;
	}
	key.length = 32;
	return judge(bpf_map_lookup_elem(&prefixes4, &key));
}

/* The VLAN says which tenant's rules hold; the rules are by destination port. */
SEC("xdp")
int tenant_rules(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ethhdr *eth = packet_start(ctx);
	struct flow flow;
	__u32 tenant = 0, port;
	struct verdict *verdict;
	void *rules;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	if ((void *)(eth + 1) + 4 <= cursor.end && eth->h_proto == bpf_htons(ETH_P_8021Q))
		tenant = *((__u8 *)(eth + 1) + 1) & 7;
	rules = bpf_map_lookup_elem(&tenants, &tenant);
	if (!rules)
		return XDP_DROP;
	port = bpf_ntohs(flow.destination_port);
	verdict = bpf_map_lookup_elem(rules, &port);
	if (!verdict) {
		struct verdict fresh = { .action = port & 1 };

		bpf_map_update_elem(rules, &port, &fresh, BPF_NOEXIST);
		return XDP_PASS;
	}
	return judge(verdict);
}

SEC("xdp")
int port_bitmap(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;
	__u64 *word, bit;
	__u32 index;

	if (!next_flow(&cursor, &flow))
		return XDP_PASS;
	index = bpf_ntohs(flow.destination_port) >> 6;
	bit = 1ULL << (bpf_ntohs(flow.destination_port) & 63);
	word = bpf_map_lookup_elem(&open_ports, &index);
	if (!word)
		return XDP_ABORTED;
	if (*word & bit)
		return XDP_PASS;
	/* What speaks from a well-known port opens the one it speaks to. */
	if (bpf_ntohs(flow.source_port) < 1024) {
		*word |= bit;
		return XDP_TX;
	}
	return XDP_DROP;
}

enum { SYN_SEEN = 1, ESTABLISHED, CLOSING };

SEC("xdp")
int stateful(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct connection *connection;
	struct tcphdr *tcp;
	struct flow flow;

	if (!next_flow(&cursor, &flow) || flow.protocol != IPPROTO_TCP)
		return XDP_PASS;
	tcp = cursor.position - sizeof(struct udphdr);
	if ((void *)(tcp + 1) > cursor.end)
		return XDP_DROP;
	flow.zero = 0;
	connection = bpf_map_lookup_elem(&connections, &flow);
	if (!connection) {
		struct connection fresh = { .state = SYN_SEEN, .packets = 1 };

		if (!(tcp->flags & TCP_SYN))
			return XDP_DROP;
		fresh.bytes = packet_end(ctx) - packet_start(ctx);
		return bpf_map_update_elem(&connections, &flow, &fresh, BPF_NOEXIST) ? XDP_ABORTED : XDP_TX;
	}
	connection->packets++;
	connection->bytes += packet_end(ctx) - packet_start(ctx);
	if (tcp->flags & TCP_RST) {
		bpf_map_delete_elem(&connections, &flow);
		return XDP_DROP;
	}
	if (tcp->flags & TCP_FIN)
		connection->state = CLOSING;
	else if (connection->state == SYN_SEEN && tcp->flags & TCP_ACK)
		connection->state = ESTABLISHED;
	return connection->state == CLOSING ? XDP_PASS : XDP_TX;
}

struct bogon {
	__u32 network;
	__u32 mask;
};

static const struct bogon bogons[] = {
	{ 0x00000000, 0xff000000 }, { 0x7f000000, 0xff000000 }, { 0xa9fe0000, 0xffff0000 }, { 0xc0000200, 0xffffff00 },
	{ 0xc6120000, 0xfffe0000 }, { 0xcb007100, 0xffffff00 }, { 0xe0000000, 0xf0000000 }, { 0xf0000000, 0xf0000000 },
};

SEC("xdp")
int drop_bogons(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct iphdr *ip;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < (int)ARRAY_SIZE(bogons); i++)
		if ((bpf_ntohl(ip->saddr) & bogons[i].mask) == bogons[i].network)
			return i & 1 ? XDP_DROP : XDP_TX;
	return XDP_PASS;
}
