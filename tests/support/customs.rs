//! The program's command line.

use super::{Run, program, shared_cache};
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program, to be run. Its environment is empty but for what is set here.
pub struct Customs {
    pub command: Command,
    stdin: Vec<u8>,
    ledger: Option<PathBuf>,
    outside: String,
    checked: bool,
}

impl Customs {
    pub(super) fn new(outside: String) -> Customs {
        let mut command = Command::new(program());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("CUSTOMS_CACHE_DIR", shared_cache());
        Customs { command, stdin: Vec::new(), ledger: None, outside, checked: true }
    }

    /// A shell that does what is said, with the program as `$0`.
    pub fn shell(world: &super::World, script: &str) -> Customs {
        let mut customs = Customs::other(world, "/bin/sh");
        customs.command.arg("-c").arg(script).arg(program());
        customs
    }

    /// Another program, in the same environment.
    pub fn other(world: &super::World, program: &str) -> Customs {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("CUSTOMS_CACHE_DIR", shared_cache());
        Customs { command, ..Customs::new(world.outside.clone()) }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Customs {
        self.command.arg(argument);
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Customs {
        self.command.env(name, value);
        self
    }

    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Customs {
        self.stdin = bytes.into();
        self
    }

    pub fn cwd(mut self, directory: &Path) -> Customs {
        self.command.current_dir(directory);
        self
    }

    /// Writes a ledger, which is read and verified after the run.
    pub fn ledger(mut self, path: &Path) -> Customs {
        self.command.arg("--ledger").arg(path);
        self.ledger = Some(path.to_owned());
        self
    }

    /// Leaves what the run said and recorded to the test.
    pub fn unchecked(mut self) -> Customs {
        self.checked = false;
        self
    }

    pub fn run(mut self) -> Run {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = std::mem::take(&mut self.stdin);
        // The program may end without reading it all.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        let run = Run::new(output, self.ledger.as_deref());
        if self.checked {
            run.check(&self.outside, self.ledger.as_deref());
        }
        run
    }
}
