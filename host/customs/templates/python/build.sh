#!/bin/sh
# Builds @NAME@.wasm.
set -eu
cd "$(dirname "$0")"
# VIRTUAL_ENV keeps what else this machine's Python has installed out of the component.
VIRTUAL_ENV=venv venv/bin/componentize-py -d wit -w example:@NAME@/tool componentize app -p src -o @NAME@.wasm
@FINISH@
