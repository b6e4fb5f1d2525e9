# SPDX-License-Identifier: MIT
# A thin front: meson and ninja do the work.  `make demo` and `make test` do all set-up themselves.
PREFIX ?= /usr/local
DESTDIR ?=
MESON_FLAGS ?=

.PHONY: all setup demo test test-unit test-blackbox test-conformance bench install fuzz lint clean
.DEFAULT_GOAL := all

all: build/release/build.ninja
	ninja -C build/release
	tools/collect-programs.sh build/release build/bin

setup:
	tools/setup.sh

build/release/build.ninja: | setup
	meson setup build/release --buildtype=release -Db_lto=true --prefix=$(PREFIX) $(MESON_FLAGS)

build/test/build.ninja: | setup
	meson setup build/test --buildtype=debugoptimized -Db_sanitize=address,undefined \
		-Dstatic_programs=false -Dtests=true -Db_lundef=false

build/fuzz/build.ninja: | setup
	CC=clang meson setup build/fuzz --buildtype=debugoptimized -Db_sanitize=address,undefined \
		-Dstatic_programs=false -Dfuzz=true -Db_lundef=false

demo: all
	tests/demo.sh

test: lint test-unit test-blackbox test-conformance

test-unit: build/test/build.ninja
	ninja -C build/test
	meson test -C build/test --print-errorlogs

test-blackbox: all
	tests/run.sh

test-conformance: all
	tests/conformance/run.sh

bench: all
	bench/run.sh

fuzz: build/fuzz/build.ninja
	ninja -C build/fuzz
	fuzz/run.sh build/fuzz

lint: | setup
	tools/lint.sh

install: all
	DESTDIR=$(DESTDIR) meson install -C build/release --no-rebuild

clean:
	rm -rf build
