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

# A set of three, as a user meets it who has no other tool.
check_set() {
	set=$(./kipcrun ipcmk -S 3 -p 600 | sed 's/.*: //')
	is 'kipcrun ipcs' 0 "$set 600 3" sh -c './kipcrun ipcs -s |
		awk "/^0x/ { print \$2, \$4, \$5 }"'
	is 'kipcrun lsipc' 0 "$set rw------- 3" \
		./kipcrun lsipc -s --raw --noheadings -o ID,PERMS,NSEMS
	is 'kipc ls: a set' 0 "sem $set root 600 - persistent 3" sh -c './kipc ls --raw |
		awk "/^sem/ { print \$1, \$2, \$4, \$5, \$6, \$8, \$11 }"'
	is 'kipc show sem' 0 "ID NUM VALUE NCNT ZCNT PID
$set 0 0 0 0 0
$set 1 0 0 0 0
$set 2 0 0 0 0" sh -c "./kipc show sem $set | tr -s ' ' | sed 's/^ //'"
	if command -v perl >/dev/null; then
		./kipcrun perl -e 'my $set = shift; semop($set, pack("s!3", 1, 2, 0)) or die;
			semop($set, pack("s!3 s!3", 1, -1, 0, 2, -7, 0))' "$set" &
		waiter=$!
		until ./kipc waiters --raw | grep -q '^sem'; do sleep 0.1; done
		is 'kipc waiters' 0 "sem $set 2 $waiter -7 perl" sh -c './kipc waiters --raw |
			awk "/^sem/ { print \$1, \$2, \$3, \$4, \$5, \$7 }"'
		is 'kipc show sem: values, waiters, processes' 0 "$set 0 0 0 0 0
$set 1 2 0 0 $waiter
$set 2 0 1 0 0" sh -c "./kipc show --raw sem $set | tail -n +2"
		is 'kipc show sem --json' 0 '{"semaphores":[
 {"id":'"$set"',"num":0,"value":0,"ncnt":0,"zcnt":0,"pid":0},
 {"id":'"$set"',"num":1,"value":2,"ncnt":0,"zcnt":0,"pid":'"$waiter"'},
 {"id":'"$set"',"num":2,"value":0,"ncnt":1,"zcnt":0,"pid":0}
]}' ./kipc show --json sem "$set"
		if command -v setpriv >/dev/null; then
			is 'kipc waiters: not for those who may not read' 0 'KIND ID NUM PID OP AGE COMMAND' \
				setpriv --reuid 65534 --clear-groups ./kipc waiters
			is 'kipc show sem: likewise' 1 '' \
				setpriv --reuid 65534 --clear-groups ./kipc show sem "$set"
		fi
	fi
	is 'kipc rm sem' 0 '' ./kipc rm sem "$set"
	is 'kipc rm sem: it is gone' 1 '' ./kipc rm sem "$set"
	if [ -n "$waiter" ]; then
		wait "$waiter"
		is 'kipc waiters: gone with the set' 0 'KIND ID NUM PID OP AGE COMMAND' ./kipc waiters
	fi
}

# A queue, which only programs in a language with the calls can fill.
check_queue() {
	queue=$(./kipcrun ipcmk -Q -p 600 | sed 's/.*: //')
	is 'kipcrun ipcs -q' 0 "$queue 600 0 0" sh -c './kipcrun ipcs -q |
		awk "/^0x/ { print \$2, \$4, \$5, \$6 }"'
	is 'kipcrun lsipc -q' 0 "$queue rw------- 0" \
		./kipcrun lsipc -q --raw --noheadings -o ID,PERMS,MSGS
	is 'kipc ls: a queue' 0 "msg $queue root 600 0 persistent - 0" sh -c './kipc ls --raw |
		awk "/^msg/ { print \$1, \$2, \$4, \$5, \$6, \$8, \$11, \$12 }"'
	is 'kipc queues: an empty one' 0 "ID MESSAGES BYTES LIMIT SENDERS RECEIVERS OLDEST
$queue 0 0 16384 0 0 -" ./kipc queues --raw
	is 'kipc queues --json' 0 '{"queues":[
 {"id":'"$queue"',"messages":0,"bytes":0,"limit":16384,"senders":0,"receivers":0,"oldest":null}
]}' ./kipc queues --json
	if command -v perl >/dev/null; then
		./kipcrun perl -e 'msgsnd($ARGV[0], pack("l! a*", 7, "hello"), 0) or die' "$queue"
		is 'kipc show msg' 0 "$queue 1 5 16384 0 0" sh -c "./kipc show --raw msg $queue |
			tail -n +2 | cut -d' ' -f1-6"
		is 'kipc ls: what is in it' 0 '5 1' sh -c './kipc ls --raw |
			awk "/^msg/ { print \$6, \$12 }"'
		./kipcrun perl -e 'my $m; msgrcv($ARGV[0], $m, 9, -3, 0)' "$queue" &
		waiters=$!
		until ./kipc waiters --raw | grep -q '^msg'; do sleep 0.1; done
		is 'kipc waiters: of a queue' 0 "msg $queue -3 $waiters receive perl" \
			sh -c './kipc waiters --raw |
				awk "/^msg/ { print \$1, \$2, \$3, \$4, \$5, \$7 }"'
		is 'kipc waiters --json: a word in a column of numbers' 0 '"op":"receive"' \
			sh -c "./kipc waiters --json | grep -o '\"op\":[^,]*'"
		is 'kipc queues: who waits' 0 "$queue 1 5 16384 0 1" sh -c './kipc queues --raw |
			tail -n +2 | cut -d" " -f1-6'
		if command -v setpriv >/dev/null; then
			is 'kipc queues: not for those who may not read' 0 \
				'ID MESSAGES BYTES LIMIT SENDERS RECEIVERS OLDEST' \
				setpriv --reuid 65534 --clear-groups ./kipc queues
			is 'kipc show msg: likewise' 1 '' \
				setpriv --reuid 65534 --clear-groups ./kipc show msg "$queue"
			said 'kipc show msg: told why' 'Permission denied'
		fi
	fi
	is 'kipc rm msg' 0 '' ./kipc rm msg "$queue"
	is 'kipc rm msg: it is gone' 1 '' ./kipc rm msg "$queue"
	is 'kipc show msg: it is gone' 1 '' ./kipc show msg "$queue"
	if [ -n "$waiters" ]; then
		wait "$waiters"
		is 'kipc waiters: gone with the queue' 0 'KIND ID NUM PID OP AGE COMMAND' ./kipc waiters
	fi
}

# What has a name, by a program that makes one.
check_names() {
	is 'kipc names: none' 0 \
		'KIND ID OWNER PERMS SIZE USERS WAITERS CREATOR AGE LIFETIME NAME' ./kipc names
	is 'kipc names --json: none' 0 '{"names":[]}' ./kipc names --json
	is 'kipc unlink: no such name' 1 '' ./kipc unlink strm /none
	if command -v python3 >/dev/null; then
		./kipcrun python3 -c 'import os, _posixshmem
fd = _posixshmem.shm_open("/a b", os.O_CREAT | os.O_RDWR, 0o640)
os.ftruncate(fd, 4096)'
		is 'kipc names' 0 'pshm root 640 4096 persistent /a\040b' sh -c './kipc names --raw |
			awk "/^pshm/ { print \$1, \$3, \$4, \$5, \$10, \$11 }"'
		is 'kipc unlink' 0 '' ./kipc unlink pshm '/a b'
		is 'kipc unlink: it is gone' 1 '' ./kipc unlink pshm '/a b'
		said 'kipc unlink: told why' 'No such file'
	fi
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
is 'kipc rm: no such kind' 2 '' ./kipc rm nosuch 1
is 'kipc unlink: no name' 2 '' ./kipc unlink strm
is 'kipc unlink: no such kind' 2 '' ./kipc unlink shm /x
is 'kipc show: no id' 2 '' ./kipc show sem
is 'kipc show: no such kind' 2 '' ./kipc show shm 1
is 'kipc show msg: no id' 2 '' ./kipc show msg
is 'kipc show: no such option' 2 '' ./kipc show --nosuch sem 1
is 'kipc queues: an argument' 2 '' ./kipc queues 1
is 'kipc waiters: an argument' 2 '' ./kipc waiters sem

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
	is 'kipc limits: of sets' 0 'semopm                           500' ./kipc limits semopm
	is 'kipc limits: set' 0 'semmsl                         31999' ./kipc limits semmsl=31999
	is 'kipc limits: the file of native' 0 '31999	1024000000	500	32000' \
		./kipcrun cat /proc/sys/kernel/sem
	is 'kipc limits: set back' 0 'semmsl                         32000' ./kipc limits semmsl=32000
	is 'kipc limits: of queues' 0 'msgmnb                         16384' ./kipc limits msgmnb
	is 'kipc limits: set one of queues' 0 'msgmax                          8000' \
		./kipc limits msgmax=8000
	is 'kipc limits: the file of native, of queues' 0 '8000' \
		./kipcrun cat /proc/sys/kernel/msgmax
	is 'kipc limits: set it back' 0 'msgmax                          8192' \
		./kipc limits msgmax=8192
	is 'kipc limits: the next id' 0 'msg_next_id                       -1' \
		./kipc limits msg_next_id
	is 'kipc ls' 0 'KIND ID KEY OWNER PERMS SIZE USERS LIFETIME CREATOR AGE SEMS MSGS HANDLES ORPHANS' ./kipc ls
	is 'kipc ls --json' 0 '{"objects":[]}' ./kipc ls --json
	./kipc version | grep -q '^module .*, ABI .*, features shm.* sem.* msg handle uring'
	ok $? 'kipc version'
	is 'kipc waiters: none' 0 'KIND ID NUM PID OP AGE COMMAND' ./kipc waiters
	is 'kipc waiters --json: none' 0 '{"waiters":[]}' ./kipc waiters --json
	is 'kipc show: no such set' 1 '' ./kipc show sem 2147483647
	is 'kipc show: not an id' 1 '' ./kipc show sem x
	is 'kipc show: no such queue' 1 '' ./kipc show msg 2147483647
	is 'kipc queues: none' 0 'ID MESSAGES BYTES LIMIT SENDERS RECEIVERS OLDEST' ./kipc queues
	check_set
	check_queue
	check_names
else
	is 'kipc absent' 125 '' ./kipcrun true
	said 'kipc absent: told how to load it' '^kipc: .*insmod'
	is 'kipc absent, fallback fail' 125 '' ./kipcrun --fallback fail true
	is 'kipc absent, fallback native' 0 "native " value ./kipcrun --fallback native
	said 'kipc absent, fallback native: told' '^kipcrun: .*native IPC'
	is 'kipc absent: version' 1 "$(./kipc version 2>/dev/null)" ./kipc version
	is 'kipc absent: ls' 1 '' ./kipc ls
	is 'kipc absent: queues' 1 '' ./kipc queues
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
