// CO-RE relocations of every kind, against structures that the kernel has in another form, or not at all.
// Answers go to a global array, so that nothing is optimised away and any loader's answers can be read.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define MAX_ANSWERS 64
__u64 answers[MAX_ANSWERS];

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct list_head {
	struct list_head *next;
};
struct net_device {
	int ifindex;
	unsigned int mtu;
	unsigned char addr_len;
	int no_such_field;
};
struct net_device___renamed {
	short mtu;
};
struct sk_buff {
	unsigned int len;
	__u16 queue_mapping;
	unsigned char cloned : 1;
	unsigned char pkt_type : 3;
	__u32 hash;
	char cb[48];
	struct list_head list;
};
struct task_struct {
	int pid;
	char comm[16];
	void *stack;
};
struct task_struct___old {
	long state;
};
struct ethhdr {
	unsigned char h_dest[6];
	__u16 h_proto;
};
struct no_such_structure {
	int a;
};
#pragma clang attribute pop

enum xdp_action___local {
	XDP_DROP___local = 77,
	XDP_NOT_THERE___local = 78,
};
typedef int (*no_such_function_t)(void);
struct net_device___empty {};
union bpf_attr___local {
	int x;
};
struct xdp_md___match {
	__u32 data;
	__u32 rx_queue_index;
};
struct xdp_md___mismatch {
	__u64 data;
};

#define ANSWER(value)                                                                                                  \
	do {                                                                                                           \
		answers[at] = (__u64)(value);                                                                          \
		at++;                                                                                                  \
	} while (0)

SEC("xdp") int asks(struct xdp_md *context)
{
	struct net_device *device = (void *)0;
	struct sk_buff *skb = (void *)0;
	struct task_struct *task = (void *)0;
	struct ethhdr *ethernet = (void *)0;
	int at = 0;

	ANSWER(__builtin_preserve_field_info(device->ifindex, BPF_FIELD_BYTE_OFFSET));
	ANSWER(__builtin_preserve_field_info(device->mtu, BPF_FIELD_BYTE_OFFSET));
	ANSWER(__builtin_preserve_field_info(device->mtu, BPF_FIELD_BYTE_SIZE));
	ANSWER(__builtin_preserve_field_info(device->mtu, BPF_FIELD_SIGNED));
	ANSWER(__builtin_preserve_field_info(device->ifindex, BPF_FIELD_SIGNED));
	ANSWER(bpf_core_field_exists(device->mtu));
	ANSWER(bpf_core_field_exists(device->no_such_field));
	ANSWER(bpf_core_field_exists(((struct net_device___renamed *)0)->mtu));
	ANSWER(bpf_core_field_size(device->addr_len));
	ANSWER(__builtin_preserve_field_info(skb->pkt_type, BPF_FIELD_BYTE_OFFSET));
	ANSWER(__builtin_preserve_field_info(skb->pkt_type, BPF_FIELD_BYTE_SIZE));
	ANSWER(__builtin_preserve_field_info(skb->pkt_type, BPF_FIELD_LSHIFT_U64));
	ANSWER(__builtin_preserve_field_info(skb->pkt_type, BPF_FIELD_RSHIFT_U64));
	ANSWER(__builtin_preserve_field_info(skb->pkt_type, BPF_FIELD_SIGNED));
	ANSWER(__builtin_preserve_field_info(skb->cb[5], BPF_FIELD_BYTE_OFFSET));
	ANSWER(__builtin_preserve_field_info(skb->queue_mapping, BPF_FIELD_BYTE_OFFSET));
	ANSWER(__builtin_preserve_field_info(skb->hash, BPF_FIELD_BYTE_OFFSET));
	ANSWER(__builtin_preserve_field_info(skb->list.next, BPF_FIELD_BYTE_OFFSET));
	ANSWER(__builtin_preserve_field_info(task->comm[3], BPF_FIELD_BYTE_OFFSET));
	ANSWER(__builtin_preserve_field_info(task[2].pid, BPF_FIELD_BYTE_OFFSET));
	ANSWER(bpf_core_field_exists(((struct task_struct___old *)0)->state));
	ANSWER(__builtin_preserve_field_info(ethernet->h_proto, BPF_FIELD_BYTE_OFFSET));
	ANSWER(bpf_core_type_exists(struct no_such_structure));
	ANSWER(bpf_core_type_exists(struct net_device___empty));
	ANSWER(bpf_core_type_exists(union bpf_attr___local));
	ANSWER(bpf_core_type_exists(no_such_function_t));
	ANSWER(bpf_core_type_size(struct sk_buff));
	ANSWER(bpf_core_type_size(struct no_such_structure));
	ANSWER(bpf_core_type_id_kernel(struct sk_buff));
	ANSWER(bpf_core_type_id_kernel(struct no_such_structure));
	ANSWER(bpf_core_type_id_local(struct sk_buff));
	ANSWER(bpf_core_enum_value_exists(enum xdp_action___local, XDP_DROP___local));
	ANSWER(bpf_core_enum_value(enum xdp_action___local, XDP_DROP___local));
	ANSWER(bpf_core_enum_value_exists(enum xdp_action___local, XDP_NOT_THERE___local));
#if __clang_major__ >= 15
	ANSWER(bpf_core_type_matches(struct xdp_md___match));
	ANSWER(bpf_core_type_matches(struct xdp_md___mismatch));
	ANSWER(bpf_core_type_matches(struct no_such_structure));
#endif
	return XDP_PASS;
}

SEC("xdp") int guarded(struct xdp_md *context)
{
	struct net_device device = {};

	if (bpf_core_field_exists(device.no_such_field))
		return device.no_such_field;
	return XDP_PASS;
}

SEC("xdp") int guarded_load(struct xdp_md *context)
{
	struct task_struct___old *task = (void *)(long)context->rx_queue_index;
	long state = 1;

	if (bpf_core_field_exists(task->state))
		bpf_probe_read_kernel(&state, sizeof(state), &task->state);
	return state ? XDP_PASS : XDP_DROP;
}

SEC("?xdp") int unguarded(struct xdp_md *context)
{
	struct task_struct___old *task = (void *)(long)context->rx_queue_index;
	long state = 1;

	bpf_probe_read_kernel(&state, sizeof(state), &task->state);
	return state ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
