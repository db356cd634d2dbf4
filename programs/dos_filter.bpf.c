/*
 * A filter against denial of service: block lists, port rules, reflected amplification, and a limit on the SYNs of each
 * source. What it does not drop it passes.
 */
#include "include/packets.h"

/* Configuration, set before loading. */

/* SYN packets a source may send per second. 0: nothing is refilled, syn_burst is all that a source ever gets. */
const volatile __u32 syn_rate = 100;
/* How many SYN packets a source may send at once; 0 turns the limit off. */
const volatile __u32 syn_burst = 200;
/* Drop UDP packets that come from the ports of services known as amplifiers. */
const volatile __u8 drop_reflections = 1;
/* Drop all fragments but the first, which carry no ports to judge them by. */
const volatile __u8 drop_fragments = 0;

#define NSEC_PER_SEC 1000000000ULL
#define MAX_EXTENSION_HEADERS 8

/* Why a packet was passed or dropped: the index into counters. */
enum reason {
	REASON_PASS,
	REASON_NOT_IP,
	REASON_PORT_ALLOWED,
	REASON_MALFORMED,
	REASON_BLOCKED_V4,
	REASON_BLOCKED_V6,
	REASON_PORT_DENIED,
	REASON_REFLECTION,
	REASON_FRAGMENT,
	REASON_SYN_LIMIT,
	REASON_COUNT,
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASON_COUNT);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

struct prefix_v4 {
	__u32 length;
	__be32 address;
};

struct prefix_v6 {
	__u32 length;
	struct in6_addr address;
};

/* How often a blocked prefix was hit. */
struct block {
	__u64 hits;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_v4);
	__type(value, struct block);
} blocked_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_v6);
	__type(value, struct block);
} blocked_v6 SEC(".maps");

struct service {
	__be16 port;
	__u8 protocol;
	__u8 unused;
};

enum port_action {
	PORT_ALLOW = 1, /* passes without further tests */
	PORT_DENY,
};

/* What happens to packets for a destination port. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct service);
	__type(value, __u32);
} port_rules SEC(".maps");

/* A token bucket, in nanoseconds of credit: a SYN costs NSEC_PER_SEC / syn_rate. */
struct bucket {
	__u64 credit;
	__u64 last;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct in6_addr);
	__type(value, struct bucket);
} syn_sources SEC(".maps");

/* What the parsers found; addresses as IPv6, with IPv4 mapped into it (::ffff:a.b.c.d). */
struct packet {
	struct cursor cursor;
	struct in6_addr source;
	__u8 protocol;
	__u8 is_later_fragment;
};

static __always_inline enum reason parse_ipv4(struct packet *packet)
{
	struct iphdr *ip = next_ipv4(&packet->cursor);
	struct prefix_v4 prefix = { .length = 32 };
	struct block *block;
	__u16 fragment;

	if (!ip || bpf_ntohs(ip->tot_len) < ip->ihl * 4)
		return REASON_MALFORMED;
	prefix.address = ip->saddr;
	block = bpf_map_lookup_elem(&blocked_v4, &prefix);
	if (block) {
		__sync_fetch_and_add(&block->hits, 1);
		return REASON_BLOCKED_V4;
	}
	fragment = bpf_ntohs(ip->frag_off);
	packet->is_later_fragment = (fragment & IP_OFFSET) != 0;
	/* A second fragment that begins inside the TCP header only hides flags (RFC 1858). */
	if ((fragment & IP_OFFSET) == 1 && ip->protocol == IPPROTO_TCP)
		return REASON_MALFORMED;
	packet->protocol = ip->protocol;
	packet->source.words[2] = bpf_htonl(0xffff);
	packet->source.words[3] = ip->saddr;
	return REASON_PASS;
}

static __always_inline enum reason parse_ipv6(struct packet *packet)
{
	struct ipv6hdr *ip = next_header(&packet->cursor, struct ipv6hdr);
	struct prefix_v6 prefix = { .length = 128 };
	struct block *block;
	__u8 next;

	if (!ip || (ip->version_class_flow & bpf_htonl(0xf0000000)) != bpf_htonl(0x60000000))
		return REASON_MALFORMED;
	prefix.address = ip->saddr;
	block = bpf_map_lookup_elem(&blocked_v6, &prefix);
	if (block) {
		__sync_fetch_and_add(&block->hits, 1);
		return REASON_BLOCKED_V6;
	}
	packet->source = ip->saddr;
	next = ip->nexthdr;
#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		struct ipv6_ext_hdr *extension;
		__u32 rest;

		if (next == IPPROTO_FRAGMENT) {
			struct frag_hdr *fragment = next_header(&packet->cursor, struct frag_hdr);

			if (!fragment)
				return REASON_MALFORMED;
			next = fragment->nexthdr;
			if (fragment->frag_off & bpf_htons(0xfff8)) {
				packet->is_later_fragment = 1;
				break;
			}
			continue;
		}
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS && next != IPPROTO_AH)
			break;
		extension = next_header(&packet->cursor, struct ipv6_ext_hdr);
		if (!extension)
			return REASON_MALFORMED;
		/* The authentication header counts in 4 bytes less 2, the others in 8 bytes less 1. */
		rest = next == IPPROTO_AH ? extension->hdrlen * 4 : extension->hdrlen * 8;
		next = extension->nexthdr;
		if (packet->cursor.position + rest > packet->cursor.end)
			return REASON_MALFORMED;
		packet->cursor.position += rest;
	}
	packet->protocol = next;
	return REASON_PASS;
}

/* Is this the source port of a service that answers small questions with large packets? */
static __always_inline int is_amplifier(__u16 port)
{
	switch (port) {
	case 17: /* qotd */
	case 19: /* chargen */
	case 111: /* portmap */
	case 137: /* netbios */
	case 161: /* snmp */
	case 389: /* cldap */
	case 1900: /* ssdp */
	case 3702: /* ws-discovery */
	case 11211: /* memcached */
		return 1;
	default:
		return 0;
	}
}

/* Takes one SYN out of the source's bucket; false when there is none left. */
static __noinline int take_syn(struct in6_addr *source)
{
	__u64 cost = syn_rate ? NSEC_PER_SEC / syn_rate : 1;
	__u64 full = cost * syn_burst;
	__u64 now = syn_rate ? bpf_ktime_get_ns() : 0;
	struct bucket *bucket;
	__u64 credit;

	bucket = bpf_map_lookup_elem(&syn_sources, source);
	if (!bucket) {
		struct bucket fresh = { .credit = full - cost, .last = now };

		bpf_map_update_elem(&syn_sources, source, &fresh, BPF_ANY);
		return 1;
	}
	/* Two CPUs may take the same credit: the limit is a limit, not an account. */
	credit = bucket->credit + (now - bucket->last);
	if (credit > full)
		credit = full;
	bucket->last = now;
	if (credit < cost) {
		bucket->credit = credit;
		return 0;
	}
	bucket->credit = credit - cost;
	return 1;
}

static __always_inline enum reason judge_port(__be16 port, __u8 protocol)
{
	struct service service = { .port = port, .protocol = protocol };
	__u32 *action = bpf_map_lookup_elem(&port_rules, &service);

	if (!action)
		return REASON_PASS;
	return *action == PORT_DENY ? REASON_PORT_DENIED : REASON_PORT_ALLOWED;
}

static __always_inline enum reason judge_udp(struct packet *packet)
{
	struct udphdr *udp = next_header(&packet->cursor, struct udphdr);
	enum reason reason;

	if (!udp || bpf_ntohs(udp->len) < sizeof(*udp))
		return REASON_MALFORMED;
	reason = judge_port(udp->dest, IPPROTO_UDP);
	if (reason != REASON_PASS)
		return reason;
	if (drop_reflections && is_amplifier(bpf_ntohs(udp->source)))
		return REASON_REFLECTION;
	return REASON_PASS;
}

static __always_inline enum reason judge_tcp(struct packet *packet)
{
	struct tcphdr *tcp = next_header(&packet->cursor, struct tcphdr);
	enum reason reason;
	__u8 flags;

	if (!tcp || tcp->doff < 5)
		return REASON_MALFORMED;
	flags = tcp->flags;
	/* No stack sends these; scanners do. */
	if (!(flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) ||
	    ((flags & TCP_SYN) && (flags & (TCP_FIN | TCP_RST))))
		return REASON_MALFORMED;
	reason = judge_port(tcp->dest, IPPROTO_TCP);
	if (reason != REASON_PASS)
		return reason;
	if (syn_burst && (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && !take_syn(&packet->source))
		return REASON_SYN_LIMIT;
	return REASON_PASS;
}

static __always_inline enum reason judge(struct xdp_md *ctx)
{
	struct packet packet = { .cursor = { packet_start(ctx), packet_end(ctx) } };
	enum reason reason;
	__be16 proto = next_ethernet(&packet.cursor);

	if (proto == bpf_htons(ETH_P_IP))
		reason = parse_ipv4(&packet);
	else if (proto == bpf_htons(ETH_P_IPV6))
		reason = parse_ipv6(&packet);
	else
		return proto ? REASON_NOT_IP : REASON_MALFORMED;
	if (reason != REASON_PASS)
		return reason;
	if (packet.is_later_fragment)
		return drop_fragments ? REASON_FRAGMENT : REASON_PASS;
	if (packet.protocol == IPPROTO_UDP)
		return judge_udp(&packet);
	if (packet.protocol == IPPROTO_TCP)
		return judge_tcp(&packet);
	return REASON_PASS;
}

SEC("xdp")
int dos_filter(struct xdp_md *ctx)
{
	__u32 reason = judge(ctx);
	struct counter *counter = bpf_map_lookup_elem(&counters, &reason);

	if (counter) {
		counter->packets++;
		counter->bytes += packet_end(ctx) - packet_start(ctx);
	}
	return reason >= REASON_MALFORMED ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
