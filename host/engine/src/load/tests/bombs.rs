//! Small files that ask for much: refused by a named limit before the compiler sees them, each with a twin of the
//! same shape that is loaded.

use std::time::{Duration, Instant};

use super::super::{LoadError, Loaded};
use super::{around, component, core_module, functions, limit_of, load, number, refused, repeated, section};

/// Loads a bomb; refusing must be quick.
fn bomb(bytes: Vec<u8>) -> LoadError {
    let began = Instant::now();
    let error = refused(load(bytes));
    assert!(began.elapsed() < Duration::from_secs(5), "took {:?}: {error}", began.elapsed());
    error
}

fn fine(bytes: Vec<u8>) -> Loaded {
    load(bytes).unwrap()
}

#[test]
fn bomb_of_a_million_functions_is_refused() {
    fine(around(&functions(100, &[])));
    assert_eq!(limit_of(&bomb(around(&functions(1_000_000, &[])))), "functions");
}

#[test]
fn bomb_of_functions_spread_over_modules_is_refused_by_their_sum() {
    let module = section(1, &functions(150_000, &[]));
    assert_eq!(limit_of(&bomb(component(&[module.clone(), module]))), "functions");
}

#[test]
fn bomb_of_one_function_of_three_megabytes_is_refused() {
    let nops = |count| vec![0x01; count];
    fine(around(&functions(1, &nops(100_000))));
    assert_eq!(limit_of(&bomb(around(&functions(1, &nops(3 << 20))))), "function-body");
}

#[test]
fn bomb_of_a_million_locals_is_refused() {
    let with_locals = |count: u32| {
        let body = [vec![1], number(count), vec![0x7f, 0x0b]].concat();
        let entry = [number(u32::try_from(body.len()).unwrap()), body].concat();
        around(&core_module(&[section(1, &[1, 0x60, 0, 0]), repeated(3, 1, &[0]), repeated(10, 1, &entry)]))
    };
    fine(with_locals(1_000));
    assert!(bomb(with_locals(1_000_000)).to_string().contains("locals"));
}

#[test]
fn bomb_of_large_data_segments_is_refused() {
    let with_data = |size: usize| {
        let segment = [vec![1], number(u32::try_from(size).unwrap()), vec![0; size]].concat();
        around(&core_module(&[repeated(11, 1, &segment)]))
    };
    fine(with_data(1 << 20));
    assert_eq!(limit_of(&bomb(with_data((128 << 20) + 1))), "data");
}

#[test]
fn bomb_of_table_elements_is_refused() {
    let with_elements = |count: u32| {
        let segment = [vec![1, 0], number(count), vec![0; usize::try_from(count).unwrap()]].concat();
        around(&core_module(&[
            section(1, &[1, 0x60, 0, 0]),
            repeated(3, 1, &[0]),
            repeated(9, 1, &segment),
            repeated(10, 1, &[2, 0, 0x0b]),
        ]))
    };
    fine(with_elements(1_000));
    assert_eq!(limit_of(&bomb(with_elements(2_000_000))), "elements");
}

#[test]
fn bomb_of_nested_components_is_refused_at_any_depth() {
    let nested = |depth: usize| (0..depth).fold(component(&[]), |inner, _| component(&[section(4, &inner)]));
    fine(nested(10));
    assert_eq!(limit_of(&bomb(nested(65))), "nesting");
    assert_eq!(limit_of(&bomb(nested(1_000))), "nesting");
}

#[test]
fn bomb_of_fifty_thousand_exports_is_refused() {
    let with_exports = |count: u32| {
        let exports: Vec<u8> = (0..count)
            .flat_map(|index| {
                let name = format!("tool{index}");
                // A function export of the one lifted function.
                [vec![0, u8::try_from(name.len()).unwrap()], name.into_bytes(), vec![1, 0, 0]].concat()
            })
            .collect();
        let module = core_module(&[
            section(1, &[1, 0x60, 0, 0]),
            repeated(3, 1, &[0]),
            section(7, &[1, 1, b'f', 0, 0]),
            repeated(10, 1, &[2, 0, 0x0b]),
        ]);
        component(&[
            section(1, &module),
            section(2, &[1, 0, 0, 0]),
            section(6, &[1, 0, 0, 1, 0, 1, b'f']),
            section(7, &[1, 0x40, 0, 1, 0]),
            section(8, &[1, 0, 0, 0, 0, 0]),
            section(11, &[number(count), exports].concat()),
        ])
    };
    fine(with_exports(20));
    assert_eq!(limit_of(&bomb(with_exports(50_000))), "exports");
}

#[test]
fn bomb_of_a_long_type_chain_is_refused() {
    let chain = |length: u32| {
        let links: Vec<u8> = (1..length).flat_map(|index| [vec![0x70], number(index - 1)].concat()).collect();
        component(&[section(7, &[number(length), vec![0x7d], links].concat())])
    };
    fine(chain(50));
    bomb(chain(50_000));
    assert_eq!(limit_of(&bomb(chain(200_000))), "types");
}
