#!/bin/sh
# Runs the tool under customs: as it is meant to be used, and reaching for what it was not given.
set -eu
cd "$(dirname "$0")"
customs=${CUSTOMS:-customs}
fail() { printf 'test: %s\n' "$*" >&2; exit 1; }

said=$("$customs" run @NAME@.wasm greet-all --policy customs.toml --args '{"names":["Ada","Bob"]}') || fail "greetings were refused"
case $said in *'Hello, Ada!'*'Hello, Bob!'*) ;; *) fail "not the greetings: $said" ;; esac

code=0
said=$("$customs" run @NAME@.wasm greet-all --policy customs.toml --args '{"names":["Ada"],"template":"/etc/passwd"}' 2>&1) || code=$?
[ "$code" = 1 ] || fail "a file outside of the grants should have been an error of the tool, not exit $code: $said"
case $said in *denied*/etc/passwd*) ;; *) fail "the denial was not told: $said" ;; esac
case $said in *root:*) fail "the file came through: $said" ;; esac

echo "test: ok"
