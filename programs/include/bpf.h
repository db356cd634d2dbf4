/*
 * What an XDP program needs from the kernel's ABI: types, the context, map definitions, helpers, byte order. The names
 * and numbers are those of the kernel's <linux/bpf.h> and of libbpf's conventions, so that a program written against
 * these headers reads as any other; there is only what the programs of this folder use.
 */
#ifndef RXSTAGES_BPF_H
#define RXSTAGES_BPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;

#define NULL ((void *)0)
#define SEC(name) __attribute__((section(name), used))
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define offsetof(type, member) __builtin_offsetof(type, member)
#define sizeof_member(type, member) sizeof(((type *)0)->member)

/* Keeps the compiler from seeing through a value, where its cleverness would lose what the verifier must know. */
#define opaque(x) asm volatile("" : "+r"(x))

/* Network byte order. */
#define bpf_htons(x) ((__be16)__builtin_bswap16((__u16)(x)))
#define bpf_ntohs(x) ((__u16)__builtin_bswap16((__be16)(x)))
#define bpf_htonl(x) ((__be32)__builtin_bswap32((__u32)(x)))
#define bpf_ntohl(x) ((__u32)__builtin_bswap32((__be32)(x)))

enum xdp_action {
	XDP_ABORTED = 0,
	XDP_DROP,
	XDP_PASS,
	XDP_TX,
	XDP_REDIRECT,
};

/* The context. The first three are pointers to the program, whatever their width here. */
struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
	__u32 rx_queue_index;
	__u32 egress_ifindex;
};

#define packet_start(ctx) ((void *)(long)(ctx)->data)
#define packet_end(ctx) ((void *)(long)(ctx)->data_end)
#define packet_meta(ctx) ((void *)(long)(ctx)->data_meta)

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LRU_PERCPU_HASH = 10,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_DEVMAP = 14,
	BPF_MAP_TYPE_CPUMAP = 16,
	BPF_MAP_TYPE_XSKMAP = 17,
	BPF_MAP_TYPE_DEVMAP_HASH = 25,
	BPF_MAP_TYPE_RINGBUF = 27,
};

/* Flags of map creation and of bpf_map_update_elem. */
#define BPF_F_NO_PREALLOC (1U << 0)
#define BPF_F_RDONLY_PROG (1U << 7)
#define BPF_F_WRONLY_PROG (1U << 8)
#define BPF_ANY 0
#define BPF_NOEXIST 1
#define BPF_EXIST 2

/* Flags of bpf_redirect_map. */
#define BPF_F_BROADCAST (1ULL << 3)
#define BPF_F_EXCLUDE_INGRESS (1ULL << 4)

/* Flags of bpf_perf_event_output: which CPU's buffer, and how many bytes of the packet to append. */
#define BPF_F_CURRENT_CPU 0xffffffffULL
#define BPF_F_CTXLEN(bytes) ((__u64)(bytes) << 32)

/* The members of a map definition in the .maps section: numbers and types are told through BTF alone. */
#define __uint(name, value) int(*name)[value]
#define __type(name, type) typeof(type) *name
#define __array(name, type) typeof(type) *name[]

/* Helpers, by their number in the kernel's enum bpf_func_id. */
#define BPF_HELPER(id) ((void *)(id))
static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = BPF_HELPER(1);
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = BPF_HELPER(2);
static long (*const bpf_map_delete_elem)(void *map, const void *key) = BPF_HELPER(3);
static __u64 (*const bpf_ktime_get_ns)(void) = BPF_HELPER(5);
static long (*const bpf_trace_printk)(const char *format, __u32 size, ...) = BPF_HELPER(6);
static __u32 (*const bpf_get_prandom_u32)(void) = BPF_HELPER(7);
static __u32 (*const bpf_get_smp_processor_id)(void) = BPF_HELPER(8);
static long (*const bpf_tail_call)(void *ctx, void *prog_array, __u32 index) = BPF_HELPER(12);
static long (*const bpf_redirect)(__u32 ifindex, __u64 flags) = BPF_HELPER(23);
static long (*const bpf_perf_event_output)(void *ctx, void *map, __u64 flags, const void *data,
					   __u64 size) = BPF_HELPER(25);
static long (*const bpf_fib_lookup)(void *ctx, void *params, int size, __u32 flags) = BPF_HELPER(69);
static void *(*const bpf_sk_lookup_tcp)(void *ctx, void *tuple, __u32 size, __u64 netns, __u64 flags) = BPF_HELPER(84);
static long (*const bpf_sk_release)(void *sock) = BPF_HELPER(86);
static long (*const bpf_check_mtu)(void *ctx, __u32 ifindex, __u32 *mtu, __s32 difference,
				   __u64 flags) = BPF_HELPER(163);
static __s64 (*const bpf_csum_diff)(__be32 *from, __u32 from_size, __be32 *to, __u32 to_size,
				    __u32 seed) = BPF_HELPER(28);
static long (*const bpf_xdp_adjust_head)(struct xdp_md *ctx, int delta) = BPF_HELPER(44);
static long (*const bpf_redirect_map)(void *map, __u64 key, __u64 flags) = BPF_HELPER(51);
static long (*const bpf_xdp_adjust_meta)(struct xdp_md *ctx, int delta) = BPF_HELPER(54);
static long (*const bpf_xdp_adjust_tail)(struct xdp_md *ctx, int delta) = BPF_HELPER(65);
static __u64 (*const bpf_ktime_get_boot_ns)(void) = BPF_HELPER(125);
static void *(*const bpf_ringbuf_reserve)(void *ringbuf, __u64 size, __u64 flags) = BPF_HELPER(131);
static void (*const bpf_ringbuf_submit)(void *data, __u64 flags) = BPF_HELPER(132);
static __u64 (*const bpf_ktime_get_coarse_ns)(void) = BPF_HELPER(160);

#endif
