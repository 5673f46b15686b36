# SPDX-License-Identifier: Apache-2.0
# A thin front for people; the build is meson's. The first step of each target installs missing
# Debian packages. meson is Debian's, whatever python3 stands first in PATH.
MESON ?= /usr/bin/meson
BUILD ?= build
export MESON

all: build

packages:
	@packaging/install-packages.sh packaging/debian-packages.txt

packages-test: packages
	@packaging/install-packages.sh packaging/debian-packages-test.txt

$(BUILD)/build.ninja: | packages
	$(MESON) setup $(BUILD)

build: packages $(BUILD)/build.ninja
	ninja -C $(BUILD)

# What the tests need may have come after the build folder was set up.
build-test: packages-test $(BUILD)/build.ninja
	$(MESON) setup --reconfigure $(BUILD) >/dev/null
	ninja -C $(BUILD)

# A whole study on this machine: a coordinator and eight sites.
demo: build
	$(BUILD)/lab/veilsum-lab demo

# All tests that take seconds.
test: build-test
	tests/run.sh $(BUILD) --no-suite long

# All tests.
test-long: build-test
	tests/run.sh $(BUILD)

# Which lines of base, crypto and protocol the tests run; in a build folder of its own.
coverage: packages-test
	tests/coverage.sh $(BUILD)-coverage

# CSV with the yardsticks of the same run. BENCH=--full takes a quarter of an hour.
bench: build
	ninja -C $(BUILD) benchmarks/bench_mask benchmarks/bench_crypto benchmarks/bench_round
	$(BUILD)/benchmarks/bench_mask $$(git describe --always --dirty)
	$(BUILD)/benchmarks/bench_crypto
	$(BUILD)/benchmarks/bench_round $(BENCH)

# Every parser and both state machines, FUZZ seconds each, with clang's fuzzer.
fuzz: packages-test
	BUILD=$(BUILD)-fuzz tests/fuzz/run.sh $(or $(FUZZ),600)

lint: build-test
	tests/run.sh $(BUILD) --suite lint

install: build
	$(MESON) install -C $(BUILD)

.PHONY: all packages packages-test build build-test demo test test-long coverage bench fuzz lint install
