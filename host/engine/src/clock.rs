//! The tick that lets a running guest be interrupted: an epoch every 10 ms, only while something runs.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use wasmtime::Engine;

/// How often a running guest looks up. A deadline is kept to about this; shorter costs wake-ups, longer makes cancelling sluggish.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Ticks without a call before the thread parks. Waking it costs a call some microseconds: calls that follow one another should not pay
/// that each time, and an idle server should not wake up a hundred times a second for ever.
const LINGER: u32 = 100;

/// Ticks an engine while calls are in flight. Its thread ends with it.
#[derive(Debug)]
pub(crate) struct Ticker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    parked: bool,
    over: bool,
}

/// A call in flight.
#[derive(Debug)]
pub(crate) struct Running(Arc<Shared>);

impl Ticker {
    pub(crate) fn new(engine: &Engine) -> std::io::Result<Ticker> {
        let shared = Arc::new(Shared::default());
        let (ours, engine) = (Arc::clone(&shared), engine.clone());
        std::thread::Builder::new().name("epoch".to_owned()).stack_size(64 * 1024).spawn(move || {
            let mut idle = 0;
            loop {
                let mut state = ours.state.lock().unwrap_or_else(PoisonError::into_inner);
                idle = if state.running == 0 { idle + 1 } else { 0 };
                while state.running == 0 && idle > LINGER && !state.over {
                    state.parked = true;
                    state = ours.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.parked = false;
                }
                if state.over {
                    return;
                }
                drop(state);
                std::thread::sleep(TICK);
                engine.increment_epoch();
            }
        })?;
        Ok(Ticker(shared))
    }

    pub(crate) fn start(&self) -> Running {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running += 1;
        if state.parked {
            self.0.changed.notify_one();
        }
        drop(state);
        Running(Arc::clone(&self.0))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running = state.running.saturating_sub(1);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.0.changed.notify_one();
    }
}
