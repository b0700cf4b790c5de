#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kipcrun and kipc as a user meets them, in TAP.  With kipc there they use it, as root.
cd "$(dirname "$0")" || exit
unset KIPC_FALLBACK KIPC_PRELOAD LD_PRELOAD
lib=$(realpath ../lib)/libkipc-preload.so
tmp=$(mktemp -d) || exit
trap 'rm -rf "$tmp"' EXIT
n=0
failed=0

ok() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=$((failed + 1))
		echo "not ok $n - $2"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
	fi
}

is() { # NAME STATUS OUTPUT COMMAND...
	name=$1
	expected=$2
	output=$3
	shift 3
	"$@" >"$tmp/out" 2>"$tmp/err"
	[ $? = "$expected" ] && [ "$(cat "$tmp/out")" = "$output" ]
	ok $? "$name"
}

said() { # NAME PATTERN
	grep -q "$2" "$tmp/err"
	ok $? "$1"
}

value() { # COMMAND... with its environment
	"$@" sh -c 'echo "$KIPC_FALLBACK $LD_PRELOAD"'
}

is 'version' 0 "kipcrun $(./kipc --version | cut -d' ' -f2)" ./kipcrun --version
is 'no program' 125 '' ./kipcrun
is 'no such option' 125 '' ./kipcrun --nosuch true
is 'no such fallback' 125 '' ./kipcrun --fallback nosuch true
is 'no such program' 127 '' ./kipcrun nosuchprogram
is 'no such program, with a path' 127 '' ./kipcrun --fallback native /nonexistent
is 'not a program' 126 '' ./kipcrun --fallback native /etc/passwd
is 'a status' 3 '' ./kipcrun --fallback native sh -c 'exit 3'
is 'kipc: no verb' 2 '' ./kipc
is 'kipc: no such verb' 2 '' ./kipc nosuch
is 'kipc rm: no id' 2 '' ./kipc rm shm

if [ -e /dev/kipc ]; then
	is 'preloads' 0 "fail $lib" value ./kipcrun
	is 'preloads, fallback native' 0 "native $lib" value ./kipcrun --fallback native
	is 'fallback from the environment' 0 "native $lib" \
		value env KIPC_FALLBACK=native ./kipcrun
	is 'keeps what is preloaded' 0 "fail $lib:libc.so.6" \
		value env LD_PRELOAD=libc.so.6 ./kipcrun
	is 'preloads once' 0 "fail $lib" value ./kipcrun ./kipcrun
	is 'another library' 0 "fail ./../lib/libkipc-preload.so" \
		value env KIPC_PRELOAD=./../lib/libkipc-preload.so ./kipcrun

	is 'kipc rm: no such id' 1 '' ./kipc rm shm 2147483647
	is 'kipc rm: not an id' 1 '' ./kipc rm shm x
	is 'kipc limits: one' 0 'shmmni                          4096' ./kipc limits shmmni
	is 'kipc limits: no such' 1 '' ./kipc limits nosuch
	is 'kipc limits: not a number' 1 '' ./kipc limits shmmni=many
	is 'kipc limits: out of range' 1 '' ./kipc limits shmmni=16777217
	is 'kipc ls' 0 'KIND ID KEY OWNER PERMS SIZE USERS LIFETIME CREATOR AGE' ./kipc ls
	is 'kipc ls --json' 0 '{"objects":[]}' ./kipc ls --json
	./kipc version | grep -q '^module .*, ABI .*, features shm'
	ok $? 'kipc version'
else
	is 'kipc absent' 125 '' ./kipcrun true
	said 'kipc absent: told how to load it' '^kipc: .*insmod'
	is 'kipc absent, fallback fail' 125 '' ./kipcrun --fallback fail true
	is 'kipc absent, fallback native' 0 "native " value ./kipcrun --fallback native
	said 'kipc absent, fallback native: told' '^kipcrun: .*native IPC'
	is 'kipc absent: version' 1 "$(./kipc version 2>/dev/null)" ./kipc version
	is 'kipc absent: ls' 1 '' ./kipc ls
fi

# The dynamic linker would ignore LD_PRELOAD.
printf 'int main(void) { return 0; }\n' >"$tmp/static.c"
if ${CC:-cc} -static -o "$tmp/static" "$tmp/static.c" 2>/dev/null; then
	is 'static program' 125 '' ./kipcrun "$tmp/static"
	said 'static program: told' 'statically linked'
	is 'static program, fallback native' 0 '' ./kipcrun --fallback native "$tmp/static"
fi
cp /bin/true "$tmp/privileged" && chown 1:1 "$tmp/privileged" 2>/dev/null &&
	chmod 4755 "$tmp/privileged" && {
	is 'set-user-ID program' 125 '' ./kipcrun "$tmp/privileged"
	said 'set-user-ID program: told' 'set-user-ID'
}

echo "1..$n"
[ $failed = 0 ]
