//! What every end-to-end test stands on. A test builds a [`World`], runs the program in it and gets a [`Run`]:
//!
//! ```ignore
//! let world = World::new();                       // work/f, ro/f (hold world.inside), outside/canary (holds world.outside)
//! world.write("work/note", "text");               // more of it: write, dir, link; read and tree look at it afterwards
//! let run = world.perform(&["--allow-write={work}::/box"], json!([{"op": "open", "dir": "/box", "path": "f"}]));
//! run.exits(0).denied(&["fs.read no-grant /box/f"]);
//! assert_eq!(run.outcomes()[0]["ok"], true);
//! ```
//!
//! In flags `{work}`, `{ro}`, `{outside}` and `{world}` stand for host paths, in scripts and expectations `{inside}` and `{outside-canary}` for
//! the canaries, which are random in each world. [`World::customs`] is the program with other arguments; [`World::run`] is `customs run`
//! with a ledger and `-o json`. Nothing of the environment reaches the program but `PATH` and a cache directory that the tests share.
//!
//! Each [`Run`] has been checked already: no panic, no word of the outside canary in anything that was said or recorded, and a ledger, where there
//! is one, that `customs verify` calls ok. A test that expects otherwise says so before: [`Customs::unchecked`].
//!
//! What is on the other end of the network: [`servers`] and [`http2`], with [`certificates`] made for them. [`lab`] runs a guest in this process,
//! over a resolver of the test's own. [`watched`] looks at the program while it runs.
//!
//! Cases whose shape repeats are data in `fixtures/cases`: [`case::play`] runs a file of them.

pub mod case;
pub mod certificates;
mod customs;
pub mod http2;
pub mod http_client;
#[allow(dead_code, reason = "tests/oracle.rs uses the rest of it")]
mod inside;
pub mod lab;
pub mod mcp;
pub mod resolver;
mod run;
pub mod servers;
pub mod tree;
pub mod watched;
mod world;

pub use customs::Customs;
pub use run::Run;
pub use world::World;

use std::path::{Path, PathBuf};

/// The program under test.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_customs"))
}

/// The checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A guest as `make guests` left it, by its file name without `.wasm` (`puppet`, `hostile/spin`).
pub fn guest(name: &str) -> PathBuf {
    let path = checkout().join("guests/dist").join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing: run make guests", path.display());
    path
}

/// A directory of this test run's target folder, for what tests share (compiled guests).
pub fn shared_cache() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Random text that is nowhere by accident.
pub fn canary(label: &str) -> String {
    use std::io::Read as _;
    let mut bytes = [0; 12];
    std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    format!("{label}-{}", hex(&bytes))
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
