#!/bin/bash
# Rebuilds the corpus: every FILE.bpf.c in the variants that the file has, to FILE.VARIANT.bpf.o. The objects are committed,
# so that nobody needs a compiler; this script and the compiler named here make them again, byte for byte.
#
#   tests/KernelOracle/Corpus/build.sh [FILE...]   rebuild all, or some (as "parsers")
#   tests/KernelOracle/Corpus/build.sh --check     rebuild elsewhere and compare with what is committed; skips without that clang
set -eu

# The compiler that made the committed objects. Another one makes other bytes.
clang_version=19.1.7
clang=${CLANG:-clang-19}
strip=${LLVM_STRIP:-llvm-strip-19}

cd "$(dirname "$0")"

# Version of the instruction set, and optimisation: what compilers make of a program differs most by these.
variants_of() {
	case $1 in
	atomics) echo v3-O2 v3-O1 v4-O2 ;;      # fetching came with v3
	parsers) echo v1-O2 v3-O2 v4-O2 ;;      # less optimised, clang spills half of packet pointers
	legacy_maps) echo v1-O2 v2-O2 v3-O2 ;;  # what old objects are
	*) echo v1-O2 v3-O2 v4-O1 ;;
	esac
}

# Debug information makes BTF and source lines; its paths are relative to this folder, whichever machine builds.
build() {
	local name=$1 variant=$2 debug="-g"
	[ "$name" = legacy_maps ] && debug=""
	"$clang" -target bpf -mcpu="${variant%-*}" "-${variant#*-}" $debug -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror \
		-Iinclude -I../../../programs/include -fdebug-compilation-dir=. -ffile-prefix-map="$PWD"=. \
		-c "$name.bpf.c" -o "$3"
	"$strip" -g "$3" # keeps BTF, which is all that is read
}

check=false
[ "${1:-}" = --check ] && { check=true; shift; }

if ! "$clang" --version 2>/dev/null | grep -q "version $clang_version"; then
	echo "$0: skipped: needs $clang $clang_version (or CLANG=/path/to/it)" >&2
	$check && exit 0
	exit 1
fi

names=${*:-$(ls ./*.bpf.c | sed 's|./||; s|\.bpf\.c$||')}
differences=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in $names; do
	for variant in $(variants_of "$name"); do
		object=$name.$variant.bpf.o
		build "$name" "$variant" "$scratch/$object"
		if ! $check; then
			cp "$scratch/$object" "$object"
		elif ! cmp "$scratch/$object" "$object"; then
			differences=$((differences + 1))
		fi
	done
done
if [ $differences -gt 0 ]; then
	echo "$0: $differences objects are not what their sources make: run it without --check" >&2
	exit 1
fi
