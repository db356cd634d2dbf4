/* Bob Jenkins' lookup3 hash (public domain) over three words. */
#ifndef RXSTAGES_JHASH_H
#define RXSTAGES_JHASH_H

#include "bpf.h"

static __always_inline __u32 rotate_left(__u32 word, int bits)
{
	return word << bits | word >> (32 - bits);
}

static __always_inline __u32 jhash_3words(__u32 a, __u32 b, __u32 c, __u32 seed)
{
	__u32 start = 0xdeadbeef + (3 << 2) + seed;

	a += start;
	b += start;
	c += start;
	c = (c ^ b) - rotate_left(b, 14);
	a = (a ^ c) - rotate_left(c, 11);
	b = (b ^ a) - rotate_left(a, 25);
	c = (c ^ b) - rotate_left(b, 16);
	a = (a ^ c) - rotate_left(c, 4);
	b = (b ^ a) - rotate_left(a, 14);
	c = (c ^ b) - rotate_left(b, 24);
	return c;
}

#endif
