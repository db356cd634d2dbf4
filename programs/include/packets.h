/*
 * Packet headers as they stand on the wire, and the one way in which our programs take them: next_header(), which
 * compares with the end of the packet before it hands out a pointer.
 */
#ifndef RXSTAGES_PACKETS_H
#define RXSTAGES_PACKETS_H

#include "bpf.h"

#define ETH_P_IP 0x0800
#define ETH_P_ARP 0x0806
#define ETH_P_8021Q 0x8100
#define ETH_P_IPV6 0x86dd
#define ETH_P_8021AD 0x88a8

#define IPPROTO_HOPOPTS 0
#define IPPROTO_ICMP 1
#define IPPROTO_IPIP 4
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_ROUTING 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_AH 51
#define IPPROTO_ICMPV6 58
#define IPPROTO_NONE 59
#define IPPROTO_DSTOPTS 60

#define IP_DF 0x4000
#define IP_MF 0x2000
#define IP_OFFSET 0x1fff

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

struct ethhdr {
	__u8 h_dest[6];
	__u8 h_source[6];
	__be16 h_proto;
} __attribute__((packed));

struct vlan_hdr {
	__be16 h_vlan_TCI;
	__be16 h_vlan_encapsulated_proto;
};

struct iphdr {
	__u8 ihl : 4;
	__u8 version : 4;
	__u8 tos;
	__be16 tot_len;
	__be16 id;
	__be16 frag_off;
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__be32 saddr;
	__be32 daddr;
};

struct in6_addr {
	union {
		__u8 bytes[16];
		__be32 words[4];
	};
};

struct ipv6hdr {
	__be32 version_class_flow;
	__be16 payload_len;
	__u8 nexthdr;
	__u8 hop_limit;
	struct in6_addr saddr;
	struct in6_addr daddr;
};

/* The start of every IPv6 extension header that can be walked over. */
struct ipv6_ext_hdr {
	__u8 nexthdr;
	__u8 hdrlen;
	__u8 rest[6];
};

struct frag_hdr {
	__u8 nexthdr;
	__u8 reserved;
	__be16 frag_off;
	__be32 identification;
};

struct udphdr {
	__be16 source;
	__be16 dest;
	__be16 len;
	__u16 check;
};

struct tcphdr {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack_seq;
	__u8 reserved : 4;
	__u8 doff : 4;
	__u8 flags;
	__be16 window;
	__u16 check;
	__be16 urg_ptr;
};

/* ICMP and ICMPv6 alike, for echo messages. */
struct icmphdr {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__be16 id;
	__be16 sequence;
};

/* Where in the packet the parser stands. */
struct cursor {
	void *position;
	void *end;
};

/* The header at the cursor, which moves behind it; null when the packet ends before the header does. */
#define next_header(cursor, type)                                                                                      \
	({                                                                                                             \
		type *header_ = (cursor)->position;                                                                    \
		if ((void *)(header_ + 1) > (cursor)->end)                                                             \
			header_ = NULL;                                                                                \
		else                                                                                                   \
			(cursor)->position = header_ + 1;                                                              \
		header_;                                                                                               \
	})

/* Takes the Ethernet header and up to two VLAN tags; returns the EtherType behind them, 0 when the packet is too short. */
static __always_inline __be16 next_ethernet(struct cursor *cursor)
{
	struct ethhdr *eth = next_header(cursor, struct ethhdr);
	__be16 proto;

	if (!eth)
		return 0;
	proto = eth->h_proto;
#pragma clang loop unroll(full)
	for (int tag = 0; tag < 2; tag++) {
		struct vlan_hdr *vlan;

		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		vlan = next_header(cursor, struct vlan_hdr);
		if (!vlan)
			return 0;
		proto = vlan->h_vlan_encapsulated_proto;
	}
	return proto;
}

/* The IPv4 header with its options; null when it is cut short or is not one. */
static __always_inline struct iphdr *next_ipv4(struct cursor *cursor)
{
	struct iphdr *ip = next_header(cursor, struct iphdr);
	void *behind;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return NULL;
	behind = (void *)ip + ip->ihl * 4;
	if (behind > cursor->end)
		return NULL;
	cursor->position = behind;
	return ip;
}

#endif
