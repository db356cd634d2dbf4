// The types of a kernel that core.c could meet: the same names, other places.
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;

struct list_head {
	struct list_head *next, *prev;
};
struct net_device {
	char name[16];
	union {
		struct {
			int padding;
			int ifindex;
		};
		long other;
	};
	unsigned short mtu;
	unsigned int addr_len;
};
struct sk_buff {
	union {
		struct list_head list;
		void *tree;
	};
	__u8 first : 7;
	__u8 pkt_type : 3;
	__u64 hash : 40;
	const volatile __u16 queue_mapping;
	unsigned int len;
	int cb[12];
};
struct task_struct {
	void *stack;
	int pid;
	char comm[];
};
struct ethhdr {
	__u8 h_dest[6];
	__u8 h_source[6];
	__u16 h_proto;
} __attribute__((packed));
enum xdp_action {
	XDP_ABORTED = -3,
	XDP_DROP = -2,
};
union bpf_attr {
	long y;
};
struct xdp_md {
	__u32 rx_queue_index;
	__u32 data;
	__u32 more;
};

struct everything {
	struct net_device device;
	struct sk_buff buffer;
	struct ethhdr ethernet;
	enum xdp_action action;
	union bpf_attr attr;
	struct xdp_md md;
	struct task_struct task;
} everything;
