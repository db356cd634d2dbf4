/* Address translation, with checksums brought up to date (RFC 1624) or kept the same (RFC 6296). */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

struct binding {
	__be32 address;
	__be16 port;
	__u16 uses;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct flow);
	__type(value, struct binding);
	__uint(max_entries, 2048);
} bindings SEC(".maps");

static __u16 next_port = 32768;
static const volatile __be32 public_address = 0x010200c0;

static __always_inline __u16 replace_word(__u16 check, __be32 from, __be32 to)
{
	check = csum_replace(check, from, to);
	return csum_replace(check, from >> 16, to >> 16);
}

struct headers {
	struct iphdr *ip;
	struct tcphdr *tcp;
	struct udphdr *udp;
};

/* TCP or UDP over IPv4, in one piece. */
static __always_inline int parse(struct xdp_md *ctx, struct headers *headers)
{
	struct cursor cursor = cursor_of(ctx);

	__builtin_memset(headers, 0, sizeof(*headers));
	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IP))
		return 0;
	headers->ip = next_ipv4(&cursor);
	if (!headers->ip || headers->ip->frag_off & bpf_htons(IP_MF | IP_OFFSET))
		return 0;
	if (headers->ip->protocol == IPPROTO_TCP)
		headers->tcp = next_header(&cursor, struct tcphdr);
	else if (headers->ip->protocol == IPPROTO_UDP)
		headers->udp = next_header(&cursor, struct udphdr);
	return headers->tcp || headers->udp;
}

SEC("xdp")
int source_nat(struct xdp_md *ctx)
{
	struct binding *binding, fresh;
	struct headers headers;
	struct flow flow = {};

	if (!parse(ctx, &headers))
		return XDP_PASS;
	flow.source[0] = headers.ip->saddr;
	flow.destination[0] = headers.ip->daddr;
	flow.protocol = headers.ip->protocol;
	if (headers.tcp) {
		flow.source_port = headers.tcp->source;
		flow.destination_port = headers.tcp->dest;
	} else if (headers.udp) {
		flow.source_port = headers.udp->source;
		flow.destination_port = headers.udp->dest;
	}
	binding = bpf_map_lookup_elem(&bindings, &flow);
	if (!binding) {
		fresh.address = public_address;
		fresh.port = bpf_htons(next_port++);
		fresh.uses = 0;
		if (bpf_map_update_elem(&bindings, &flow, &fresh, BPF_NOEXIST))
			return XDP_DROP;
		binding = &fresh;
	}
	binding->uses++;
	headers.ip->check = replace_word(headers.ip->check, headers.ip->saddr, binding->address);
	if (headers.tcp) {
		headers.tcp->check = replace_word(headers.tcp->check, headers.ip->saddr, binding->address);
		headers.tcp->check = csum_replace(headers.tcp->check, headers.tcp->source, binding->port);
		headers.tcp->source = binding->port;
	} else if (headers.udp) {
		if (headers.udp->check) {
			__u16 check = replace_word(headers.udp->check, headers.ip->saddr, binding->address);

			check = csum_replace(check, headers.udp->source, binding->port);
			headers.udp->check = check ? check : 0xffff;
		}
		headers.udp->source = binding->port;
	}
	headers.ip->saddr = binding->address;
	return XDP_TX;
}

/* The same by the helper: differences of whole structures. */
SEC("xdp")
int destination_nat(struct xdp_md *ctx)
{
	struct {
		__be32 address;
		__be32 ports;
	} from, to;
	struct headers headers;
	__s64 sum;

	if (!parse(ctx, &headers))
		return XDP_PASS;
	from.address = headers.ip->daddr;
	from.ports = 0;
	if (headers.tcp)
		from.ports = headers.tcp->dest;
	else if (headers.udp)
		from.ports = headers.udp->dest;
	to.address = bpf_htonl(0x0a000000 | (bpf_ntohl(from.address) & 0xff));
	to.ports = from.ports == bpf_htons(80) ? bpf_htons(8080) : from.ports;
	sum = bpf_csum_diff(&from.address, 4, &to.address, 4, (__u16)~headers.ip->check);
	if (sum < 0)
		return XDP_ABORTED;
	headers.ip->check = csum_fold(sum);
	if (headers.tcp) {
		sum = bpf_csum_diff((__be32 *)&from, sizeof(from), (__be32 *)&to, sizeof(to),
				    (__u16)~headers.tcp->check);
		headers.tcp->check = csum_fold(sum);
		headers.tcp->dest = to.ports;
	} else if (headers.udp) {
		if (headers.udp->check) {
			sum = bpf_csum_diff((__be32 *)&from, sizeof(from), (__be32 *)&to, sizeof(to),
					    (__u16)~headers.udp->check);
			headers.udp->check = csum_fold(sum);
		}
		headers.udp->dest = to.ports;
	}
	headers.ip->daddr = to.address;
	return XDP_TX;
}

/* Checksum-neutral prefix translation: the fourth word takes what the prefix changed. */
SEC("xdp")
int prefix_translation(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ipv6hdr *ip;
	__be16 *words;
	__u32 adjustment;

	if (next_ethernet(&cursor) != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	ip = next_header(&cursor, struct ipv6hdr);
	if (!ip)
		return XDP_DROP;
	words = (__be16 *)&ip->saddr;
	if (words[0] != bpf_htons(0x2001) || words[1] != bpf_htons(0x0db8))
		return XDP_PASS;
	adjustment = words[0] + words[1] + words[2];
	words[0] = bpf_htons(0xfd01);
	words[1] = bpf_htons(0x0203);
	words[2] = bpf_htons(0x0405);
	adjustment += (__u16)~words[0] + (__u16)~words[1] + (__u16)~words[2] + words[3];
	adjustment = (adjustment & 0xffff) + (adjustment >> 16);
	adjustment = (adjustment & 0xffff) + (adjustment >> 16);
	words[3] = adjustment == 0xffff ? 0 : adjustment;
	return XDP_TX;
}

/* IPv4 to IPv6 for UDP, by RFC 7915: another header, twenty bytes longer. */
SEC("xdp")
int to_ipv6(struct xdp_md *ctx)
{
	struct ethhdr *eth = packet_start(ctx), copy;
	struct iphdr *ip = (void *)(eth + 1);
	struct ipv6hdr *six;
	__be32 source, destination;
	__u16 length;
	__u8 ttl, tos;

	if ((void *)(ip + 1) > packet_end(ctx) || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (ip->version != 4 || ip->ihl != 5 || ip->protocol != IPPROTO_UDP || ip->frag_off & bpf_htons(0x3fff))
		return XDP_PASS;
	length = bpf_ntohs(ip->tot_len);
	if (length < 28 || ip->ttl <= 1)
		return XDP_DROP;
	copy = *eth;
	source = ip->saddr;
	destination = ip->daddr;
	ttl = ip->ttl;
	tos = ip->tos;
	if (bpf_xdp_adjust_head(ctx, -20))
		return XDP_ABORTED;
	eth = packet_start(ctx);
	six = (void *)(eth + 1);
	if ((void *)(six + 1) > packet_end(ctx))
		return XDP_ABORTED;
	*eth = copy;
	eth->h_proto = bpf_htons(ETH_P_IPV6);
	six->version_class_flow = bpf_htonl(0x60000000 | tos << 20);
	six->payload_len = bpf_htons(length - 20);
	six->nexthdr = IPPROTO_UDP;
	six->hop_limit = ttl - 1;
	six->saddr.words[0] = six->daddr.words[0] = bpf_htonl(0x0064ff9b);
	six->saddr.words[1] = six->daddr.words[1] = 0;
	six->saddr.words[2] = six->daddr.words[2] = 0;
	six->saddr.words[3] = source;
	six->daddr.words[3] = destination;
	return XDP_TX;
}
