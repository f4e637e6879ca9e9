#!/bin/sh
# Builds @NAME@.wasm.
set -eu
cd "$(dirname "$0")"
# std for WebAssembly, where rustup has to fetch it first.
if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx wasm32-wasip2; then rustup target add wasm32-wasip2; fi
cargo build --release --target wasm32-wasip2
@FINISH@
