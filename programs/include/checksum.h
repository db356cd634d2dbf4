/* The Internet checksum (RFC 1071) and its incremental update (RFC 1624). */
#ifndef RXSTAGES_CHECKSUM_H
#define RXSTAGES_CHECKSUM_H

#include "packets.h"

/* A 32-bit one's complement sum as the checksum that goes into a header. */
static __always_inline __u16 csum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* The checksum of an IPv4 header without options; its own field must be 0. */
static __always_inline __u16 ipv4_checksum(const struct iphdr *ip)
{
	const __u16 *word = (const void *)ip;
	__u32 sum = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < (int)sizeof(*ip) / 2; i++)
		sum += word[i];
	return csum_fold(sum);
}

/* The checksum after one 16-bit word under it has changed (RFC 1624, equation 3). */
static __always_inline __u16 csum_replace(__u16 check, __u16 from, __u16 to)
{
	return csum_fold((__u32)(__u16)~check + (__u16)~from + to);
}

#endif
