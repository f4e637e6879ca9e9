# Two commands on a fresh machine: `make demo` and `make test`. Everything is built below this folder.

CARGO ?= cargo

.PHONY: all demo test check build bench clean

all: build guests

include guests/guests.mk

# The program as the demo and the tests use it: quick to build, dependencies optimised.
build:
	$(CARGO) build --locked -p customs

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

# What the boundary costs against bare wasmtime-wasi; see docs/performance.md.
bench: guests
	$(CARGO) bench --locked -p customs --bench boundary --bench network

clean: guests-clean
	$(CARGO) clean
