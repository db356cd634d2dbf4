/*
 * What the programs of the corpus need beyond programs/include: more of the kernel's ABI (map types, helpers, kfuncs) and the
 * headers of tunnels. Names and numbers are those of the kernel's <linux/bpf.h>.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include "bpf.h"
#include "checksum.h"
#include "jhash.h"
#include "packets.h"

#define BPF_MAP_TYPE_ARRAY_OF_MAPS 12
#define BPF_MAP_TYPE_HASH_OF_MAPS 13
#define BPF_MAP_TYPE_QUEUE 22
#define BPF_MAP_TYPE_STACK 23
#define BPF_MAP_TYPE_BLOOM_FILTER 30

#define BPF_F_LOCK 4
#define BPF_F_NO_COMMON_LRU (1U << 1)

#define __hidden __attribute__((visibility("hidden")))
#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))
#define __weak __attribute__((weak))
#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))
#define __arg_nonnull __attribute__((btf_decl_tag("arg:nonnull")))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct bpf_spin_lock {
	__u32 val;
};

struct bpf_dynptr {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

static long (*const bpf_map_push_elem)(void *map, const void *value, __u64 flags) = BPF_HELPER(87);
static long (*const bpf_map_pop_elem)(void *map, void *value) = BPF_HELPER(88);
static long (*const bpf_map_peek_elem)(void *map, void *value) = BPF_HELPER(89);
static long (*const bpf_spin_lock)(struct bpf_spin_lock *lock) = BPF_HELPER(93);
static long (*const bpf_spin_unlock)(struct bpf_spin_lock *lock) = BPF_HELPER(94);
static long (*const bpf_strtol)(const char *text, __u64 size, __u64 flags, long *result) = BPF_HELPER(105);
static long (*const bpf_strtoul)(const char *text, __u64 size, __u64 flags, unsigned long *result) = BPF_HELPER(106);
static long (*const bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = BPF_HELPER(113);
static __u64 (*const bpf_jiffies64)(void) = BPF_HELPER(118);
static long (*const bpf_ringbuf_output)(void *ringbuf, void *data, __u64 size, __u64 flags) = BPF_HELPER(130);
static void (*const bpf_ringbuf_discard)(void *data, __u64 flags) = BPF_HELPER(133);
static __u64 (*const bpf_ringbuf_query)(void *ringbuf, __u64 flags) = BPF_HELPER(134);
static long (*const bpf_for_each_map_elem)(void *map, void *callback, void *context, __u64 flags) = BPF_HELPER(164);
static long (*const bpf_snprintf)(char *text, __u32 size, const char *format, __u64 *data,
				  __u32 data_length) = BPF_HELPER(165);
static long (*const bpf_loop)(__u32 iterations, void *callback, void *context, __u64 flags) = BPF_HELPER(181);
static long (*const bpf_strncmp)(const char *text, __u32 size, const char *constant) = BPF_HELPER(182);
static __u64 (*const bpf_xdp_get_buff_len)(struct xdp_md *ctx) = BPF_HELPER(188);
static long (*const bpf_xdp_load_bytes)(struct xdp_md *ctx, __u32 offset, void *to, __u32 length) = BPF_HELPER(189);
static long (*const bpf_xdp_store_bytes)(struct xdp_md *ctx, __u32 offset, void *from, __u32 length) = BPF_HELPER(190);
static void *(*const bpf_map_lookup_percpu_elem)(void *map, const void *key, __u32 cpu) = BPF_HELPER(195);
static long (*const bpf_dynptr_from_mem)(void *data, __u32 size, __u64 flags, struct bpf_dynptr *ptr) = BPF_HELPER(197);
static long (*const bpf_ringbuf_reserve_dynptr)(void *ringbuf, __u32 size, __u64 flags,
						struct bpf_dynptr *ptr) = BPF_HELPER(198);
static void (*const bpf_ringbuf_submit_dynptr)(struct bpf_dynptr *ptr, __u64 flags) = BPF_HELPER(199);
static void (*const bpf_ringbuf_discard_dynptr)(struct bpf_dynptr *ptr, __u64 flags) = BPF_HELPER(200);
static long (*const bpf_dynptr_read)(void *to, __u32 size, const struct bpf_dynptr *from, __u32 offset,
				     __u64 flags) = BPF_HELPER(201);
static long (*const bpf_dynptr_write)(const struct bpf_dynptr *to, __u32 offset, void *from, __u32 size,
				      __u64 flags) = BPF_HELPER(202);
static void *(*const bpf_dynptr_data)(const struct bpf_dynptr *ptr, __u32 offset, __u32 size) = BPF_HELPER(203);

#define ETH_P_TEB 0x6558
#define ETH_P_MPLS 0x8847
#define ETH_P_LLDP 0x88cc
#define IPPROTO_GRE 47
#define IPPROTO_IPV6 41
#define IPPROTO_SCTP 132
#define VXLAN_PORT 4789
#define GENEVE_PORT 6081
#define GTP_PORT 2152

struct arphdr {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender_ip[4];
	__u8 target_mac[6];
	__u8 target_ip[4];
};

struct grehdr {
	__be16 flags;
	__be16 protocol;
};

struct vxlanhdr {
	__be32 flags;
	__be32 vni;
};

struct genevehdr {
	__u8 option_words : 6;
	__u8 version : 2;
	__u8 flags;
	__be16 protocol;
	__be32 vni;
};

struct gtphdr {
	__u8 flags;
	__u8 type;
	__be16 length;
	__be32 teid;
};

/* Who talks with whom: the key of most tables here. IPv4 addresses stand in the first word. */
struct flow {
	__be32 source[4];
	__be32 destination[4];
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 version;
	__u16 zero;
};

static __always_inline struct cursor cursor_of(struct xdp_md *ctx)
{
	return (struct cursor){ packet_start(ctx), packet_end(ctx) };
}

/* Fills in the flow of an IP packet without extension headers; false when it is none. The cursor ends behind the ports. */
static __always_inline int next_flow(struct cursor *cursor, struct flow *flow)
{
	__be16 proto = next_ethernet(cursor);
	struct udphdr *ports;

	__builtin_memset(flow, 0, sizeof(*flow));
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = next_ipv4(cursor);

		if (!ip)
			return 0;
		flow->source[0] = ip->saddr;
		flow->destination[0] = ip->daddr;
		flow->protocol = ip->protocol;
		flow->version = 4;
		if (ip->frag_off & bpf_htons(IP_OFFSET))
			return 1;
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = next_header(cursor, struct ipv6hdr);

		if (!ip)
			return 0;
		__builtin_memcpy(flow->source, &ip->saddr, sizeof(flow->source));
		__builtin_memcpy(flow->destination, &ip->daddr, sizeof(flow->destination));
		flow->protocol = ip->nexthdr;
		flow->version = 6;
	} else {
		return 0;
	}
	if (flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP) {
		ports = next_header(cursor, struct udphdr);
		if (!ports)
			return 0;
		flow->source_port = ports->source;
		flow->destination_port = ports->dest;
	}
	return 1;
}

static __always_inline __u32 flow_hash(const struct flow *flow, __u32 seed)
{
	__u32 source = jhash_3words(flow->source[0] ^ flow->source[1], flow->source[2], flow->source[3], seed);
	__u32 destination = jhash_3words(flow->destination[0] ^ flow->destination[1], flow->destination[2],
					 flow->destination[3], source);

	return jhash_3words(source, destination, (__u32)flow->source_port << 16 | flow->destination_port,
			    flow->protocol);
}

#define counter_map(name, entries)                                                                                     \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                                      \
		__type(key, __u32);                                                                                    \
		__type(value, __u64);                                                                                  \
		__uint(max_entries, entries);                                                                          \
	} name SEC(".maps")

static __always_inline void count(void *map, __u32 index, __u64 amount)
{
	__u64 *counter = bpf_map_lookup_elem(map, &index);

	if (counter)
		*counter += amount;
}

#endif
