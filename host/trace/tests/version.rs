//! Compiled code is kept under the version of the rewriter: when it writes something else, the version must be another.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use customs_trace::{Follow, VERSION, instrument};

/// Version, and what of one component is written by it with data followed, and with branches.
const WRITTEN: (u32, u64, u64) = (5, 13_722_347_748_632_976_808, 6_271_602_594_264_622_090);

const COMPONENT: &str = r#"(component
    (core module $code
        (memory (export "memory") 1)
        (global $top (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (drop (memory.grow (i32.const 0)))
            (global.set $top (i32.add (global.get $top) (local.get 3)))
            (i32.sub (global.get $top) (local.get 3)))
        (func $scaled (param i32 i64) (result i32) (local i32)
            (loop $again
                (if (i32.load8_u (local.get 0))
                    (then
                        (local.set 2 (i32.add (local.get 2) (select (local.get 0) (i32.const 7) (local.get 2))))
                        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                        (br $again))))
            (i32.mul (local.get 2) (i32.wrap_i64 (i64.shr_u (local.get 1) (i64.const 9)))))
        (func (export "run") (param i32 i32) (result i32)
            (memory.copy (i32.const 64) (local.get 0) (local.get 1))
            (i32.store8 (i32.const 32) (call $scaled (local.get 0) (i64.load (i32.const 64))))
            (i64.store (i32.const 24) (i64.const 0x1_0000_0020))
            (i32.const 24)))
    (core instance $made (instantiate $code))
    (func (export "run") (param "text" string) (result (list u8))
        (canon lift (core func $made "run") (memory $made "memory") (realloc (func $made "realloc")))))"#;

/// FNV-1a: bytes to a number that other bytes do not have by accident.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn what_is_written_changes_with_its_version() {
    let component = wat::parse_str(COMPONENT).unwrap();
    let written = |follow| number(&instrument(&component, follow).unwrap().component);
    let now = (VERSION, written(Follow::Data), written(Follow::Branches));
    assert_eq!(now, WRITTEN, "raise VERSION in host/trace/src/lib.rs, and put what is on the left here");
}
