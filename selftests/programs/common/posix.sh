# SPDX-License-Identifier: GPL-2.0
#
# What POSIX IPC, kipc's and native, say of themselves, for tests with real programs. KIND is pshm,
# psem or pmq.

. /kipc/selftests/programs/common/ipc.sh

names() { tail -n +2 /proc/kipc/names | grep -c "^$1"; } # KIND

# Changes with each file that is made or removed there, where the C library has its objects.
native_trace() { stat -c '%z %y' /dev/shm; }

begin_posix() { # KIND...
	kinds=$*
	trace=$(native_trace)
	for kind in $kinds; do
		eval "created_before_$kind=$(created "$kind")"
	done
}

kipc_served() {
	for kind in $kinds; do
		eval "created_before=\$created_before_$kind"
		[ "$(created "$kind")" -gt "$created_before" ] || return
	done
}

kipc_served_all_posix() { kipc_served && [ "$(native_trace)" = "$trace" ]; }

no_name_left() {
	for kind in $kinds; do
		[ "$(names "$kind")" = 0 ] || return
	done
}
