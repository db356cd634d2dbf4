/*
 * Answers ICMP and ICMPv6 echo requests on the spot: the request, turned round, is the reply.
 */
#include "include/checksum.h"

#define ICMP_ECHOREPLY 0
#define ICMP_ECHO 8
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_REPLY 129

/* Echo replies by the IP version that they went out with: index 0 for IPv4, 1 for IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} replies SEC(".maps");

static __always_inline int reply(struct ethhdr *eth, __u32 index)
{
	__u64 *count = bpf_map_lookup_elem(&replies, &index);
	__u8 mac[6];

	__builtin_memcpy(mac, eth->h_dest, sizeof(mac));
	__builtin_memcpy(eth->h_dest, eth->h_source, sizeof(mac));
	__builtin_memcpy(eth->h_source, mac, sizeof(mac));
	if (count)
		++*count;
	return XDP_TX;
}

/* The type of an echo message and, with it, the checksum over it: type and code are one word of the sum. */
static __always_inline void change_type(struct icmphdr *icmp, __u8 type)
{
	__u16 from = *(__u16 *)icmp;

	icmp->type = type;
	icmp->checksum = csum_replace(icmp->checksum, from, *(__u16 *)icmp);
}

/* Is this our own unicast address to answer from? Multicast and broadcast are the stack's to judge. */
static __always_inline int is_unicast(struct ethhdr *eth)
{
	return !(eth->h_dest[0] & 1);
}

static __always_inline int answer_ipv4(struct ethhdr *eth, struct cursor *cursor)
{
	struct iphdr *ip = next_header(cursor, struct iphdr);
	struct icmphdr *icmp;
	__be32 destination;
	__u16 from;

	/* Options (a source route, say) would need to be turned round too. */
	if (!ip || ip->version != 4 || ip->ihl != 5 || ip->protocol != IPPROTO_ICMP)
		return XDP_PASS;
	if (ip->frag_off & bpf_htons(IP_MF | IP_OFFSET))
		return XDP_PASS;
	icmp = next_header(cursor, struct icmphdr);
	if (!icmp || icmp->type != ICMP_ECHO || icmp->code != 0)
		return XDP_PASS;
	destination = ip->daddr;
	ip->daddr = ip->saddr;
	ip->saddr = destination;
	/* A reply starts with a full time to live; addresses that change places leave the checksum as it is. */
	from = *(__u16 *)&ip->ttl;
	ip->ttl = 64;
	ip->check = csum_replace(ip->check, from, *(__u16 *)&ip->ttl);
	change_type(icmp, ICMP_ECHOREPLY);
	return reply(eth, 0);
}

static __always_inline int answer_ipv6(struct ethhdr *eth, struct cursor *cursor)
{
	struct ipv6hdr *ip = next_header(cursor, struct ipv6hdr);
	struct in6_addr destination;
	struct icmphdr *icmp;

	if (!ip || ip->nexthdr != IPPROTO_ICMPV6)
		return XDP_PASS;
	icmp = next_header(cursor, struct icmphdr);
	if (!icmp || icmp->type != ICMPV6_ECHO_REQUEST || icmp->code != 0)
		return XDP_PASS;
	destination = ip->daddr;
	ip->daddr = ip->saddr;
	ip->saddr = destination;
	ip->hop_limit = 64;
	change_type(icmp, ICMPV6_ECHO_REPLY);
	return reply(eth, 1);
}

SEC("xdp")
int echo_responder(struct xdp_md *ctx)
{
	struct cursor cursor = { packet_start(ctx), packet_end(ctx) };
	struct ethhdr *eth = cursor.position;
	__be16 proto = next_ethernet(&cursor);

	if (!proto || (void *)(eth + 1) > cursor.end || !is_unicast(eth))
		return XDP_PASS;
	if (proto == bpf_htons(ETH_P_IP))
		return answer_ipv4(eth, &cursor);
	if (proto == bpf_htons(ETH_P_IPV6))
		return answer_ipv6(eth, &cursor);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
