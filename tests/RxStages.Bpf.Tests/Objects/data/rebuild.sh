#!/bin/sh
# Rebuilds the test objects: each source with an old and a new compiler, and some without type information.
# Paths are kept out, so that objects are the same wherever they are built.
# Needs clang-14, clang-19, their llvm-strip, and the headers of libbpf. The tests use the committed objects.
set -eu
cd "$(dirname "$0")"
headers=/usr/include/$(uname -m)-linux-gnu
for version in 14 19; do
	for source in *.c; do
		name=${source%.c}.clang-$version
		clang-$version -O2 -g -Wall -Wno-unused -target bpf -mcpu=v3 -ffile-compilation-dir=. -I"$headers" -c "$source" -o "$name.o"
		llvm-strip-$version -g "$name.o"
	done
	clang-$version -O2 -target bpf -mcpu=v3 -ffile-compilation-dir=. -I"$headers" -c legacy.c -o "legacy.clang-$version.nobtf.o"
	clang-$version -O2 -target bpf -mcpu=v3 -ffile-compilation-dir=. -I"$headers" -c programs.c -o "programs.clang-$version.nobtf.o"
	clang-$version -O2 -target bpf -mcpu=v3 -ffile-compilation-dir=. -I"$headers" -c iproute.c -o "iproute.clang-$version.nobtf.o"
done
