# SPDX-License-Identifier: MIT
# A thin front: meson and ninja do the work.  Every target installs the packages that it needs.
#
#   make            programs in build/bin          make test     all tests (test-unit, ...: one kind)
#   make demo       build and show what it does    make bench    figures beside other runtimes
#   make install    PREFIX=/usr/local DESTDIR=     make lint     checks; lint-deep takes minutes
#   make fuzz       a while per fuzz target        make clean
#   make test-long  tests that take minutes each (tests/long.list)
#   make soak       SOAK_MINUTES=60 of kills, full disks and races
PREFIX ?= /usr/local
DESTDIR ?=
MESON_FLAGS ?=

TESTS = lint unit blackbox conformance guest
RELEASE = --buildtype=release -Db_lto=true --prefix=$(PREFIX) $(MESON_FLAGS)
SANITIZE = --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dstatic_programs=false

.PHONY: all demo test $(TESTS:%=test-%) test-long bench install fuzz soak lint lint-deep format-check clean FORCE
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# Install what is missing, and note how a build folder is configured; it is made anew when that changes.
build/%.options: FORCE
	@tools/setup.sh $(SETUP)
	@mkdir -p build
	@echo '$(OPTIONS) CC=$(CC)' | cmp -s - $@ || echo '$(OPTIONS) CC=$(CC)' >$@

build/%/build.ninja: build/%.options
	rm -rf $(@D)
	meson setup $(@D) $(OPTIONS)

build/release.options build/release/build.ninja: OPTIONS = $(RELEASE)
build/test.options build/test/build.ninja: OPTIONS = $(SANITIZE) -Dtests=true
build/fuzz.options build/fuzz/build.ninja: OPTIONS = $(SANITIZE) -Dfuzz=true
build/test.options build/test/build.ninja: SETUP = unit
build/fuzz.options build/fuzz/build.ninja: SETUP = fuzz
build/fuzz.options build/fuzz/build.ninja: export CC = clang
.PRECIOUS: build/%.options build/%/build.ninja

# Two runs of make may meet in one folder; ninja itself does not wait.
NINJA = flock build/$(1).lock ninja -C build/$(1)

all: build/release/build.ninja
	$(call NINJA,release)
	tools/collect-programs.sh build/release build/bin

demo: all
	tests/demo.sh

test: all
	tools/test.sh $(TESTS)

test-lint: lint

test-unit: build/test/build.ninja
	$(call NINJA,test)
	tools/test-unit.sh build/test

test-blackbox: all
	tools/setup.sh test
	tests/run.sh

test-conformance: all
	tools/setup.sh test
	tests/conformance/run.sh

test-guest: all
	tools/setup.sh test
	tests/guest/run-all.sh

test-long: all
	tools/setup.sh test long
	TEST_TIMEOUT=3600 tests/run.sh --long
	tests/guest/run-all.sh --long

bench: all
	tools/setup.sh bench
	bench/run.sh --no-install

fuzz: build/fuzz/build.ninja
	$(call NINJA,fuzz)
	fuzz/run.sh build/fuzz

soak: all
	tools/setup.sh test
	tools/soak.sh

lint:
	tools/setup.sh lint
	tools/lint.sh

lint-deep:
	tools/setup.sh lint deep
	tools/lint.sh --deep

format-check:
	tools/setup.sh lint
	tools/format.sh --check

install: all
	DESTDIR=$(DESTDIR) meson install -C build/release --no-rebuild

clean:
	rm -rf build
