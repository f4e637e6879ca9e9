# Builds every guest into guests/dist. Included by the Makefile at the root; paths are from there.
#
# Each rule names its sources, so that a second run compares timestamps and starts no compiler.

G := guests
GUEST_ENV := $(G)/.toolchain/env
GUEST_TOOLS := $(G)/target/tools/debug/guest-tools
WASI_WIT := $(foreach package,io clocks random filesystem sockets cli http,wit/wasi/$(package).wit)

GUESTS_P1 := benign-tool evil-prompt-tool fs-violation tool-return-microbench
GUESTS_P2 := hello
# Typed components: each has a WIT whose words go into the component.
GUESTS_TYPED := bench dynamic notes puppet shapes

RUST_P1 := $(GUESTS_P1:%=$(G)/target/wasm32-wasip1/release/%.wasm)
RUST_P2 := $(patsubst %,$(G)/target/wasm32-wasip2/release/%.wasm,$(GUESTS_P2) $(GUESTS_TYPED))
RUST_SOURCES := $(shell find $(G)/rust wit -name '*.rs' -o -name '*.toml' -o -name '*.wit' -o -name Cargo.lock)

DIST := $(patsubst %,$(G)/dist/%.wasm,$(GUESTS_P1) $(GUESTS_P2) $(GUESTS_TYPED))

.PHONY: guests guests-clean
guests: $(DIST)

guests-clean:
	rm -rf $(G)/dist $(G)/target

$(GUEST_ENV): $(G)/toolchain.sh
	sh $(G)/toolchain.sh

# cargo leaves a file that came out the same untouched, and make would call it again for ever: hence touch.
$(RUST_P1) &: $(RUST_SOURCES) $(GUEST_ENV)
	. ./$(GUEST_ENV) && cd $(G)/rust && CARGO_TARGET_DIR=../target $$CARGO build --locked --release $$guest_cargo_args \
	    --target wasm32-wasip1 $(GUESTS_P1:%=-p %)
	touch $(RUST_P1)

$(RUST_P2) &: $(RUST_SOURCES) $(GUEST_ENV)
	. ./$(GUEST_ENV) && cd $(G)/rust && CARGO_TARGET_DIR=../target $$CARGO build --locked --release $$guest_cargo_args \
	    --target wasm32-wasip2 $(patsubst %,-p %,$(GUESTS_P2) $(GUESTS_TYPED))
	touch $(RUST_P2)

# Built by the toolchain of the host, whatever the guests are built with.
$(GUEST_TOOLS): $(G)/tools/Cargo.toml $(G)/tools/Cargo.lock $(wildcard $(G)/tools/src/*.rs)
	cargo build --locked --quiet --manifest-path $(G)/tools/Cargo.toml --target-dir $(G)/target/tools
	touch $@

$(GUESTS_P1:%=$(G)/dist/%.wasm): $(G)/dist/%.wasm: $(G)/target/wasm32-wasip1/release/%.wasm
	@mkdir -p $(@D)
	cp $< $@

$(GUESTS_P2:%=$(G)/dist/%.wasm): $(G)/dist/%.wasm: $(G)/target/wasm32-wasip2/release/%.wasm
	@mkdir -p $(@D)
	cp $< $@

$(G)/dist/dynamic.wasm: GUEST_WIT = wit/customs-tool.wit
$(G)/dist/puppet.wasm: GUEST_WIT = $(WASI_WIT) $(G)/rust/puppet/wit
$(GUESTS_TYPED:%=$(G)/dist/%.wasm): GUEST_WIT ?= $(G)/rust/$*/wit
$(GUESTS_TYPED:%=$(G)/dist/%.wasm): $(G)/dist/%.wasm: $(G)/target/wasm32-wasip2/release/%.wasm $(GUEST_TOOLS)
	@mkdir -p $(@D)
	$(GUEST_TOOLS) docs $< $@ $(GUEST_WIT)
