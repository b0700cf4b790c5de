# SPDX-License-Identifier: GPL-2.0
#
# The one door: make help.

MAKEFLAGS += --no-print-directory
PREFIX ?= /usr/local
Q := $(if $(V),,@)

all: module lib tools		## the module, the library and the tools (default)

setup:				## name the missing tools and the command that installs them
	$(Q)scripts/setup

kernels: setup			## fetch kernels, headers and the test harness into the cache
	$(Q)for k in 6.1 6.12; do scripts/kernel --kernel $$k image || exit; done
	$(Q)for k in 6.1 6.12 6.1-rt; do scripts/kernel --kernel $$k headers || exit; done
	$(Q)scripts/kernel source

# kipc.ko at the top level is a copy of the one built last; scripts/module says for which kernel.
module: setup			## kipc.ko; KDIR= or KVER=6.1|6.12|6.1-rt, C=1 (sparse)
	$(Q)ko=$$(scripts/module $(if $(KDIR),--kdir '$(KDIR)',$(if $(KVER),--kernel $(KVER))) \
		$(if $(C),--fresh C=2)) && cp "$$ko" kipc.ko

lib: setup			## lib/libkipc.so.0, libkipc.a and libkipc-preload.so
	$(Q)$(MAKE) -C lib

lib32: setup			## the library for 32-bit programs, in build/lib32
	$(Q)$(MAKE) -C lib M32=1 O=$(CURDIR)/build/lib32

tools: lib			## tools/kipc and tools/kipcrun
	$(Q)$(MAKE) -C tools

samples: lib			## example programs
	$(Q)$(MAKE) -C samples

selftests: lib			## the kselftests
	$(Q)$(MAKE) -C selftests

check:				## every test, in VMs; ends with one line of counts
	$(Q)scripts/check

demo:				## PostgreSQL and Apache on kipc, in a VM, told as a story
	$(Q)scripts/demo

check-mutants:			## deliberate faults, each caught by its test; MUTANTS= names patches
	$(Q)scripts/check-mutants $(MUTANTS)

check-crash:			## the fast paths, ended and stopped at every instruction; KVER=
	$(Q)KVER='$(KVER)' scripts/check-crash

check-model:			## the models of the protocols by spin, and faults in them; MODELS=
	$(Q)scripts/check-model $(MODELS)

check-oracle:			## random calls, kipc and native compared; N= calls, SEED=, KERNELS=
	$(Q)KERNELS='$(KERNELS)' KINDS='$(KINDS)' scripts/check-oracle $(or $(N),100000) $(or $(SEED),1)

check-debug:			## the kselftests on kernels that look for faults; CONFIGURATIONS=
	$(Q)scripts/check-debug $(CONFIGURATIONS)

fuzz:				## coverage-guided, for T seconds, on a kernel that looks for faults; SEED=
	$(Q)scripts/fuzz $(or $(T),300) $(SEED)

coverage:			## how many blocks of the module the kselftests reach, by file
	$(Q)scripts/coverage

bench:				## instructions per call, kipc and native side by side
	$(Q)selftests/bench/run $(if $(KVER),--kernel $(KVER)) $(BENCH)

vm:				## a shell in a VM that has kipc loaded; KVER=6.1|6.12
	$(Q)scripts/vm $(if $(KVER),--kernel $(KVER))

install: all lib32		## the module for the kernel it was built for, the rest in PREFIX
	$(Q)release=$$(modinfo -F vermagic kipc.ko | cut -d' ' -f1) && \
		install -D -m 644 kipc.ko "$(DESTDIR)/lib/modules/$$release/updates/kipc.ko" && \
		{ test -n "$(DESTDIR)" || depmod "$$release"; }
	$(Q)$(MAKE) -C lib install M32=1 O=$(CURDIR)/build/lib32 LIBDIR='$(PREFIX)/lib32' \
		PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'
	$(Q)$(MAKE) -C lib install PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'
	$(Q)$(MAKE) -C tools install PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'

lockmap:			## the lock order, from kernel/object.h
	$(Q)sed -n '/THE LOCK MAP/,/takes no lock at all/s/^ \* \?//p' kernel/object.h

clean:				## remove what was built
	$(Q)rm -rf build kipc.ko
	$(Q)for d in lib tools samples selftests; do $(MAKE) -C $$d clean || exit; done

distclean: clean		## the same, and the cache of kernels and VM roots
	$(Q)rm -rf "$${KIPC_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/kipc}"

help:				## this list
	$(Q)sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

.PHONY: all setup kernels module lib lib32 tools samples selftests check demo bench vm install \
	lockmap check-mutants check-crash check-model check-oracle check-debug fuzz coverage clean \
	distclean help
