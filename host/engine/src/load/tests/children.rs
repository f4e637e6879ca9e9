//! The compiling child: the test program itself, started again. What it does, and what happens to it.

use std::cell::Cell;
use std::io::{self, Seek};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::super::limits::CompileBounds;
use super::super::{Allocation, Cache, Compiler, ErrorKind, Fuel, LoadError, Loaded, Wasm, child_main, engine};
use super::{add, adder, around, from_text, functions, ignore, limit_of, load, refused, temporary};

/// The child. As a test of its own it does nothing: its standard output is not a file.
#[test]
#[ignore = "started by the other tests"]
fn child_entry() {
    let stdout = io::stdout().as_fd().try_clone_to_owned().unwrap();
    let mut code = std::fs::File::from(stdout);
    if !code.metadata().unwrap().is_file() {
        return;
    }
    // The test harness has printed a line already.
    code.set_len(0).unwrap();
    code.rewind().unwrap();
    let ended = child_main(&mut io::stdin().lock(), &mut code, &mut io::stderr().lock());
    std::process::exit(if ended == ExitCode::SUCCESS { 0 } else { 2 });
}

fn entry(name: &str) -> (PathBuf, Vec<std::ffi::OsString>) {
    let module = module_path!().split_once("::").unwrap().1;
    let test = format!("{module}::{name}");
    let args = ["--exact", &test, "--ignored", "--nocapture", "--test-threads=1"];
    (std::env::current_exe().unwrap(), args.map(Into::into).to_vec())
}

fn child() -> Compiler {
    let (program, args) = entry("child_entry");
    Compiler::Child { program, args }
}

fn in_child(bounds: CompileBounds, bytes: Vec<u8>, on_slow: &dyn Fn(Duration)) -> Result<Loaded, LoadError> {
    let engine = engine(Fuel::Off, Allocation::OnDemand)?;
    child().load_within(bounds, &engine, None, &Wasm::from_bytes(bytes, "tool.wasm")?, on_slow)
}

/// Valid, below every count, and tens of seconds of work: many functions of some size.
fn slow_to_compile() -> Vec<u8> {
    // if (1 == 1) {} and again: blocks and branches.
    let code = [0x41, 1, 0x41, 1, 0x46, 0x04, 0x40, 0x0b].repeat(40);
    around(&functions(150_000, &code))
}

#[test]
fn child_compiles_code_that_runs() {
    for fuel in [Fuel::Off, Fuel::Counted] {
        let engine = engine(fuel, Allocation::OnDemand).unwrap();
        let loaded = child().load(&engine, None, &adder(), &ignore).unwrap();
        assert_eq!(add(&loaded), 42);
        assert!(!loaded.from_cache);
    }
}

#[test]
fn child_fills_the_cache_that_this_process_reads() {
    let (_holder, dir) = temporary();
    let cache = Cache::open(dir).unwrap();
    let engine = engine(Fuel::Off, Allocation::OnDemand).unwrap();
    let first = child().load(&engine, Some(&cache), &adder(), &ignore).unwrap();
    assert_eq!((first.from_cache, first.cache_warning,), (false, None));
    let second = Compiler::InProcess.load(&engine, Some(&cache), &adder(), &ignore).unwrap();
    assert!(second.from_cache);
    assert_eq!(add(&second), 42);
}

#[test]
fn child_refusals_read_the_same_as_in_process() {
    for bytes in [
        from_text(r#"(module (import "env" "system" (func)) (func (export "_start")))"#),
        around(&functions(300_000, &[])),
        super::component(&[vec![1, 0xff]]),
    ] {
        let here = refused(load(bytes.clone()));
        let there = refused(in_child(CompileBounds::default(), bytes, &ignore));
        assert_eq!((here.kind(), here.to_string()), (there.kind(), there.to_string()));
    }
}

#[test]
fn child_that_takes_too_long_is_ended_at_its_deadline() {
    let bounds = CompileBounds { deadline: Duration::from_millis(700), ..CompileBounds::default() };
    let ticks = Cell::new(0);
    let bytes = slow_to_compile();
    let began = Instant::now();
    let error = refused(in_child(bounds, bytes, &|_| ticks.set(ticks.get() + 1)));
    assert_eq!(limit_of(&error), "compile-time");
    assert_eq!(error.to_string(), "tool.wasm took longer than 0.7s to compile");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(ticks.get() >= 1);
}

#[test]
fn child_that_needs_too_much_memory_is_ended() {
    let bounds = CompileBounds { memory: 160 << 20, ..CompileBounds::default() };
    assert!(in_child(bounds, adder().bytes().to_vec(), &ignore).is_ok(), "a small one fits");
    let error = refused(in_child(bounds, slow_to_compile(), &ignore));
    assert_eq!(limit_of(&error), "compile-memory");
    assert_eq!(error.to_string(), "tool.wasm needed more than 160 MiB to compile");
}

#[test]
fn child_bombs_inside_one_function_end_within_bounds() {
    let bounds = CompileBounds { deadline: Duration::from_secs(5), ..CompileBounds::default() };
    let nested_blocks = [[0x02, 0x40].repeat(50_000), vec![0x0b; 50_000]].concat();
    let targets = [vec![0x41, 0, 0x0e], super::number(1_000_000), vec![0; 1_000_001]].concat();
    for code in [nested_blocks, targets] {
        let began = Instant::now();
        if let Err(error) = in_child(bounds, around(&functions(1, &code)), &ignore) {
            refused(Err(error));
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}

#[test]
fn child_program_that_is_missing_is_our_own_fault() {
    let compiler = Compiler::Child { program: "/nonexistent/customs".into(), args: Vec::new() };
    let engine = engine(Fuel::Off, Allocation::OnDemand).unwrap();
    let error = compiler.load(&engine, None, &adder(), &ignore).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.to_string().starts_with("adder.wasm cannot be compiled"), "{error}");
}

#[test]
fn child_that_gives_no_code_or_no_reason_is_reported() {
    let engine = engine(Fuel::Off, Allocation::OnDemand).unwrap();
    for (program, expected) in [("/bin/true", "cannot be loaded"), ("/bin/false", "exit code 1")] {
        let compiler = Compiler::Child { program: program.into(), args: Vec::new() };
        let text = compiler.load(&engine, None, &adder(), &ignore).unwrap_err().to_string();
        assert!(text.contains(expected) && !text.contains('\n'), "{text}");
    }
}

#[test]
fn child_main_on_anything_but_a_request_complains_and_compiles_nothing() {
    for input in [&b""[..], b"hello\n", b"customs-compile/1 7 1 1\n", &[0xff; 1_000], b"customs-compile/1 0 x 1\n"] {
        let (mut code, mut complaint) = (Vec::new(), Vec::new());
        let ended = child_main(&mut &input[..], &mut code, &mut complaint);
        assert_ne!(ended, ExitCode::SUCCESS);
        assert!(code.is_empty());
        assert!(String::from_utf8(complaint).unwrap().starts_with("customs-compile/1 internal "));
    }
}

/// Runs in a process of its own, since it limits the address space.
#[test]
#[ignore = "started by engine_without_address_space_allocates_on_demand"]
fn small_address_space_entry() {
    let limit = rustix::process::Rlimit { current: Some(8 << 30), maximum: Some(8 << 30) };
    rustix::process::setrlimit(rustix::process::Resource::As, limit).unwrap();
    let engine = engine(Fuel::Off, Allocation::Pooling).unwrap();
    assert!(engine.get_pooling_config().is_none());
}

#[test]
fn engine_without_address_space_allocates_on_demand() {
    let (program, args) = entry("small_address_space_entry");
    let output = std::process::Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let pooling = engine(Fuel::Off, Allocation::Pooling).unwrap();
    assert!(pooling.get_pooling_config().is_some(), "with address space there is a pool");
}
