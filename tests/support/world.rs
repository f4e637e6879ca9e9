//! A world: a directory of its own with things inside and outside the grants.

use super::tree::Tree;
use super::{Customs, Run, canary, guest};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub struct World {
    root: tempfile::TempDir,
    /// In `work/f` and `ro/f`: a granted tool may see it.
    pub inside: String,
    /// In `outside/canary`: it must never be seen.
    pub outside: String,
}

impl World {
    /// `work` and `ro` to be granted, `outside` beside them.
    pub fn new() -> World {
        let root = tempfile::Builder::new().prefix("customs-world-").tempdir().unwrap();
        let world = World { root, inside: canary("INSIDE"), outside: canary("OUTSIDE") };
        world.write("work/f", &world.inside);
        world.write("ro/f", &world.inside);
        world.write("outside/canary", &world.outside);
        world
    }

    /// The real path of something in the world. `""` is the world itself.
    pub fn path(&self, relative: &str) -> PathBuf {
        let root = self.root.path().canonicalize().unwrap();
        if relative.is_empty() { root } else { root.join(relative) }
    }

    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn dir(&self, relative: &str) {
        std::fs::create_dir_all(self.path(relative)).unwrap();
    }

    /// A symbolic link. Its target is kept as written, but for `{world}`.
    pub fn link(&self, relative: &str, target: &str) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(self.fill(target), path).unwrap();
    }

    pub fn read(&self, relative: &str) -> Vec<u8> {
        let path = self.path(relative);
        std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub fn exists(&self, relative: &str) -> bool {
        self.path(relative).symlink_metadata().is_ok()
    }

    /// Everything below a directory of the world, as it is now.
    pub fn tree(&self, relative: &str) -> Tree {
        Tree::of(&self.path(relative))
    }

    /// Puts host paths and canaries into a text.
    pub fn fill(&self, text: &str) -> String {
        let root = self.path("");
        let root = root.to_str().unwrap();
        text.replace("{work}", &format!("{root}/work"))
            .replace("{ro}", &format!("{root}/ro"))
            .replace("{outside}", &format!("{root}/outside"))
            .replace("{world}", root)
            .replace("{inside}", &self.inside)
            .replace("{outside-canary}", &self.outside)
    }

    /// The program, with nothing but what is given here. Arguments are filled.
    pub fn customs(&self, arguments: &[&str]) -> Customs {
        let mut customs = Customs::new(self.outside.clone());
        for argument in arguments {
            customs = customs.arg(self.fill(argument));
        }
        customs.cwd(&self.path(""))
    }

    /// `customs run COMPONENT TOOL`, with a ledger and `-o json`.
    pub fn run(&self, component: &Path, tool: &str, arguments: &Value, flags: &[&str]) -> Customs {
        let ledger = self.fresh_ledger();
        let mut customs = Customs::new(self.outside.clone()).arg("run").arg(component).arg(tool);
        if arguments.to_string().len() < 100_000 {
            customs = customs.arg("--args").arg(arguments.to_string());
        } else {
            customs = customs.arg("--args").arg("-").stdin(arguments.to_string());
        }
        for flag in flags {
            customs = customs.arg(self.fill(flag));
        }
        customs.arg("-o").arg("json").ledger(&ledger).cwd(&self.path(""))
    }

    /// Runs a script on the puppet and looks that the program did not fail.
    pub fn perform(&self, flags: &[&str], script: Value) -> Run {
        self.script(flags, script).run()
    }

    /// The same, before it runs.
    pub fn script(&self, flags: &[&str], script: Value) -> Customs {
        let script = self.fill(&script.to_string());
        self.run(&guest("puppet"), "perform", &json!({ "script": script }), flags)
    }

    fn fresh_ledger(&self) -> PathBuf {
        self.dir("ledgers");
        (0..).map(|n| self.path(&format!("ledgers/{n}.jsonl"))).find(|p| !p.exists()).unwrap()
    }
}
