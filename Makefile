# SPDX-License-Identifier: GPL-3.0-or-later
#
#	make		build/tcpprobe.so, the loadable builtin, and build/tcpprobe, the program
#	make static	build/static/tcpprobe, the program as one file that needs nothing where it runs
#	make try	installs what is missing, builds, and probes a few ports before your eyes
#	make check	installs what is missing, and runs every test
#	make install	honours DESTDIR, PREFIX and LOADABLESDIR; make uninstall takes it back
# and for those who work on it
#	make lint	formatters and analysers; warnings are errors here
#	make sync	fills the marked regions of the README, the manual, the wrapper and more from include/
#	make fuzz	each parser for FUZZ_SECONDS
#	make bench	the figures of the README
#	make dist	build/dist: the sources and the program as tarballs, what is in them (SPDX), SHA256SUMS
#	make distcheck	tests these files: builds them elsewhere, and uses them in roots that have next to nothing
#	make deb	build/deb: the packages for this release of Debian; make rpm: build/rpm, those for rpm
#	make check-packages	builds, installs, uses, upgrades and removes all packages, in roots of four Debians
#	make check-recipes	the recipes in whole systems: Dockerfile's first stage, systemd units, five hosts by ssh
#	make check-bashes	the one .so in the bashes of other Debian releases; another one with musl; needs a Debian
#	make soak	SOAK probes of all kinds in one shell, under signals and with jobs: what is left behind?
#	make check-faults	each system call of a probe fails in turn; FAULTS=all: in every way
#	make check-wrapper	the wrapper in each shell, with each tool, and in slim systems
#	make check-sanitizers	unit tests and the builtin under ASan, UBSan, MSan and valgrind
#	make check-random	1,000 random command lines under ASan and UBSan: no report, no hang
#	make check-musl	the engine and its unit tests with another C library, musl
#	make check-arches	the builtin, the program and their tests on five other processors, emulated; needs a Debian
#	make coverage	lines and branches that the tests reach, and the lines that no test reaches
#	make check-install check-sync deps clean

PREFIX = /usr/local
LOADABLESDIR = $(PREFIX)/lib/bash
BASH_CFLAGS = $$(pkg-config --cflags bash | sed 's/-I/-isystem /g') -DHAVE_CONFIG_H -DDISABLE_MALLOC_WRAPPERS

B = build
CFLAGS = -Os -g
# Jumps land only where they may, if compiler and machine support that. It would make a PLT larger, so there is none.
CFI := $(shell $(CC) -fcf-protection=full -x c -c -o /dev/null /dev/null 2>/dev/null && echo -fcf-protection=full -fno-plt)
# If a packager's flags set FORTIFY, they count.
HARDENING = -fstack-protector-strong $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) $(CFI)
# Immediate binding: if a bash lacks a symbol, `enable` fails, instead of the user's shell later. No start files: there
# is nothing to start, and if these files are not marked for CFI, the .so would not be either. One segment holds code
# and constants, if the linker can do that: three segments, each filled up to a page, take 4 KiB more.
ONE_SEGMENT := $(shell $(CC) $(LDFLAGS) -shared -nostartfiles -Wl,-z,noseparate-code -x assembler -o /dev/null /dev/null 2>/dev/null && \
	echo -Wl,-z,noseparate-code)
SO_LDFLAGS = -shared -nostartfiles -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack $(ONE_SEGMENT) -Wl,--as-needed
PROGRAM_LDFLAGS = -pie -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--as-needed
STRICT = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wundef -Werror
# The .so is mapped into every shell that wants it, so it is kept small: nothing unwinds through it, a switch makes no
# table of jumps, and a call at the end of a function stays a call, for which one end of the function is enough. The last
# flag makes it the same file wherever it is built.
OUR_CFLAGS = -std=c11 -D_GNU_SOURCE -Iinclude -fvisibility=hidden -fno-asynchronous-unwind-tables -fno-jump-tables \
	-fno-optimize-sibling-calls '-ffile-prefix-map=$(CURDIR)=.'

# Each folder of builtin/ is one layer, and knows only the layers that are above it here.
ENGINE = $(wildcard builtin/engine/*.c)
COMMAND = $(wildcard builtin/command/*.c)
BASH = $(wildcard builtin/bash/*.c)
PROGRAM = $(wildcard builtin/program/*.c)
objects = $(patsubst builtin/%.c,$B/%.o,$1)
# A CC of the command line serves, and so does a compiler that is for musl already, as on Alpine.
STATIC_CC = $(if $(findstring command,$(origin CC)),$(CC),$(if $(findstring musl,$(shell $(CC) -dumpmachine)),$(CC),musl-gcc))
LAB = $(patsubst tests/lab/%.c,$B/lab/%,$(wildcard tests/lab/*.c)) $B/lab/libnss_lab.so.2
UNITS = $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/*.c))
FUZZERS = $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/*.c))
FLOORS = $(patsubst tests/bench/%.c,$B/bench/%,$(wildcard tests/bench/*.c))
FUZZ_SECONDS = 10
SOAK = 1000000

all: $B/tcpprobe.so $B/tcpprobe

# The target of a plain `make` says what the user can type. Other targets build upon `all`, which is silent about it.
.DEFAULT_GOAL = built
built: all
	@echo "in bash:      enable -f $B/tcpprobe.so tcpprobe"
	@echo "in any shell: $B/tcpprobe -v localhost 22"

# Only builtin/bash may see bash's headers: the engine must compile without them.
$(call objects,$(BASH)): OUR_CFLAGS += $(BASH_CFLAGS)
$(call objects,$(BASH)): | headers

headers:
	@pkg-config --exists bash || { echo "bash's headers, or pkg-config, are missing: '.ci/deps build' installs just what" \
		"the build needs (Debian: gcc libc6-dev make pkg-config bash-builtins)" >&2; exit 1; }

$B/%.o: builtin/%.c
	@mkdir -p $(@D)
	$(CC) $(OUR_CFLAGS) $(HARDENING) $(CPPFLAGS) $(CFLAGS) -fPIC -MMD -c -o $@ $<

$B/tcpprobe.so: $(call objects,$(BASH) $(COMMAND) $(ENGINE))
	$(CC) $(CFLAGS) -fPIC $(LDFLAGS) $(SO_LDFLAGS) -o $@ $^

$B/tcpprobe: $(call objects,$(PROGRAM) $(COMMAND) $(ENGINE))
	$(CC) $(CFLAGS) $(PROGRAM_LDFLAGS) $(LDFLAGS) -o $@ $^

# The program as one file that needs no C library where it runs. Another compiler makes other objects, so it has a
# folder of its own.
static:
	@[ '$(STATIC_CC)' != musl-gcc ] || .ci/deps musl || { echo 'or say: make static CC=...' >&2; exit 1; }
	@$(MAKE) -s B=$B/static CC=$(STATIC_CC) LDFLAGS='-static $(LDFLAGS)' CFI= $B/static/tcpprobe
	@strip $B/static/tcpprobe

# Test programs: the lab and the floors stand alone, the unit tests link the engine.
$B/lab/%: tests/lab/%.c tests/lab/lab.h
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(CFLAGS) -o $@ $<

# A name service that hangs and crashes on demand.
$B/lab/libnss_lab.so.2: tests/lab/nss/lab.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(CFLAGS) -fPIC -shared -o $@ $<

$B/bench/%: tests/bench/%.c tests/bench/bench.h
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(CFLAGS) -o $@ $<

$B/unit/%: tests/unit/%.c tests/unit/unit.h $(call objects,$(COMMAND) $(ENGINE))
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -Iinclude $(CPPFLAGS) $(CFLAGS) -MMD $(LDFLAGS) -o $@ $< $(call objects,$(COMMAND) $(ENGINE))

# In this test memory runs out at every call, so it compiles the sources itself, with other functions for memory.
$B/unit/memory: tests/unit/memory.c $(COMMAND) $(ENGINE) $(wildcard include/* tests/unit/*.h)
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -Iinclude $(CPPFLAGS) $(CFLAGS) $(foreach f,malloc calloc realloc strdup free,-D$f=unit_$f) \
		$(LDFLAGS) -o $@ $(filter %.c,$^)

$B/fuzz/%: tests/fuzz/%.c $(COMMAND) $(ENGINE) tests/fuzz/fuzz.h
	@mkdir -p $(@D)
	clang -std=c11 -D_GNU_SOURCE -Iinclude -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ \
		$(filter-out $(TAKEN),$(filter %.c,$^))

# These fuzzers include that source file themselves.
$B/fuzz/reply: TAKEN = builtin/engine/helpers.c
$B/fuzz/hosts: TAKEN = builtin/engine/hosts.c

try:
	@.ci/deps build
	@$(MAKE) -s all lab
	@tests/try

check:
	@.ci/deps build test server recipes
	@$(MAKE) -s all lab units
	@! command -v $(STATIC_CC) >/dev/null || $(MAKE) -s static
	@tests/run

deps:
	@.ci/deps build test lint server recipes

lab: $(LAB)
units: $(UNITS)
fuzzers: $(FUZZERS)

fuzz: fuzzers
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

bench: all lab $(FLOORS)
	@tests/bench/run

sync:
	@.ci/sync
check-sync:
	@.ci/sync --check

lint: check-sync
	@.ci/lint

# Only some shells expand the ~ of PREFIX=~/.local.
$(foreach name,PREFIX LOADABLESDIR DESTDIR,$(if $(filter ~/%,$(firstword $($(name)))),$(eval override $(name) := $$(HOME)$(patsubst ~/%,/%,$($(name))))))
SHAREDIR = $(PREFIX)/share
# Files that are not built: FILE:PLACE below SHAREDIR. Completions go where each shell looks for those of a new command.
SHARED = doc/tcpprobe.1:man/man1/tcpprobe.1 \
	shell/tcpprobe.sh:tcpprobe/tcpprobe.sh \
	shell/completion/tcpprobe.bash:bash-completion/completions/tcpprobe \
	shell/completion/_tcpprobe:zsh/site-functions/_tcpprobe \
	shell/completion/tcpprobe.fish:fish/vendor_completions.d/tcpprobe.fish
# Makes one word for the shell of any text.
quoted = '$(subst ','\'',$1)'
at = $(call quoted,$(DESTDIR)$1)
PLACES = $(call quoted,$(DESTDIR)) $(call quoted,$(PREFIX)) $(call quoted,$(LOADABLESDIR)) $(call at,$(LOADABLESDIR))/tcpprobe.so \
	$(call at,$(PREFIX))/bin/tcpprobe $(foreach file,$(SHARED),$(call at,$(SHAREDIR))/$(lastword $(subst :, ,$(file))))

install: all
	@packaging/places install $(PLACES)
	install -d $(call at,$(LOADABLESDIR)) $(call at,$(PREFIX)/bin)
	install -m 755 $B/tcpprobe.so $(call at,$(LOADABLESDIR)/tcpprobe.so)
	install -m 755 $B/tcpprobe $(call at,$(PREFIX)/bin/tcpprobe)
	set -e; for file in $(SHARED); do \
		to=$(call at,$(SHAREDIR))/$${file#*:}; \
		install -d "$${to%/*}"; \
		install -m 644 "$${file%:*}" "$$to"; \
	done
	chmod 755 $(call at,$(SHAREDIR)/tcpprobe/tcpprobe.sh)
	@$(if $(DESTDIR),:,packaging/places advise $(call quoted,$(PREFIX)/bin) $(call quoted,$(LOADABLESDIR)))

# Folders that others share stay: LOADABLESDIR if something else is in it; bin and the shared folders of share always.
uninstall:
	@packaging/places uninstall $(PLACES)
	rm -f $(call at,$(LOADABLESDIR)/tcpprobe.so) $(call at,$(PREFIX)/bin/tcpprobe)
	for file in $(SHARED); do rm -f $(call at,$(SHAREDIR))/"$${file#*:}" || exit; done
	-rmdir $(call at,$(SHAREDIR)/tcpprobe) $(call at,$(LOADABLESDIR)) 2>/dev/null || :

# For .ci/lint, so that the flags stand in one place.
print-STRICT:
	@echo '$(STRICT)'

# -- Packages and release files: packaging/ makes them, from one version and one set of sources

print-ARCH:
	@$(STATIC_CC) -dumpmachine | cut -d - -f 1

dist:
	@.ci/deps build dist
	@packaging/make-dist all
	@cat build/dist/SHA256SUMS

distcheck:
	@.ci/deps build dist
	@$(MAKE) -s lab
	@tests/dist

deb:
	@.ci/deps build package
	@packaging/make-deb
	@ls build/deb/*.deb

rpm:
	@.ci/deps build package
	@packaging/make-rpm
	@ls build/rpm/RPMS/*/*.rpm

check-packages:
	@.ci/deps build package
	@tests/packages

check-recipes:
	@.ci/deps build package test server recipes
	@$(MAKE) -s all lab static
	@tests/recipes
	@TP_RECIPES=1 tests/run tests/recipes.bats

check-install: all
	@tests/install

check-bashes:
	@.ci/deps build test
	@$(MAKE) -s all lab
	@tests/bashes

soak:
	@.ci/deps build test
	@$(MAKE) -s all lab
	@tests/soak $(SOAK)

check-wrapper:
	@.ci/deps build test server shells
	@$(MAKE) -s all lab
	@tests/wrapper

check-faults:
	@.ci/deps build test
	@$(MAKE) -s all lab
	@tests/faults

check-sanitizers:
	@.ci/deps build test lint
	@tests/sanitizers

check-random:
	@.ci/deps build test lint
	@tests/random

check-musl:
	@.ci/deps build musl
	@tests/musl

check-arches:
	@.ci/deps build test arches
	@$(MAKE) -s lab
	@tests/arches

coverage:
	@.ci/deps build test server
	@tests/coverage

clean:
	rm -rf $B

.PHONY: all built static headers try check deps lab units fuzzers fuzz bench sync check-sync lint install uninstall check-install check-bashes \
	check-wrapper check-faults check-sanitizers check-random check-musl check-arches soak coverage clean print-STRICT \
	print-ARCH dist distcheck deb rpm check-packages check-recipes
-include $(wildcard $B/*/*.d)
