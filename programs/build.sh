#!/bin/sh
# Rebuilds every program of this folder: FILE.bpf.c to FILE.bpf.o. The objects are committed, so that nobody needs a
# compiler; this script and the compiler named here make them again, byte for byte.
#
#   programs/build.sh            rebuild all
#   programs/build.sh --check    rebuild elsewhere and compare with what is committed; skips where that clang is absent
set -eu

# The compiler that made the committed objects. Another one makes other bytes.
clang_version=19.1.7
clang=${CLANG:-clang-19}

cd "$(dirname "$0")"

# Instruction set version: v3 unless there is a reason.
cpu_of() {
	case $1 in
	echo_responder) echo v2 ;; # what a kernel of 2018 takes: no 32-bit jumps
	instructions_v4) echo v4 ;;
	*) echo v3 ;;
	esac
}

# Debug information makes BTF and source lines; its paths are relative to this folder, whichever machine builds.
build() {
	"$clang" -target bpf -mcpu="$(cpu_of "$1")" -O2 -g -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror \
		-fdebug-compilation-dir=. -ffile-prefix-map="$PWD"=. -c "$1.bpf.c" -o "$2"
}

check=false
[ "${1:-}" = --check ] && check=true

if ! "$clang" --version 2>/dev/null | grep -q "version $clang_version"; then
	echo "programs/build.sh: skipped: needs $clang $clang_version (or CLANG=/path/to/it)" >&2
	$check && exit 0
	exit 1
fi

differences=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for source in *.bpf.c; do
	name=${source%.bpf.c}
	build "$name" "$scratch/$name.bpf.o"
	if ! $check; then
		cp "$scratch/$name.bpf.o" "$name.bpf.o"
	elif ! cmp "$scratch/$name.bpf.o" "$name.bpf.o"; then
		differences=$((differences + 1))
	fi
done
if [ $differences -gt 0 ]; then
	echo "programs/build.sh: $differences objects are not what their sources make: run programs/build.sh" >&2
	exit 1
fi
