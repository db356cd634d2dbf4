/* Services answered or guarded before the stack: ARP, echo, name and time servers, GTP. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __be32);
	__type(value, __u64);
	__uint(max_entries, 128);
} neighbours SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__type(key, __be32);
	__type(value, __u64);
	__uint(max_entries, 256);
} tunnels SEC(".maps");

SEC("xdp")
int answer_arp(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ethhdr *eth = packet_start(ctx);
	struct arphdr *arp;
	__u64 hardware = 0;
	__be32 address;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_ARP))
		return XDP_PASS;
	arp = next_header(&cursor, struct arphdr);
	if (!arp || arp->hardware != bpf_htons(1) || arp->hardware_length != 6 || arp->protocol_length != 4)
		return XDP_DROP;
	__builtin_memcpy(&address, arp->sender_ip, 4);
	__builtin_memcpy(&hardware, arp->sender_mac, 6);
	bpf_map_update_elem(&neighbours, &address, &hardware, BPF_ANY);
	if (arp->operation != bpf_htons(1))
		return XDP_PASS;
	__builtin_memcpy(eth->h_dest, eth->h_source, 6);
	__builtin_memset(eth->h_source, 0x02, 6);
	arp->operation = bpf_htons(2);
	__builtin_memcpy(arp->target_mac, arp->sender_mac, 6);
	__builtin_memset(arp->sender_mac, 0x02, 6);
	__builtin_memcpy(&address, arp->target_ip, 4);
	__builtin_memcpy(arp->target_ip, arp->sender_ip, 4);
	__builtin_memcpy(arp->sender_ip, &address, 4);
	return XDP_TX;
}

SEC("xdp")
int answer_echo(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ethhdr *eth = packet_start(ctx), copy;
	__be16 proto = next_ethernet(&cursor);
	struct icmphdr *icmp;

	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = next_ipv4(&cursor);
		__be32 address;

		if (!ip || ip->protocol != IPPROTO_ICMP)
			return XDP_PASS;
		icmp = next_header(&cursor, struct icmphdr);
		if (!icmp || icmp->type != 8)
			return XDP_PASS;
		icmp->checksum = csum_replace(icmp->checksum, *(__u16 *)icmp, 0);
		icmp->type = icmp->code = 0;
		address = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = address;
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = next_header(&cursor, struct ipv6hdr);
		struct in6_addr address;

		if (!ip || ip->nexthdr != IPPROTO_ICMPV6)
			return XDP_PASS;
		icmp = next_header(&cursor, struct icmphdr);
		if (!icmp || icmp->type != 128)
			return XDP_PASS;
		icmp->checksum = csum_replace(icmp->checksum, bpf_htons(0x8000), bpf_htons(0x8100));
		icmp->type = 129;
		address = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = address;
	} else {
		return XDP_PASS;
	}
	copy = *eth;
	__builtin_memcpy(eth->h_dest, copy.h_source, 6);
	__builtin_memcpy(eth->h_source, copy.h_dest, 6);
	return XDP_TX;
}

/* Amplifiers: answers of services that nobody asked. */
SEC("xdp")
int guard_amplifiers(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct flow flow;
	__u8 *payload;

	if (!next_flow(&cursor, &flow) || flow.protocol != IPPROTO_UDP)
		return XDP_PASS;
	payload = cursor.position;
	if ((void *)(payload + 4) > cursor.end)
		return XDP_PASS;
	switch (bpf_ntohs(flow.source_port)) {
	case 53:
		return payload[2] & 0x80 ? XDP_DROP : XDP_PASS;
	case 123:
		return (payload[0] & 7) == 7 ? XDP_DROP : XDP_PASS;
	case 19:
	case 389:
	case 1900:
	case 11211:
		return XDP_DROP;
	}
	switch (bpf_ntohs(flow.destination_port)) {
	case 53:
		return payload[2] & 0x80 ? XDP_DROP : XDP_TX;
	case 123:
		return (payload[0] & 0x38) >> 3 > 4 ? XDP_DROP : XDP_TX;
	}
	return XDP_PASS;
}

SEC("xdp")
int count_gtp(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct gtphdr *gtp;
	struct flow flow;
	__u64 *packets, one = 1;
	__be32 teid;

	if (!next_flow(&cursor, &flow) || flow.protocol != IPPROTO_UDP || flow.destination_port != bpf_htons(GTP_PORT))
		return XDP_PASS;
	gtp = next_header(&cursor, struct gtphdr);
	if (!gtp || gtp->flags >> 5 != 1)
		return XDP_DROP;
	teid = gtp->teid;
	packets = bpf_map_lookup_elem(&tunnels, &teid);
	if (packets)
		*packets += 1;
	else if (bpf_map_update_elem(&tunnels, &teid, &one, BPF_NOEXIST))
		return XDP_ABORTED;
	return gtp->type == 255 ? XDP_TX : XDP_PASS;
}
