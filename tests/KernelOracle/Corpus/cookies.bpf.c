/* SYN cookies of our own: SipHash-2-4 over the flow, answered without keeping any state. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

static const volatile __u64 secret[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

struct siphash {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotate(__u64 word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static __always_inline void sip_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static __always_inline void sip_take(struct siphash *s, __u64 word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static __noinline __u64 sip_of(__u64 addresses, __u64 ports)
{
	struct siphash s = { secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d,
			     secret[0] ^ 0x6c7967656e657261, secret[1] ^ 0x7465646279746573 };

	sip_take(&s, addresses);
	sip_take(&s, ports);
	sip_take(&s, 16ULL << 56);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static __always_inline void swap_macs(struct ethhdr *eth)
{
	for (int i = 0; i < 6; i++) {
		__u8 byte = eth->h_dest[i];

		eth->h_dest[i] = eth->h_source[i];
		eth->h_source[i] = byte;
	}
}

SEC("xdp")
int answer_syn(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ethhdr *eth = packet_start(ctx);
	struct tcphdr *tcp;
	struct iphdr *ip;
	__u32 cookie, sum, length;
	__be32 address;
	__be16 port;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = next_ipv4(&cursor);
	if (!ip || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	tcp = next_header(&cursor, struct tcphdr);
	if (!tcp)
		return XDP_DROP;
	cookie = sip_of((__u64)ip->saddr << 32 | ip->daddr, (__u64)tcp->source << 16 | tcp->dest);
	if ((tcp->flags & (TCP_SYN | TCP_ACK)) == TCP_ACK)
		return bpf_ntohl(tcp->ack_seq) - 1 == cookie ? XDP_PASS : XDP_DROP;
	if (!(tcp->flags & TCP_SYN))
		return XDP_PASS;
	swap_macs(eth);
	address = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = address;
	port = tcp->source;
	tcp->source = tcp->dest;
	tcp->dest = port;
	tcp->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + 1);
	tcp->seq = bpf_htonl(cookie);
	tcp->flags = TCP_SYN | TCP_ACK;
	tcp->doff = 5;
	tcp->window = bpf_htons(64240);
	tcp->urg_ptr = 0;
	tcp->check = 0;
	ip->ttl = 64;
	length = sizeof(*tcp);
	sum = bpf_csum_diff(0, 0, (__be32 *)tcp, sizeof(*tcp), 0);
	sum = bpf_csum_diff(0, 0, &ip->saddr, 8, sum);
	sum = (sum & 0xffff) + (sum >> 16) + bpf_htons(IPPROTO_TCP) + bpf_htons(length);
	tcp->check = csum_fold(sum);
	return XDP_TX;
}
