#!/bin/sh
# Writes what bpftool says of the maps of types.c with certain contents, for the tests to compare with.
# Needs root, a kernel with BPF, and bpftool. The tests use the committed dumps.
set -eu
cd "$(dirname "$0")"
# libbpf changes dots in paths.
mount=$(mktemp -d "${TMPDIR:-/tmp}/bpf-XXXXXX")
mount -t bpf bpf "$mount"
trap 'umount "$mount"; rmdir "$mount"' EXIT

# Writes COUNT bytes: each START + STEP times its index.
bytes() {
	i=0
	while [ "$i" -lt "$1" ]; do
		printf '%d ' $((($2 + $3 * i) & 255))
		i=$((i + 1))
	done
}

for version in 14 19; do
	bpftool prog load "types.clang-$version.o" "$mount/program" pinmaps "$mount/maps"
	map=$mount/maps/entries
	size=$(bpftool map show pinned "$map" | sed -n 's/.*value \([0-9]*\)B.*/\1/p')
	bpftool map update pinned "$map" key $(bytes 8 0 0) value $(bytes "$size" 0 0)
	bpftool map update pinned "$map" key $(bytes 8 255 0) value $(bytes "$size" 255 0)
	bpftool map update pinned "$map" key $(bytes 8 0 1) value $(bytes "$size" 1 1)
	# From byte 2 on: text in a char array. From byte 64 on: enumeration values.
	bpftool map update pinned "$map" key $(bytes 8 7 5) value $(bytes 2 0 1) 104 105 32 34 47 0 1 2 \
		$(bytes 54 200 3) 5 0 0 0 255 255 255 127 1 0 0 0 0 0 0 0 188 154 120 86 52 18 0 0 $(bytes $((size - 88)) 9 7)
	bpftool map update pinned "$mount/maps/letters" key 0 0 0 0 value 97 10 0 0
	for map in entries letters types_data types_bss; do
		bpftool --json map dump pinned "$mount/maps/$map" > "types.clang-$version.$map.json"
	done
	rm -r "$mount/program" "$mount/maps"
done
