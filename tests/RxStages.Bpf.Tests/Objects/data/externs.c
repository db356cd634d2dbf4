// What programs name and the kernel defines: functions, options, symbols and variables.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_rcu_read_unlock___late(void) __ksym;
extern int no_such_function(int value) __ksym __weak;

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF __kconfig;
extern int CONFIG_HZ __kconfig;
extern enum libbpf_tristate CONFIG_VETH __kconfig __weak;
extern enum libbpf_tristate CONFIG_NO_SUCH_DRIVER __kconfig __weak;
extern char CONFIG_DEFAULT_HOSTNAME[8] __kconfig __weak;
extern char CONFIG_BPF_SYSCALL __kconfig __weak;
extern long long CONFIG_PANIC_TIMEOUT __kconfig __weak;
extern _Bool CONFIG_NO_SUCH_OPTION __kconfig;
extern unsigned char CONFIG_LOG_BUF_SHIFT __kconfig __weak;

extern const void no_such_symbol __ksym __weak;
extern const void no_such_strong_symbol __ksym;
extern const int bpf_prog_active __ksym;
extern const int no_such_variable __ksym __weak;

SEC("xdp") int plain(struct xdp_md *context)
{
	return XDP_PASS;
}

static __noinline int read_section(void)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return XDP_PASS;
}

SEC("xdp") int calls_kernel(struct xdp_md *context)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock___late();
	if (no_such_function)
		return no_such_function(1);
	return read_section();
}

SEC("xdp") int reads_config(struct xdp_md *context)
{
	if (CONFIG_VETH == TRI_MODULE || CONFIG_NO_SUCH_DRIVER != TRI_NO)
		return XDP_ABORTED;
	if (CONFIG_DEFAULT_HOSTNAME[1] == 'o' && CONFIG_BPF_SYSCALL == 'y' && CONFIG_PANIC_TIMEOUT < 0)
		return XDP_TX;
	return LINUX_KERNEL_VERSION > 1 && CONFIG_BPF && CONFIG_HZ && CONFIG_LOG_BUF_SHIFT ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int needs_option(struct xdp_md *context)
{
	return CONFIG_NO_SUCH_OPTION ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int does_without(struct xdp_md *context)
{
	return &no_such_symbol || &no_such_variable ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int needs_symbol(struct xdp_md *context)
{
	return (long)&no_such_strong_symbol;
}

SEC("xdp") int needs_variable(struct xdp_md *context)
{
	return bpf_prog_active ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
