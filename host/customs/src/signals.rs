//! Signals that would end the program in the middle of a record.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Writing past a file size limit (`ulimit -f`) ends a process by default, and a guest that writes files could bring that about. With any
/// handler the write fails instead: the guest gets an error, and a ledger that cannot be written stops the call as it should.
pub(crate) fn outlive_file_size_limit() {
    // Without the handler the program still works, and still records nothing untrue: it is only killed.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false))).ok();
}
