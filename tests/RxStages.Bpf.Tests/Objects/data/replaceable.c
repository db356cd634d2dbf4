// A program with functions that extensions can replace, settings of every type, a map to pin, and a place in a chain.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum mode { MODE_OFF, MODE_ON = 5, MODE_AUTO = -2 };
struct settings {
	unsigned short ports[4];
	_Bool enabled;
	enum mode mode;
	char name[8];
	union {
		int number;
		unsigned char bytes[4];
	};
	unsigned int low : 3;
	int high : 5;
	struct {
		long long deep;
	} inner;
	void *pointer;
};
const volatile struct settings settings = { .ports = { 80 } };
const volatile int verdict = XDP_PASS;
const volatile double ratio = 0.5;
unsigned char level = 3;
int zero;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} pinned SEC(".maps");

struct {
	__uint(priority, 10);
	__uint(XDP_PASS, 1);
	__uint(XDP_DROP, 1);
} _program SEC(".xdp_run_config");
struct {
	__uint(priority, 60);
	__uint(XDP_PASS, 0);
} _last SEC(".xdp_run_config");

__attribute__((noinline)) int decide(struct xdp_md *context, int otherwise)
{
	// Keeps the compiler from looking inside.
	asm volatile("" : "+r"(otherwise) : "r"(context));
	return otherwise;
}

__attribute__((noinline)) int other(int a)
{
	asm volatile("" : "+r"(a));
	return a + zero;
}

static __attribute__((noinline)) int hidden(int a)
{
	asm volatile("" : "+r"(a));
	return a + level;
}

SEC("xdp") int program(struct xdp_md *context)
{
	__u32 key = 1;
	__u64 one = 1, *count = bpf_map_lookup_elem(&pinned, &key);

	if (count)
		*count += 1;
	else
		bpf_map_update_elem(&pinned, &key, &one, BPF_ANY);
	return decide(context, verdict) + other(0) + hidden(0) - level + (settings.ports[0] == 0);
}

SEC("xdp") int last(struct xdp_md *context)
{
	return XDP_TX;
}

SEC("xdp") int plain(struct xdp_md *context)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
