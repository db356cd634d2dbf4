/* Regions in which a program must not be disturbed, and what is read of the kernel's memory. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

struct pair {
	struct bpf_spin_lock lock;
	__u32 first;
	__u64 second;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct pair);
	__uint(max_entries, 16);
} pairs SEC(".maps");

counter_map(results, 4);

SEC("xdp")
int pairs_agree(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx), key = length % 20, first;
	struct pair *pair, fresh = { .first = 1, .second = 1 };
	__u64 second;

	bpf_rcu_read_lock();
	pair = bpf_map_lookup_elem(&pairs, &key);
	if (!pair) {
		long error = bpf_map_update_elem(&pairs, &key, &fresh, BPF_NOEXIST | BPF_F_LOCK);

		if (error)
			error = bpf_map_update_elem(&pairs, &key, &fresh, BPF_NOEXIST);
		bpf_rcu_read_unlock();
		count(&results, 0, -error);
		return XDP_DROP;
	}
	bpf_spin_lock(&pair->lock);
	first = ++pair->first;
	second = ++pair->second;
	bpf_spin_unlock(&pair->lock);
	bpf_rcu_read_unlock();
	if (first == 6) {
		fresh.first = length;
		fresh.second = length;
		count(&results, 1, -bpf_map_update_elem(&pairs, &key, &fresh, BPF_EXIST | BPF_F_LOCK));
	}
	return first == second ? XDP_PASS : XDP_ABORTED;
}

SEC("xdp")
int undisturbed(struct xdp_md *ctx)
{
	__u32 length = packet_end(ctx) - packet_start(ctx);
	__u64 sum = 0;

	bpf_preempt_disable();
	for (int i = 0; i < 4; i++) {
		bpf_preempt_disable();
		count(&results, 2, length + i);
		sum += length * i;
		bpf_preempt_enable();
	}
	bpf_preempt_enable();
	return sum & 2 ? XDP_TX : XDP_PASS;
}

/* A map's value by its address, as a number. */
SEC("xdp")
int probes(struct xdp_md *ctx)
{
	__u32 key = packet_end(ctx) - packet_start(ctx), index = key & 3;
	void *value = bpf_map_lookup_elem(&results, &index);
	__u64 there = 0, nowhere = 5;

	if (!value)
		return XDP_ABORTED;
	count(&results, 3, key);
	if (bpf_probe_read_kernel(&there, sizeof(there), value))
		return XDP_DROP;
	if (!bpf_probe_read_kernel(&nowhere, sizeof(nowhere), (void *)(long)index))
		return XDP_ABORTED;
	return nowhere ? XDP_DROP : there & 1 ? XDP_TX : XDP_PASS;
}
