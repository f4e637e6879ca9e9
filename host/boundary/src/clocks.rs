//! `wasi:clocks`. Allowed and counted; with `--deny-clock` both clocks are made up, so that a run can be repeated. Times are not sources.

use crate::imports::Import;
use crate::state::View;
use crate::tape::key;
use customs_policy::{Clock, Request};
use wasmtime::component::Resource;
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};

/// 2020-01-01T00:00:00Z: the wall clock of a run without one.
const FIXED_SECONDS: u64 = 1_577_836_800;
/// What a look at the fixed clock adds, so that a guest that waits for time to pass does not wait for ever.
const FIXED_STEP_NANOS: u64 = 1_000_000;

impl View<'_> {
    /// The made-up time in nanoseconds since the call began, or none where the real clocks are granted.
    fn fixed(&mut self, op: &'static str) -> wasmtime::Result<Option<u64>> {
        if self.guard.recorder.policy().clock() == Clock::Allowed {
            self.use_counted(&Request::Clock, op)?;
            return Ok(None);
        }
        self.guard.fixed_clock += FIXED_STEP_NANOS;
        Ok(Some(self.guard.fixed_clock))
    }

    /// A time for a look that the recording does not have: a little after the last.
    fn later(&mut self) -> u64 {
        if self.guard.recorder.tape().is_playing() {
            self.guard.fixed_clock = self.guard.fixed_clock.saturating_add(FIXED_STEP_NANOS);
        }
        self.guard.fixed_clock
    }

    /// Something that waits for time to pass. On a replay nothing does.
    fn timer(
        &mut self,
        make: impl FnOnce(&mut WasiClocksCtxView<'_>) -> wasmtime::Result<Resource<DynPollable>>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let pollable = make(&mut self.inner_clocks())?;
        self.guard.waits.timer(pollable.rep());
        Ok(pollable)
    }
}

impl wall_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.count(Import::WallNow);
        match self.fixed("wall-clock.now")? {
            Some(nanos) => Ok(wall_clock::Datetime {
                seconds: FIXED_SECONDS + nanos / 1_000_000_000,
                nanoseconds: u32::try_from(nanos % 1_000_000_000).unwrap_or(0),
            }),
            None => {
                let (tape, later) = (self.guard.recorder.tape().clone(), self.later());
                let absent = || {
                    Ok(wall_clock::Datetime {
                        seconds: FIXED_SECONDS + later / 1_000_000_000,
                        nanoseconds: u32::try_from(later % 1_000_000_000).unwrap_or(0),
                    })
                };
                let now = || wall_clock::Host::now(&mut self.inner_clocks());
                tape.effect_or(key!("clock.wall"), now, absent)
            }
        }
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.count(Import::WallResolution);
        let tape = self.guard.recorder.tape().clone();
        tape.effect(key!("clock.wall-resolution"), || wall_clock::Host::resolution(&mut self.inner_clocks()))
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.count(Import::MonotonicNow);
        match self.fixed("monotonic-clock.now")? {
            Some(nanos) => Ok(nanos),
            None => {
                let (tape, later) = (self.guard.recorder.tape().clone(), self.later());
                let now = || monotonic_clock::Host::now(&mut self.inner_clocks());
                let now = tape.effect_or(key!("clock.monotonic"), now, || Ok(later));
                if let (true, Ok(now)) = (tape.is_playing(), &now) {
                    self.guard.fixed_clock = self.guard.fixed_clock.max(*now);
                }
                now
            }
        }
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.count(Import::MonotonicResolution);
        let tape = self.guard.recorder.tape().clone();
        tape.effect(key!("clock.resolution"), || monotonic_clock::Host::resolution(&mut self.inner_clocks()))
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::SubscribeInstant);
        if self.guard.recorder.policy().clock() == Clock::Allowed {
            return self.timer(|clocks| monotonic_clock::Host::subscribe_instant(clocks, when));
        }
        // The guest counts in made-up time: wait as long as is left of it, and let it have passed.
        let wait = when.saturating_sub(self.guard.fixed_clock);
        self.guard.fixed_clock = self.guard.fixed_clock.max(when);
        self.timer(|clocks| monotonic_clock::Host::subscribe_duration(clocks, wait))
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::SubscribeDuration);
        if self.guard.recorder.policy().clock() == Clock::Allowed {
            self.use_counted(&Request::Clock, "monotonic-clock.subscribe")?;
        } else {
            self.guard.fixed_clock = self.guard.fixed_clock.saturating_add(duration);
        }
        self.timer(|clocks| monotonic_clock::Host::subscribe_duration(clocks, duration))
    }
}
