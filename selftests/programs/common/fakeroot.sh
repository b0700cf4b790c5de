# SPDX-License-Identifier: GPL-2.0
#
# fakeroot in its System V variant, as the ordinary user alice: each file operation that only root
# may do becomes a message to a daemon, by one queue, and the answer comes by another; a semaphore
# with SEM_UNDO lets one client ask at a time. Files are below $fake.

. /kipc/selftests/programs/common/ipc.sh

fake=/tmp/fakeroot

fake_make() { install -d -o alice -g alice $fake; }
as_alice() { setpriv --reuid alice --regid alice --init-groups env HOME=/home/alice "$@"; }

# A shell command of alice's in $fake, under fakeroot on kipc; options of fakeroot's before it
fakeroot_sh() { # [OPTION...] COMMAND
	(
		for command; do :; done
		cd $fake && as_alice kipcrun fakeroot-sysv ${2:+"$1" "$2"} ${4:+"$3" "$4"} \
			-- sh -ec "$command"
	)
}

explain() {
	kipc ls
	kipc waiters
	cat $fake/log
}
