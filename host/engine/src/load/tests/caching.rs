//! The cache: used when nobody else can have written it, and only for the same bytes and configuration.

use super::super::{Allocation, Cache, Compiler, ErrorKind, Fuel, Loaded, Wasm, engine};
use super::{Dir, Permissions, PermissionsExt, add, adder, from_text, ignore, temporary};

fn cached(dir: &Dir, fuel: Fuel, wasm: &Wasm) -> Loaded {
    let cache = Cache::open(dir.try_clone().unwrap()).unwrap();
    let loaded =
        Compiler::InProcess.load(&engine(fuel, Allocation::OnDemand).unwrap(), Some(&cache), wasm, &ignore).unwrap();
    assert_eq!(loaded.cache_warning, None);
    loaded
}

fn load_adder(dir: &Dir) -> bool {
    let loaded = cached(dir, Fuel::Off, &adder());
    assert_eq!(add(&loaded), 42);
    loaded.from_cache
}

fn names(dir: &Dir) -> Vec<String> {
    dir.entries().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A directory with the adder's code in one file.
fn filled() -> (tempfile::TempDir, Dir, String) {
    let (holder, dir) = temporary();
    assert!(!load_adder(&dir));
    let name = names(&dir).pop().unwrap();
    (holder, dir, name)
}

/// The file is passed over, and replaced by one that is used.
fn is_replaced(dir: &Dir) {
    assert!(!load_adder(dir), "the file was used");
    assert!(load_adder(dir), "the file was not replaced");
}

#[test]
fn cache_second_load_is_a_hit_that_runs() {
    let (_holder, dir, name) = filled();
    assert!(load_adder(&dir));
    assert_eq!(names(&dir), std::slice::from_ref(&name), "no drafts are left");
    let mode = dir.metadata(name).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn cache_hit_survives_a_pooling_engine() {
    let (_holder, dir, _) = filled();
    let cache = Cache::open(dir).unwrap();
    let pooling = engine(Fuel::Off, Allocation::Pooling).unwrap();
    let loaded = Compiler::InProcess.load(&pooling, Some(&cache), &adder(), &ignore).unwrap();
    assert!(loaded.from_cache);
    assert_eq!(add(&loaded), 42);
}

#[test]
fn cache_other_configuration_is_a_miss() {
    let (_holder, dir, _) = filled();
    let counted = cached(&dir, Fuel::Counted, &adder());
    assert!(!counted.from_cache);
    assert_eq!(add(&counted), 42);
    assert_eq!(names(&dir).len(), 2);
    assert!(load_adder(&dir), "the first is still there");
}

#[test]
fn cache_other_bytes_are_a_miss() {
    let (_holder, dir, _) = filled();
    let other = Wasm::from_bytes(from_text("(component)"), "other.wasm").unwrap();
    assert!(!cached(&dir, Fuel::Off, &other).from_cache);
    assert!(cached(&dir, Fuel::Off, &other).from_cache);
}

#[test]
fn cache_adapted_module_is_a_hit_too() {
    let (_holder, dir) = temporary();
    let command = Wasm::from_bytes(from_text(super::adapting::COMMAND), "command.wasm").unwrap();
    assert!(!cached(&dir, Fuel::Off, &command).from_cache);
    assert!(cached(&dir, Fuel::Off, &command).from_cache);
}

#[test]
fn cache_directory_open_to_others_is_not_used() {
    let (_holder, dir) = temporary();
    for mode in [0o755, 0o710, 0o701, 0o770] {
        dir.set_permissions(".", Permissions::from_mode(mode)).unwrap();
        let error = Cache::open(dir.try_clone().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().contains(&format!("mode 0{mode:o}")), "{error}");
    }
    dir.set_permissions(".", Permissions::from_mode(0o700)).unwrap();
    assert!(Cache::open(dir).is_ok());
}

#[test]
fn cache_file_open_to_others_is_replaced() {
    let (_holder, dir, name) = filled();
    for mode in [0o644, 0o660, 0o606] {
        dir.set_permissions(&name, Permissions::from_mode(mode)).unwrap();
        is_replaced(&dir);
    }
}

#[test]
fn cache_file_that_is_a_symbolic_link_is_replaced() {
    let (_holder, dir, name) = filled();
    dir.rename(&name, &dir, "elsewhere").unwrap();
    dir.symlink("elsewhere", &name).unwrap();
    is_replaced(&dir);
    assert!(dir.symlink_metadata(&name).unwrap().is_file());
}

#[test]
fn cache_file_with_a_second_name_is_replaced() {
    let (_holder, dir, name) = filled();
    dir.hard_link(&name, &dir, "elsewhere").unwrap();
    is_replaced(&dir);
}

#[test]
fn cache_file_of_another_user_is_replaced() {
    let (_holder, dir, name) = filled();
    let file = dir.open(&name).unwrap();
    let other = rustix::fs::Uid::from_raw(12_345);
    // Only root can give files away; the check is the same one that refuses foreign directories.
    if rustix::fs::fchown(&file, Some(other), None).is_ok() {
        is_replaced(&dir);
    }
}

#[test]
fn cache_file_that_is_no_code_is_replaced() {
    let (_holder, dir, name) = filled();
    for junk in [&b""[..], b"junk", &[0; 4096]] {
        dir.write(&name, junk).unwrap();
        is_replaced(&dir);
    }
}

#[test]
fn cache_file_that_is_a_directory_does_not_stop_the_load() {
    let (_holder, dir, name) = filled();
    dir.remove_file(&name).unwrap();
    dir.create_dir(&name).unwrap();
    let cache = Cache::open(dir).unwrap();
    let engine = engine(Fuel::Off, Allocation::OnDemand).unwrap();
    let loaded = Compiler::InProcess.load(&engine, Some(&cache), &adder(), &ignore).unwrap();
    assert_eq!(add(&loaded), 42);
    assert!(loaded.cache_warning.unwrap().contains("not kept"));
}

#[test]
fn cache_directory_that_vanished_does_not_stop_the_load() {
    let (holder, dir) = temporary();
    let cache = Cache::open(dir).unwrap();
    holder.close().unwrap();
    let engine = engine(Fuel::Off, Allocation::OnDemand).unwrap();
    let loaded = Compiler::InProcess.load(&engine, Some(&cache), &adder(), &ignore).unwrap();
    assert_eq!(add(&loaded), 42);
    assert!(loaded.cache_warning.is_some() && !loaded.from_cache);
}

#[test]
fn cache_over_its_size_forgets_the_oldest_first() {
    let (_holder, dir, name) = filled();
    let plant = |name: &str, bytes: u64| {
        let file = dir.create(name).unwrap();
        file.set_len(bytes).unwrap();
        file.into_std()
    };
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000);
    plant("oldest.code", 900 << 20).set_modified(long_ago).unwrap();
    plant("recent.code", 200 << 20);
    plant("draft-stale", 1).set_modified(long_ago).unwrap();
    plant("draft-fresh", 1);
    plant("unrelated", 1).set_modified(long_ago).unwrap();
    // Storing something is when the cache is trimmed.
    cached(&dir, Fuel::Counted, &adder());
    let left = names(&dir);
    let has = |name: &str| left.iter().any(|left| left == name);
    assert!(has("recent.code") && has("draft-fresh") && has("unrelated") && has(&name), "{left:?}");
    assert!(!has("oldest.code") && !has("draft-stale"), "{left:?}");
}
