#!/bin/sh
# Prepares what the guests are built with and writes it to guests/.toolchain/env, which the make rules source.
#
# Rust guests need the targets wasm32-wasip1 and wasm32-wasip2. The first of these ways that works is taken:
#   1. the current toolchain already has both targets;
#   2. `rustup target add` brings them;
#   3. Debian 12: rustc and the sources of std from the distribution, std built with the guests (-Zbuild-std).
# The C guest needs clang for wasm32-wasi; on Debian its packages are installed, elsewhere a clang that can do it is used.
#
# GUEST_TOOLCHAIN=rust or GUEST_TOOLCHAIN=debian takes one way and no other (1 and 2, or 3), so that each can be tested anywhere.
#
# Everything but distribution packages and rustup's targets stays in guests/.toolchain. Running it again is quick and changes nothing.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tools=$here/.toolchain
env_file=$tools/env
# Long enough for a slow line, short enough that a machine without the server falls back soon.
rustup_patience=20

say() { printf 'toolchain: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

debian_codename() { # empty where this is not Debian
    [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = debian ] && printf %s "${VERSION_CODENAME:-}") || true
}

# apt_install PACKAGE...: installs what is missing, with the rights it finds.
apt_install() {
    missing=
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then as_root=
    elif has sudo && sudo -n true 2>/dev/null; then as_root=sudo
    else
        say "these packages are missing and this user may not install them; as root, run: apt-get install --no-install-recommends$missing"
        return 1
    fi
    say "installing$missing"
    # The lists may be absent or old on a fresh machine; an update that fails is only fatal when the install then fails too.
    $as_root apt-get update -qq || true
    # shellcheck disable=SC2086 # a list of package names
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

has_targets() { # has_targets RUSTC: both targets come with a compiled std
    for target in wasm32-wasip1 wasm32-wasip2; do
        libs=$("$1" --print target-libdir --target "$target" 2>/dev/null) || return 1
        ls "$libs"/libstd-*.rlib >/dev/null 2>&1 || return 1
    done
}

# The folder with wasm-component-ld and rust-lld. Debian's rustc has neither, and its lld 14 is too old for today's libc.
find_linkers() {
    for sysroot in "$(rustc --print sysroot 2>/dev/null || true)" "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*; do
        for bin in "$sysroot"/lib/rustlib/*/bin; do
            if [ -x "$bin/wasm-component-ld" ] && [ -x "$bin/gcc-ld/wasm-ld" ]; then
                printf '%s' "$bin"
                return 0
            fi
        done
    done
    return 1
}

# Debian 12's wasi-libc knows no wasip1 or wasip2, the next release's does; it is data only and is unpacked, not installed.
fetch_wasi_libc() { # fetch_wasi_libc DESTINATION
    apt=$tools/apt
    rm -rf "$apt" "$1.part"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    # The mirror is the one apt already uses for this release.
    mirror=$(apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' |
        awk -v release="$(debian_codename)" '$1 == "Packages" && $2 == release && $3 == "main" { print $4; exit }')
    [ -n "$mirror" ] || { say "apt on this machine names no Debian mirror for its own release"; return 1; }
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
    private_apt() {
        apt-get -qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$apt/lists" \
            -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
    }
    private_apt update
    (cd "$apt" && private_apt download wasi-libc)
    dpkg -x "$apt"/wasi-libc_*.deb "$1.part"
    [ -f "$1.part/usr/lib/wasm32-wasip2/libc.a" ] || { say "the fetched wasi-libc has no wasip2 libc"; return 1; }
    mv "$1.part" "$1"
    rm -rf "$apt"
}

# A sysroot of our own, so that no system folder changes: C objects where a Rust distribution puts them, and the linkers.
# std itself is compiled into the target folder by cargo.
make_sysroot() { # make_sysroot LINKERS LIBC
    sysroot=$tools/sysroot
    host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
    rm -rf "$sysroot"
    mkdir -p "$sysroot/lib/rustlib/$host"
    # A link, not a copy: rust-lld finds its libraries relative to its own place.
    ln -s "$1" "$sysroot/lib/rustlib/$host/bin"
    for target in wasm32-wasip1 wasm32-wasip2; do
        place=$sysroot/lib/rustlib/$target/lib/self-contained
        mkdir -p "$place"
        for object in crt1-command.o crt1-reactor.o libc.a; do
            cp "$2/usr/lib/$target/$object" "$place/"
        done
    done
}

write_env() { # write_env WAY <variables
    { echo "# Written by toolchain.sh; remove the folder to choose again."; echo "# $1"; cat; } >"$env_file.part"
}

rust_from_debian() {
    [ "$(debian_codename)" = bookworm ] || return 1
    apt_install rustc-web cargo-web rust-web-src || return 1
    linkers=$(find_linkers) || {
        say "no Rust toolchain here has wasm-component-ld (any rustup toolchain since 1.82 brings it)"
        return 1
    }
    [ -f "$tools/wasi-libc/usr/lib/wasm32-wasip2/libc.a" ] || fetch_wasi_libc "$tools/wasi-libc" || return 1
    make_sysroot "$linkers" "$tools/wasi-libc"
    write_env "Debian packages, std built with the guests" <<END
export CARGO=/usr/bin/cargo
export RUSTC=/usr/bin/rustc
export RUSTC_BOOTSTRAP=1
export CARGO_ENCODED_RUSTFLAGS='--sysroot=$tools/sysroot'
guest_cargo_args=-Zbuild-std=std,panic_abort
END
}

choose_rust() {
    wanted=${GUEST_TOOLCHAIN:-any}
    if [ "$wanted" != debian ] && has rustc && has_targets rustc; then
        way="the current Rust toolchain has the WASI targets"
    elif [ "$wanted" != debian ] && has rustup && timeout "$rustup_patience" rustup target add wasm32-wasip1 wasm32-wasip2 >/dev/null 2>&1 && has_targets rustc; then
        way="rustup has added the WASI targets"
    elif [ "$wanted" != rust ] && rust_from_debian; then
        say "Rust: Debian's rustc with its sources of std"
        return 0
    else
        die "no way to compile Rust for wasm32-wasip2 works here; with a network, run: rustup target add wasm32-wasip1 wasm32-wasip2"
    fi
    say "Rust: $way"
    write_env "$way" <<END
export CARGO=cargo
guest_cargo_args=
END
}

clang_works() { printf 'int main(void){return 0;}' | clang --target=wasm32-wasi -x c - -o "$tools/probe.wasm" >/dev/null 2>&1; }

choose_c() {
    if clang_works; then
        say "C: clang for wasm32-wasi is here"
    elif [ "$(debian_codename)" = bookworm ] && apt_install clang lld wasi-libc libclang-rt-14-dev-wasm32 && clang_works; then
        say "C: clang from Debian"
    else
        say "C: no clang that can link for wasm32-wasi; the C guest is left out"
        echo "guest_c=no" >>"$env_file.part"
        return 0
    fi
    rm -f "$tools/probe.wasm"
    echo "guest_c=yes" >>"$env_file.part"
}

mkdir -p "$tools"
if [ -z "${GUEST_TOOLCHAIN:-}" ] && [ "$env_file" -nt "$0" ]; then
    say "ready ($(sed -n 2p "$env_file" | cut -c3-))"
    exit 0
fi
choose_rust
choose_c
mv "$env_file.part" "$env_file"
