//! Values put together of names that everybody knows: `python:3.12-slim-bookworm`, `aarch64-unknown-linux-gnu`, `text/html; charset=utf-8`.

use crate::rarity;
use std::collections::HashSet;
use std::sync::OnceLock;

/// Names of systems, processors, languages, tools, formats, algorithms, services and models: what says that a value is about something public.
const NAMES: &str = "
linux darwin windows macos freebsd netbsd openbsd dragonfly solaris illumos android ios tvos watchos wasi wasip wasm amd arm x86 x64 x32 i386 i486 i586 i686 aarch armv armhf
armel riscv riscv64gc ppc ppc64le powerpc powerpc64le s390x mips mipsel mips64el loongarch sparc sparcv unknown gnu musl msvc gnueabihf gnueabi musleabihf musleabi eabi eabihf gnux
win32 win64 wow64 cygwin mingw manylinux musllinux universal cp37 cp38 cp39 cp310 cp311 cp312 cp313 pp310 abi3 none
debian ubuntu alpine fedora centos rocky almalinux rhel suse opensuse arch archlinux gentoo nixos slackware buster bullseye bookworm trixie sid focal jammy noble bionic xenial stretch
busybox distroless chainguard raspbian kali amzn amazonlinux oracle oraclelinux photon cos bottlerocket
python cpython pypy node nodejs deno bun ruby rust rustc cargo golang java openjdk jdk jre temurin corretto dotnet aspnet php perl lua scala kotlin swift erlang elixir haskell ghc julia
typescript javascript ecmascript clojure fortran cobol pascal cuda opencl vulkan metal
nginx httpd apache caddy traefik haproxy envoy tomcat jetty postgres postgresql mysql mariadb sqlite mongodb mongo redis valkey memcached elasticsearch opensearch kibana grafana
prometheus loki influxdb cassandra couchdb neo4j clickhouse cockroachdb rabbitmq kafka zookeeper nats mosquitto minio vault consul etcd kubernetes kube k8s k3s docker containerd podman
buildkit helm istio terraform ansible jenkins gitlab github bitbucket gitea nextcloud wordpress keycloak sentry jaeger zipkin opentelemetry otel otlp
npm npx yarn pnpm pip pipx poetry conda maven gradle cmake ninja bazel gcc clang llvm msbuild webpack vite rollup esbuild babel eslint prettier jest mocha vitest pytest tox mypy
ruff black flake8 rubocop junit selenium playwright cypress storybook react vue angular svelte nextjs nuxt django flask fastapi uvicorn gunicorn rails laravel symfony spring springframework
hibernate express koa nestjs electron bash zsh dash fish ksh tmux vim nvim neovim emacs nano vscode xterm rxvt screen vt100 vt220 ansi konsole alacritty kitty wezterm iterm
mozilla gecko firefox chrome chromium applewebkit webkit safari khtml opera edg edge trident msie googlebot bingbot curl wget libcurl httpie okhttp axios aiohttp urllib requests
win nt macintosh intel mac os iphone ipad cpu mobile like compatible
json jsonl ndjson jsonrpc xml yaml toml csv tsv html xhtml css scss svg png jpeg jpg gif webp avif bmp tiff ico pdf rtf docx xlsx pptx odt epub zip gzip gz bzip2 bz2 xz zstd lz4 br
brotli deflate tar tgz wav mp3 mp4 mpeg ogg opus flac webm mkv avi mov woff woff2 ttf otf protobuf proto grpc msgpack cbor avro parquet sql graphql rss atom markdown asciidoc latex
mime multipart urlencoded octet sse wss websocket mqtt amqp ldap smtp smtps imap imaps pop3 ftp sftp ssh telnet dns dhcp ntp snmp http https h2 h2c h3 quic tcp udp icmp tls tlsv ssl sslv dtls
socks socks5 socks5h unixgram jdbc odbc
utf ascii iso ucs latin1 latin9 cp437 cp850 cp1252 windows1252 ebcdic koi8 gbk gb2312 gb18030 big5 euc jis sjis
aes des 3des rsa dsa ecdsa ed25519 ed448 x25519 x448 secp256k1 secp256r1 secp384r1 secp521r1 prime256v1 chacha20 poly1305 blowfish camellia rc4 gcm cbc ctr ecb ccm xts md5 sha sha1
sha224 sha256 sha384 sha512 blake2b blake2s blake3 ripemd160 crc32 crc32c xxhash siphash hmac hkdf pbkdf2 scrypt bcrypt argon2 argon2i argon2id ecdh ecdhe dhe ecdhx pss oaep pkcs pkcs1
pkcs7 pkcs8 pkcs12 x509 hs256 hs384 hs512 rs256 rs384 rs512 es256 es384 es512 ps256 eddsa jwt jws jwe jwk oauth oauth2 oidc saml totp hotp webauthn fido2 kerberos gssapi ntlm spnego
gpt claude sonnet opus haiku gemini gemma llama mistral mixtral codestral qwen deepseek phi bert roberta whisper dall embedding embeddings turbo davinci babbage ada titan nova command cohere
stable diffusion flux clip t5 bge nomic minilm instruct
aws amazon amazonaws azure gcp gce gke eks ecs ec2 s3 rds sqs sns lambda cloudfront cloudflare fastly akamai heroku netlify vercel digitalocean linode hetzner ovh scaleway vultr
googleapis gstatic google microsoft apple meta facebook twitter linkedin slack discord telegram stripe paypal twilio sendgrid mailgun openai anthropic huggingface ollama
usr bin sbin etc opt srv tmp var lib lib64 libexec libx32 share xdg pki site dist nologin lesspipe dev proc sys run mnt boot sbin snap nix homebrew linuxbrew
cuda rocm amdgpu nvidia geforce radeon ryzen xeon
org com net edu gov io www localdomain noreply xmx xms xss xxx classpath
ca crt pem cer cert certs conf cfg ini pid sock gcr ghcr quay ecr acr venv virtualenv pc lts eol xl mini chat vision audio realtime
cflags cxxflags cppflags ldflags rustflags goflags makeflags wl wall wextra werror fpic march mtune relro znow jvm xx xdg gnome kde xfce wayland x11 xorg dbus
useg1gc usezgc g1gc mingw64 jvm8 hotspot jre8 swing javac kotlinc
django celery sqlalchemy alembic jinja asgi wsgi gevent py rb js ts tsx jsx mjs cjs rs kt cs hs ex exs sh ps1 bat yml md txt log lock env
traceidratio parentbased always_on otelcol tracing traces spans hyper tokio tower axum actix rustls warp godebug deprecationwarning userwarning futurewarning runtimewarning
pendingdeprecationwarning resourcewarning http2client http2server xcode xcodebuild swiftpm cocoapods carthage simulator avd ndk sdk msys msys2
hashicorp tf hcl opentofu pulumi packer nomad s3a s3n glacier standard_ia onezone_ia reduced_redundancy
fra1 ams2 ams3 nyc1 nyc2 nyc3 sfo2 sfo3 sgp1 lon1 tor1 blr1 syd1 fsn1 nbg1 hel1 ash hil ewr ord dfw lax sjc sea iad pdx cdg fra ams lhr arn gru nrt hnd sin syd
centos8 el7 el8 el9 fc39 fc40 deb rpm apk dmg exe dll whl jar
ctype collate posix
";

/// Names for what has no name yet, and parts of such: `my-bucket`, `default_queue`, `app_production`.
const STAND_INS: [&str; 26] = [
    "my",
    "your",
    "example",
    "sample",
    "demo",
    "default",
    "dummy",
    "placeholder",
    "foo",
    "bar",
    "baz",
    "test",
    "testing",
    "app",
    "acme",
    "prod",
    "production",
    "staging",
    "development",
    "dev",
    "todo",
    "changeme",
    "template",
    "localhost",
    "local",
    "main",
];

/// What stands before a value that nobody else should have.
const SECRET_NAMES: [&str; 15] = [
    "password",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "secret",
    "token",
    "key",
    "apikey",
    "credential",
    "credentials",
    "auth",
    "bearer",
    "sig",
    "signature",
];

fn names() -> &'static HashSet<&'static str> {
    static NAMES_SET: OnceLock<HashSet<&'static str>> = OnceLock::new();
    NAMES_SET.get_or_init(|| NAMES.split_ascii_whitespace().collect())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Atom {
    Name,
    StandIn,
    Word,
    Number,
}

/// One word of the common ones, or two of them in one.
pub(super) fn is_word(text: &str) -> bool {
    matches!(atom(text), Some(Atom::Word))
}

/// A common word, or a name.
pub(super) fn is_usual_word(text: &str) -> bool {
    matches!(atom(text), Some(Atom::Word | Atom::Name | Atom::StandIn))
}

/// Anything that a usual value may be put together of.
pub(super) fn is_part(text: &str) -> bool {
    atom(text).is_some()
}

/// Whether all of a value is known, and enough of it by name.
pub(super) fn are_known(text: &str) -> bool {
    if has_secret(text) || text.chars().any(|c| matches!(c, '!' | '?' | '$' | '@' | '\\' | '`')) || text.contains("://")
    {
        return false;
    }
    let (mut names, mut stand_ins, mut words, mut numbers) = (0, 0, 0, 0);
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    for part in parts {
        match atom(part) {
            Some(Atom::Name) => names += 1,
            Some(Atom::StandIn) => stand_ins += 1,
            Some(Atom::Word) => words += 1,
            Some(Atom::Number) => numbers += 1,
            None => return false,
        }
    }
    let is_option = text.starts_with("--") && words > 0;
    if names > 0 || is_option {
        // A name among words is about something; words with a name somewhere in them may be anything. Versions have few numbers for each name.
        words + stand_ins <= 2 * names + if is_option { 6 } else { 1 } && numbers <= 4 * names.max(1)
    } else if stand_ins > 0 {
        words + stand_ins <= 4 && numbers <= 1
    } else {
        words == 1 && numbers == 0
    }
}

/// A secret's name with something after it.
pub(super) fn has_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_template = words.iter().any(|word| matches!(*word, "your" | "example" | "placeholder" | "changeme"));
    words.len() > 1 && !is_template && words.iter().any(|word| SECRET_NAMES.contains(word))
}

fn atom(part: &str) -> Option<Atom> {
    let lower = part.to_ascii_lowercase();
    let lower = lower.as_str();
    if names().contains(lower) {
        return Some(Atom::Name);
    }
    if STAND_INS.contains(&lower) {
        return Some(Atom::StandIn);
    }
    // Letters, then digits, then perhaps one more letter: `debian12`, `v3`, `4o`, `512m`.
    let letters = lower.find(|c: char| c.is_ascii_digit()).unwrap_or(lower.len());
    let (head, rest) = lower.split_at_checked(letters)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, tail) = rest.split_at_checked(digits)?;
    if tail.len() > 1 || digits.len() > 4 {
        return None;
    }
    match (head.len(), digits.len()) {
        (0, 1..) => (tail.is_empty() || digits.len() <= 3).then_some(Atom::Number),
        (1, 1..=3) => Some(Atom::Number),
        (2.., 1..=3) if names().contains(head) => Some(Atom::Name),
        (1, 0) => Some(Atom::Number),
        (2.., 0) if rarity::is_word(lower.as_bytes()) || is_two_words(lower) => Some(Atom::Word),
        _ => None,
    }
}

/// `linecount`: two common words of three letters and more.
fn is_two_words(text: &str) -> bool {
    const LEAST: usize = 3;
    (LEAST..=text.len().saturating_sub(LEAST)).any(|at| {
        let halves = text.split_at_checked(at);
        halves.is_some_and(|(a, b)| rarity::is_word(a.as_bytes()) && rarity::is_word(b.as_bytes()))
    }) && text.len() <= 16
}
