//! The program while it runs, as the kernel sees it: memory and open files.

use super::{Customs, Run, World, guest, program};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

/// The most that was seen of a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peak {
    /// Resident memory, in KiB. The kernel keeps this one itself.
    pub memory: u64,
    /// Open file descriptors, looked at every few milliseconds.
    pub files: usize,
    pub threads: u64,
}

/// A script for the puppet that is too long for a command line: in a file, not on the standard input that [`watched`] closes.
pub fn long_script(world: &World, flags: &[&str], script: &Value) -> Customs {
    world.write("script.json", json!({ "script": script.to_string() }).to_string());
    world.dir("ledgers");
    let ledger = (0..).map(|n| world.path(&format!("ledgers/long-{n}.jsonl"))).find(|path| !path.exists()).unwrap();
    let puppet = guest("puppet");
    let fixed = ["run", puppet.to_str().unwrap(), "perform", "--args", "@script.json", "-o", "json"];
    world.customs(&[&fixed[..], flags].concat()).ledger(&ledger)
}

/// Runs the program, with no standard input, and looks at it until it ends. A run that was over before anybody looked is made once more.
pub fn watched(world: &World, customs: impl Fn() -> Customs) -> (Run, Peak) {
    let mut runs = (0..10).map(|_| watch(world, customs()));
    runs.find(|(_, peak)| peak.memory > 0 && peak.files > 0).expect("something is seen of a run")
}

fn watch(world: &World, mut customs: Customs) -> (Run, Peak) {
    let ledger = customs.command.get_args().skip_while(|argument| *argument != "--ledger").nth(1).map(PathBuf::from);
    customs.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = customs.command.spawn().unwrap();
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let program = program().canonicalize().unwrap();
    let output = std::thread::spawn(move || child.wait_with_output().unwrap());
    let mut peak = Peak::default();
    // A process that has ended has no program any more.
    while let Ok(exe) = process.join("exe").read_link() {
        // Until it is the program it is a copy of the test's own process.
        if exe != program {
            std::thread::yield_now();
            continue;
        }
        let Ok(status) = std::fs::read_to_string(process.join("status")) else { break };
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        peak.memory = peak.memory.max(number("VmHWM:").unwrap_or(0));
        peak.threads = peak.threads.max(number("Threads:").unwrap_or(0));
        peak.files = peak.files.max(process.join("fd").read_dir().map_or(0, Iterator::count));
        std::thread::sleep(Duration::from_millis(2));
    }
    let run = Run::new(output.join().unwrap(), ledger.as_deref());
    run.check(&world.outside, ledger.as_deref());
    (run, peak)
}
