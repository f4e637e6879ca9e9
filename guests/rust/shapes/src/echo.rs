//! The echoes.

use crate::{
    Shapes,
    bindings::exports::customs::shapes::echo::{Access, Drawing, Guest, Many, Metres, Part, Point, Style},
};

type Results = (Result<u32, String>, Result<(), ()>, Result<(), String>, Result<u32, ()>);

macro_rules! echo {
    ($($name:ident: $type:ty),+ $(,)?) => {
        $(fn $name(value: $type) -> $type {
            value
        })+
    };
}

impl Guest for Shapes {
    echo! {
        echo_bool: bool,
        echo_s8: i8,
        echo_s16: i16,
        echo_s32: i32,
        echo_s64: i64,
        echo_u8: u8,
        echo_u16: u16,
        echo_u32: u32,
        echo_u64: u64,
        echo_f32: f32,
        echo_f64: f64,
        echo_char: char,
        echo_string: String,
        echo_bytes: Vec<u8>,
        echo_list_u32: Vec<u32>,
        echo_list_u64: Vec<u64>,
        echo_list_string: Vec<String>,
        echo_list_list: Vec<Vec<i16>>,
        echo_option: Option<String>,
        echo_option_option: Option<Option<u32>>,
        echo_list_option: Vec<Option<bool>>,
        echo_result: Result<u32, String>,
        echo_tuple_result: Results,
        echo_tuple: (u8, String, bool),
        echo_record: Point,
        echo_drawing: Drawing,
        echo_variant: Part,
        echo_enum: Style,
        echo_flags: Access,
        echo_many_flags: Many,
        echo_alias: Metres,
        echo_map_like: Vec<(String, u32)>,
    }

    fn echo_seventeen(
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        o: u8,
        p: u8,
        q: u8,
    ) -> Vec<u8> {
        vec![a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]
    }

    fn echo_optional(a: Option<u32>, b: Option<String>) -> (Option<u32>, Option<String>) {
        (a, b)
    }
}
