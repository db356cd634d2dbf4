// Values of every kind of type, for the JSON form of map entries.
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

enum color { RED, GREEN = 5, BLUE = 0x7fffffff };
enum sign { MINUS = -1, PLUS = 1 };
enum wide { SMALL = 1, LARGE = 0x123456789abcULL };
typedef unsigned char address_t[6];

struct point {
	int x;
	short y;
};

struct value {
	bool yes;
	char letter;
	char text[8];
	signed char small;
	unsigned char byte;
	short half;
	__u16 uhalf;
	int word;
	__u32 uword;
	long long number;
	__u64 unumber;
	__int128 huge;
	enum color color;
	enum color unknown;
	enum sign sign;
	enum wide wide;
	address_t address;
	const volatile int *pointer;
	struct point points[2];
	int matrix[2][3];
	union {
		__u32 whole;
		__u8 parts[4];
	};
	struct {
		int deep;
	} named;
	unsigned int low : 3;
	int negative : 5;
	unsigned long long across : 40;
	bool flag : 1;
	char none[0];
	int (*function)(int);
	struct unknown *opaque;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, struct point);
	__type(value, struct value);
} entries SEC(".maps");

struct numbers {
	float real;
	double precise;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct numbers);
} floats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[4]);
} letters SEC(".maps");

int answer = 42;
static volatile short hidden_answer = -1;
struct point origin = { 1, 2 };
__u64 zero;

SEC("xdp") int program(struct xdp_md *context)
{
	struct point key = {};

	bpf_map_lookup_elem(&letters, &key.x);
	return bpf_map_lookup_elem(&entries, &key) ? answer + hidden_answer + origin.x + zero : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
