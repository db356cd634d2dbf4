/*
 * Loops that end for reasons outside of the program's numbers: functions that helpers call back, open-coded iterators,
 * may_goto; and timers. Each program writes down what it counted and what the calls returned, to compare with the kernel.
 */
#include "include/packets.h"

#define MAX_RESULTS 64

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_RESULTS);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} percpu_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

struct bpf_timer {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct alarm {
	__u64 calls;
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct alarm);
} alarms SEC(".maps");

static long (*const bpf_for_each_map_elem)(void *map, void *function, void *context, __u64 flags) = (void *)164;
static long (*const bpf_timer_init)(struct bpf_timer *timer, void *map, __u64 flags) = (void *)169;
static long (*const bpf_timer_set_callback)(struct bpf_timer *timer, void *function) = (void *)170;
static long (*const bpf_timer_start)(struct bpf_timer *timer, __u64 nanoseconds, __u64 flags) = (void *)171;
static long (*const bpf_timer_cancel)(struct bpf_timer *timer) = (void *)172;
static long (*const bpf_loop)(__u32 count, void *function, void *context, __u64 flags) = (void *)181;

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *iterator, int start, int end) SEC(".ksyms");
extern int *bpf_iter_num_next(struct bpf_iter_num *iterator) SEC(".ksyms");
extern void bpf_iter_num_destroy(struct bpf_iter_num *iterator) SEC(".ksyms");

/* Leaves a loop that has gone round too often, however often that is: the verifier need not see that it ends. */
#define may_goto(label) \
	asm volatile goto("1: .byte 0xe5; .byte 0; .long ((%l[" #label "] - 1b - 8) / 8) & 0xffff; .short 0" :::: label)

static __always_inline void record(__u32 *index, __s64 result)
{
	__s64 *slot = bpf_map_lookup_elem(&results, index);

	if (slot)
		*slot = result;
	++*index;
}

struct sum {
	__u64 total;
	__u64 calls;
	__u64 limit;
};

static int add_index(__u64 index, struct sum *sum)
{
	sum->total += index * index;
	sum->calls++;
	return 0;
}

static int add_until(__u64 index, struct sum *sum)
{
	sum->total += index;
	return index == sum->limit;
}

static int add_twice(__u64 index, struct sum *sum)
{
	sum->total += 2 * index;
	sum->calls++;
	return 0;
}

static int add_nested(__u64 index, struct sum *sum)
{
	bpf_loop(index & 7, add_twice, sum, 0);
	return 0;
}

SEC("xdp")
int calls_back(struct xdp_md *ctx)
{
	struct sum sum = {};
	__u32 length = packet_end(ctx) - packet_start(ctx);
	__u32 i = 0;

	record(&i, bpf_loop(10, add_index, &sum, 0));
	record(&i, sum.total);
	record(&i, sum.calls);
	sum.limit = length & 7;
	record(&i, bpf_loop(10, add_until, &sum, 0));
	record(&i, sum.total);
	record(&i, bpf_loop(0, add_index, &sum, 0));
	record(&i, bpf_loop(length, add_index, &sum, 0));
	record(&i, bpf_loop(8 << 20, add_index, &sum, 1));
	record(&i, bpf_loop((8 << 20) + 1, add_index, &sum, 0));
	record(&i, bpf_loop(length, length & 1 ? (void *)add_index : (void *)add_twice, &sum, 0));
	record(&i, bpf_loop(20, add_nested, &sum, 0));
	record(&i, bpf_loop(5000, add_twice, &sum, 0));
	record(&i, sum.total);
	record(&i, sum.calls);
	return XDP_PASS;
}

static long add_value(void *map, __u32 *key, __u64 *value, struct sum *sum)
{
	sum->total += *key + *value;
	*value += 3;
	sum->calls++;
	return 0;
}

static long stop(void *map, __u32 *key, __u64 *value, struct sum *sum)
{
	return 1;
}

static long remove_odd(void *map, __u32 *key, __u64 *value, struct sum *sum)
{
	sum->calls++;
	if (*key & 1)
		sum->total += bpf_map_delete_elem(map, key) == 0;
	return 0;
}

SEC("xdp")
int walks_maps(struct xdp_md *ctx)
{
	struct sum sum = {};
	__u32 i = 0;
	__u64 key;

	record(&i, bpf_for_each_map_elem(&array, add_value, &sum, 0));
	record(&i, bpf_for_each_map_elem(&array, add_value, &sum, 1));
	record(&i, bpf_for_each_map_elem(&percpu_array, add_value, &sum, 0));
	record(&i, bpf_for_each_map_elem(&hash, add_value, &sum, 0));
	for (key = 0; key < 20; key++) {
		__u32 number = key * 7;

		bpf_map_update_elem(&hash, &number, &key, BPF_ANY);
	}
	record(&i, bpf_for_each_map_elem(&hash, add_value, &sum, 0));
	record(&i, sum.total);
	record(&i, bpf_for_each_map_elem(&hash, remove_odd, &sum, 0));
	record(&i, sum.total);
	record(&i, bpf_for_each_map_elem(&hash, add_value, &sum, 0));
	record(&i, bpf_for_each_map_elem(&hash, stop, &sum, 0));
	record(&i, sum.calls);
	return XDP_PASS;
}

SEC("xdp")
int iterates(struct xdp_md *ctx)
{
	__u8 *data = packet_start(ctx);
	int length = packet_end(ctx) - packet_start(ctx);
	struct bpf_iter_num rounds, inner;
	__u64 sum = 0, calls = 0;
	__u32 i = 0;
	int *number;

	record(&i, bpf_iter_num_new(&rounds, 0, length));
	while ((number = bpf_iter_num_next(&rounds))) {
		__u32 at = *number;

		if (at < 0xffff && data + at + 1 <= (__u8 *)packet_end(ctx))
			sum += data[at];
		calls++;
	}
	bpf_iter_num_destroy(&rounds);
	record(&i, sum);
	record(&i, calls);

	record(&i, bpf_iter_num_new(&rounds, 5, 4));
	record(&i, bpf_iter_num_next(&rounds) == NULL);
	bpf_iter_num_destroy(&rounds);
	record(&i, bpf_iter_num_new(&rounds, -1, 8 << 20));
	record(&i, bpf_iter_num_next(&rounds) == NULL);
	bpf_iter_num_destroy(&rounds);
	record(&i, bpf_iter_num_new(&rounds, 0x7ffffffe, 0x7fffffff));
	while ((number = bpf_iter_num_next(&rounds)))
		sum += *number;
	bpf_iter_num_destroy(&rounds);
	record(&i, sum);

	bpf_iter_num_new(&rounds, -3, 50);
	while ((number = bpf_iter_num_next(&rounds))) {
		int bound = *number;
		int *other;

		bpf_iter_num_new(&inner, 0, bound);
		while ((other = bpf_iter_num_next(&inner))) {
			sum += *other;
			if (*other == 40)
				break;
		}
		bpf_iter_num_destroy(&inner);
	}
	bpf_iter_num_destroy(&rounds);
	record(&i, sum);
	return XDP_PASS;
}

static __noinline __u64 count_bits(__u64 number)
{
	__u64 bits = 0;

	for (;;) {
		may_goto(out);
		if (number == 0)
			break;
		bits += number & 1;
		number >>= 1;
	}
out:
	return bits;
}

SEC("xdp")
int may_go_on(struct xdp_md *ctx)
{
	__u64 length = packet_end(ctx) - packet_start(ctx);
	__u64 sum = 0, rounds = 0;
	__u32 i = 0;

	for (;;) {
		may_goto(out);
		sum += count_bits(rounds * length);
		if (++rounds >= 100)
			break;
	}
out:
	record(&i, sum);
	record(&i, rounds);
	return XDP_PASS;
}

static int rings(void *map, __u32 *key, struct alarm *alarm)
{
	alarm->calls++;
	return 0;
}

SEC("xdp")
int sets_timers(struct xdp_md *ctx)
{
	struct alarm fresh = {};
	struct alarm *alarm;
	__u32 key = 1;
	__u32 i = 0;

	bpf_map_delete_elem(&alarms, &key);
	bpf_map_update_elem(&alarms, &key, &fresh, BPF_ANY);
	alarm = bpf_map_lookup_elem(&alarms, &key);
	if (!alarm)
		return XDP_DROP;
	record(&i, bpf_timer_cancel(&alarm->timer));
	record(&i, bpf_timer_start(&alarm->timer, 1, 0));
	record(&i, bpf_timer_set_callback(&alarm->timer, rings));
	record(&i, bpf_timer_init(&alarm->timer, &alarms, 2));
	record(&i, bpf_timer_init(&alarm->timer, &alarms, 16));
	record(&i, bpf_timer_init(&alarm->timer, &alarms, 1));
	record(&i, bpf_timer_init(&alarm->timer, &alarms, 1));
	record(&i, bpf_timer_start(&alarm->timer, 1ULL << 40, 0));
	record(&i, bpf_timer_set_callback(&alarm->timer, rings));
	record(&i, bpf_timer_start(&alarm->timer, 1ULL << 40, 4));
	record(&i, bpf_timer_cancel(&alarm->timer));
	record(&i, bpf_timer_start(&alarm->timer, 1ULL << 40, 0));
	record(&i, bpf_timer_set_callback(&alarm->timer, rings));
	record(&i, bpf_timer_start(&alarm->timer, 1ULL << 40, 2));
	record(&i, bpf_timer_start(&alarm->timer, 1ULL << 41, 0));
	record(&i, bpf_timer_cancel(&alarm->timer));
	record(&i, bpf_timer_set_callback(&alarm->timer, rings));
	record(&i, bpf_timer_start(&alarm->timer, 1ULL << 40, 0));
	/* Another element takes its place: no timer any more. */
	bpf_map_update_elem(&alarms, &key, &fresh, BPF_ANY);
	alarm = bpf_map_lookup_elem(&alarms, &key);
	if (!alarm)
		return XDP_DROP;
	record(&i, bpf_timer_cancel(&alarm->timer));
	record(&i, bpf_timer_init(&alarm->timer, &alarms, 7));
	bpf_map_delete_elem(&alarms, &key);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
