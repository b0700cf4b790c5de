#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
#	run.sh [LIB DIR]
#
# Run the programs of DIR, or those beside it, with the libraries of LIB, or those of the same build.
# Prints their TAP, and is true if all passed.
# With kipc there they use it; without, they see to it that a program is told, and that it can have
# native IPC if it wants.
dir=${2:-$(cd "$(dirname "$0")" && pwd)}
case $dir in
*32) lib=${1:-$dir/../lib32} ;;
*) lib=${1:-$dir/../../lib} ;;
esac
status=0

check() { # NAME COMMAND...
	name=$1
	shift
	echo "# $name"
	if ! "$@"; then
		echo "# FAILED: $name"
		status=1
	fi
}

exports() { # LIBRARY MAP
	${NM:-nm} -D --defined-only "$lib/$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
		sort -u >"$dir/exports.is"
	sed -e 's|/\*.*\*/||' -e '/^\/\*/,/\*\//d' -e '/local:/,$d' "$MAPS/$2" | tr ';\t ' '\n' |
		grep -v -e '[:{]' -e '^KIPC_' -e '^$' | sort >"$dir/exports.map"
	# Names of 32-bit programs only; and what operations without a system call need, of others
	if ${NM:-nm} -D "$lib/libkipc-preload.so" | grep -q __shmctl64; then
		sed -i '/^set\|^\(initgroups\|capset\|unshare\|_*vfork\|_*clone\)$/d' "$dir/exports.map"
	else
		sed -i '/^__[ms].*64$\|_time64$/d' "$dir/exports.map"
	fi
	diff "$dir/exports.map" "$dir/exports.is"
}

preload() { # EXPECTED
	LD_PRELOAD=$lib/libkipc-preload.so "$dir/preload" "$1" "$dir"
}

preloaded() { # PROGRAM
	LD_PRELOAD=$lib/libkipc-preload.so "$dir/$1"
}

# A program that cannot have kipc says so, once.
is_told_once() {
	env -u KIPC_FALLBACK LD_PRELOAD="$lib/libkipc-preload.so" "$dir/preload" absent "$dir" \
		>/dev/null 2>"$dir/stderr"
	[ "$(grep -c '^kipc: cannot use /dev/kipc: ' "$dir/stderr")" = 1 ] &&
		[ "$(wc -l <"$dir/stderr")" = 1 ]
}

if [ -n "$MAPS" ]; then
	check 'libkipc.so.0 exports what its map lists' exports libkipc.so.0 libkipc.map
	check 'libkipc-preload.so exports what its map lists' exports libkipc-preload.so preload.map
fi
if [ -e /dev/kipc ]; then
	check 'preload, kipc' preload kipc
	KIPC_FALLBACK=native check 'preload, kipc, fallback native' preload kipc
	check 'descriptor, libkipc' "$dir/descriptor"
	check 'descriptor, preload' preloaded descriptor-preloaded
	for program in "$dir"/sem "$dir"/sem-time64 "$dir"/msg "$dir"/msg-time64; do
		[ ! -e "$program" ] || check "${program##*/}, libkipc" "$program"
	done
else
	check 'preload, no kipc' preload absent
	check 'preload, no kipc: told once' is_told_once
	KIPC_FALLBACK=native check 'preload, no kipc, fallback native' preload native
fi
for program in "$dir"/sem-preloaded* "$dir"/msg-preloaded* "$dir"/mq-preloaded \
	"$dir"/cancel-preloaded; do
	program=${program##*/}
	# What it expects is what the C library does.
	check "$program, by itself" "$dir/$program"
	KIPC_FALLBACK=native check "$program, preload, fallback native" preloaded "$program"
	[ ! -e /dev/kipc ] || check "$program, preload" preloaded "$program"
done
if [ $status = 0 ]; then echo "# all passed"; else echo "# FAILED"; fi
exit $status
