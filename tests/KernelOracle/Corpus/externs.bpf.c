/* What the kernel tells a program when it is loaded: layouts (CO-RE), its configuration, what it has. */
#include "corpus.h"

char _license[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sk_buff {
	unsigned int len;
	unsigned int data_len;
	unsigned char *data;
};
struct net_device {
	int ifindex;
	unsigned int mtu;
};
struct task_struct___none {
	int no_such_member;
};
#pragma clang attribute pop

enum kernel_enum {
	NETREG_REGISTERED = 1,
};

extern unsigned int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF_SYSCALL __kconfig;
extern int CONFIG_HZ __kconfig __weak;
extern int CONFIG_THERE_IS_NONE __kconfig __weak;
extern void no_such_function(void) __ksym __weak;

counter_map(facts, 16);

SEC("xdp")
int layouts(struct xdp_md *ctx)
{
	count(&facts, 0, __builtin_preserve_field_info(((struct sk_buff *)0)->data_len, 0));
	count(&facts, 1, __builtin_preserve_field_info(((struct sk_buff *)0)->data, 1));
	count(&facts, 2, __builtin_preserve_field_info(((struct net_device *)0)->ifindex, 2));
	count(&facts, 3, __builtin_preserve_field_info(((struct task_struct___none *)0)->no_such_member, 2));
	count(&facts, 4, __builtin_preserve_type_info(*(struct net_device *)0, 1));
	return packet_end(ctx) - packet_start(ctx) > 100 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int configuration(struct xdp_md *ctx)
{
	count(&facts, 5, LINUX_KERNEL_VERSION >= 0x060000);
	count(&facts, 6, CONFIG_BPF_SYSCALL);
	count(&facts, 7, CONFIG_THERE_IS_NONE);
	count(&facts, 8, CONFIG_HZ > 0);
	if (no_such_function)
		no_such_function();
	return LINUX_KERNEL_VERSION & 1 ? XDP_TX : XDP_PASS;
}
