/* Clocks and chance: nobody can say what they answer, but what holds of the answers is the same everywhere. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

static long (*const bpf_get_numa_node_id)(void) = BPF_HELPER(42);
static __u64 (*const bpf_ktime_get_tai_ns)(void) = BPF_HELPER(208);
static long (*const bpf_trace_vprintk)(const char *format, __u32 size, const void *data, __u32 length) = BPF_HELPER(177);

counter_map(holds, 8);

static __u32 random_bits;

SEC("xdp")
int clocks_go_on(struct xdp_md *ctx)
{
	__u64 first = bpf_ktime_get_ns(), boot = bpf_ktime_get_boot_ns(), tai = bpf_ktime_get_tai_ns();
	__u64 coarse = bpf_ktime_get_coarse_ns(), jiffies = bpf_jiffies64();

	count(&holds, 0, bpf_ktime_get_ns() >= first);
	count(&holds, 1, boot >= first);
	count(&holds, 2, coarse <= bpf_ktime_get_ns());
	count(&holds, 3, tai > 1600000000000000000 && tai != boot);
	count(&holds, 4, bpf_jiffies64() - jiffies < 1000);
	return bpf_ktime_get_ns() - first < 1000000000 ? XDP_PASS : XDP_DROP;
}

/* Samples packets; after some of them every bit has been seen. */
SEC("xdp")
int chance(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx), number = bpf_get_prandom_u32();

	random_bits |= number;
	count(&holds, 5, number % (length + 1) <= length);
	count(&holds, 6, bpf_get_smp_processor_id() + bpf_get_numa_node_id());
	return length & 1 ? XDP_DROP : XDP_PASS;
}

/* Traces are for people: only how long they are is answered. */
SEC("xdp")
int traces(struct xdp_md *ctx)
{
	static const char one[] = "packet of %u bytes\n", many[] = "%d %d %d %d %llx\n";
	__u32 length = packet_end(ctx) - packet_start(ctx);
	__u64 data[5] = { length, length + 1, length * 3, 0, 0xabcdefULL << (length & 31) };

	if (length & 31)
		return XDP_PASS;
	count(&holds, 7, bpf_trace_printk(one, sizeof(one), length));
	count(&holds, 7, bpf_trace_vprintk(many, sizeof(many), data, sizeof(data)));
	return XDP_DROP;
}
