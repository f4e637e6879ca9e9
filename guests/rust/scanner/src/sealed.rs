//! What makes this component import nothing.
//!
//! Rust's std and its C library reach for streams, the environment and an exit on the paths of a panic, whether or not one can happen. Here
//! those functions are defined in the component itself, under the names by which the C library imports them, so that the linker finds no
//! reason to ask the host. Each of them stops the guest: a panic becomes a trap, and nothing else ever calls them.

macro_rules! sealed {
    ($($name:ident($($arg:ident),*) $(-> $result:ty)?;)*) => {$(
        // SAFETY: the name is the C library's own for an import; no other definition of it is linked.
        #[unsafe(no_mangle)]
        extern "C" fn $name($($arg: i32),*) $(-> $result)? {
            $(let _ = $arg;)*
            core::arch::wasm32::unreachable()
        }
    )*};
}

sealed! {
    __wasm_import_environment_get_environment(to);
    __wasm_import_environment_get_arguments(to);
    __wasm_import_exit_exit(status);
    __wasm_import_io_error_error_drop(handle);
    __wasm_import_poll_pollable_drop(handle);
    __wasm_import_poll_method_pollable_block(handle);
    __wasm_import_stdin_get_stdin() -> i32;
    __wasm_import_stdout_get_stdout() -> i32;
    __wasm_import_stderr_get_stderr() -> i32;
    __wasm_import_streams_input_stream_drop(handle);
    __wasm_import_streams_output_stream_drop(handle);
    __wasm_import_streams_method_output_stream_check_write(handle, to);
    __wasm_import_streams_method_output_stream_write(handle, from, length, to);
    __wasm_import_streams_method_output_stream_blocking_flush(handle, to);
    __wasm_import_streams_method_output_stream_subscribe(handle) -> i32;
    __wasm_import_terminal_input_terminal_input_drop(handle);
    __wasm_import_terminal_output_terminal_output_drop(handle);
    __wasm_import_terminal_stdin_get_terminal_stdin(to);
    __wasm_import_terminal_stdout_get_terminal_stdout(to);
    __wasm_import_terminal_stderr_get_terminal_stderr(to);
}
