//! What tools may be made of.

use super::{from_text, load, refused};

fn module(text: &str) -> Vec<u8> {
    from_text(&format!("(component (core module $m {text}) (core instance (instantiate $m)))"))
}

#[test]
fn features_of_ordinary_toolchains_are_loaded() {
    for text in [
        "(func (drop (i8x16.splat (i32.const 1))))",
        "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)))",
        "(func (result i32 i32) (i32.const 1) (i32.const 2))",
        "(table 1 funcref) (func (drop (ref.null func)))",
        "(func $f (return_call $f))",
    ] {
        assert!(load(module(text)).is_ok(), "{text}");
    }
}

#[test]
fn features_that_nobody_asked_for_are_refused() {
    for text in [
        "(memory 1 1 shared)",
        "(memory i64 1)",
        "(tag)",
        "(type (struct))",
        "(func (param externref))",
        "(func (drop (ref.i31 (i32.const 1))))",
        "(memory 1 (pagesize 1))",
    ] {
        let error = refused(load(module(text)));
        assert_eq!(error.kind(), super::ErrorKind::Refused, "{text}: {error}");
    }
    for text in ["(component (core func (canon task.return)))", "(component (type (stream u8)))"] {
        refused(load(from_text(text)));
    }
}
