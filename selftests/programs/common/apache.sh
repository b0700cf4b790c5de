# SPDX-License-Identifier: GPL-2.0
#
# Apache 2.4 of the Debian root, prefork, with two listeners, so that its children take turns in
# accepting, by a System V semaphore with SEM_UNDO, or what $apache_mutex names. Settings and files are all below $apache.

. /kipc/selftests/programs/common/ipc.sh

apache=/tmp/apache
apache_ports='8001 8002'

apache_make() { # CHILDREN
	mkdir -p $apache/htdocs
	echo 'Hello from kipc' >$apache/htdocs/index.html
	cat >$apache/conf <<-END
	ServerRoot $apache
	ServerName localhost
	PidFile $apache/pid
	ErrorLog $apache/error_log
	DocumentRoot $apache/htdocs
	User www-data
	Group www-data
	LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
	LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
	Mutex ${apache_mutex:-sysvsem} default
	$(printf 'Listen 127.0.0.1:%s\n' $apache_ports)
	StartServers $1
	MinSpareServers $1
	MaxSpareServers $1
	MaxRequestWorkers $(($1 * 2))
	END
}

# With a wrapper, or none, before the server's name
apache_start() { "$@" apache2 -f $apache/conf && until_true 'apache_answers'; }
apache_tell() { LD_PRELOAD='' apache2 -f $apache/conf -k "$1"; }
apache_stop() {
	server=$(cat $apache/pid) || return
	apache_tell stop && until_true '[ ! -e /proc/$server ]'
}

# Does a page come, by each listener?
apache_answers() {
	for port in $apache_ports; do
		ab -q -n 1 http://127.0.0.1:$port/index.html 2>/dev/null |
			grep -q '^Document Length: *16 bytes' || return
	done
}

# Requests to one listener, in parallel. It goes on over broken connections, and tells how many.
apache_load() { ab -q -r -s 120 -n "$1" -c 4 http://127.0.0.1:"$2"/index.html; } # REQUESTS PORT
apache_result() { sed -n "s/^$1: *\\([0-9.]*\\).*/\\1/p"; } # LINE of apache_load's

# Which child may accept: it took the semaphore last, and the others wait. To be asked of a server
# that has nothing to do.
apache_set() { kipc waiters --raw | awk '$1 == "sem" && $7 == "apache2" { print $2; exit }'; }
apache_holder() { kipc show --raw sem "$(apache_set)" | awk '$2 == 0 && $3 == 0 { print $6 }'; }
apache_is_waiting() { [ -n "$(apache_set)" ] && [ -n "$(apache_holder)" ]; }

explain() {
	kipc ls
	kipc waiters
	tail -n 20 $apache/error_log
}
