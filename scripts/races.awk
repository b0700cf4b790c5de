# SPDX-License-Identifier: GPL-2.0
#
# A kernel's log without the races that KCSAN reports of the kernel's own code. A report stands between
# lines of "=". It counts if one of its accesses is made by a function of kipc, or by one of the kernel's
# for lists, trees, arrays or memory, which works on what its caller, of kipc, has given it. What other
# functions that kipc calls do among themselves, as with the clock or a timer, is the kernel's affair;
# and so is what functions of its hash tables do between them: they have locks of their own.

function tell() { printf "%s", held; held = "" }

/=======\r?$/ {
	if (inside) {
		held = held $0 "\n"
		if (ours && !tables) tell()
		held = ""
		inside = ours = top = 0
	} else {
		tell()
		held = $0 "\n"
	}
	next
}
inside {
	held = held $0 "\n"
	if (/ of [0-9]+ bytes by /) {
		top = 1
	} else if (top && !/ _*(list|hlist|llist|rb|xa|xas|idr|ida|radix_tree|rht|rhashtable|mem|str|sort|bsearch|tsan|kcsan)[a-z0-9]*(_[a-z0-9_]*)?\+/) {
		ours = ours || /\[kipc\]/
		top = 0
	}
	next
}
held != "" && /BUG: KCSAN: / {
	held = held $0 "\n"
	inside = 1
	tables = / in _*(rht|rhashtable)_[^ ]*( \[kipc\])? \/ _*(rht|rhashtable)_/
	next
}
{ tell(); print }
END { tell() }
