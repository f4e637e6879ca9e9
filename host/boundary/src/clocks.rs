//! `wasi:clocks`. Allowed and counted; with `--deny-clock` both clocks are made up, so that a run can be repeated. Times are not sources.

use crate::imports::Import;
use crate::state::View;
use customs_policy::{Clock, Request};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};

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
}

impl wall_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.count(Import::WallNow);
        match self.fixed("wall-clock.now")? {
            Some(nanos) => Ok(wall_clock::Datetime {
                seconds: self.guard.recorder.policy().clock_start() + nanos / 1_000_000_000,
                nanoseconds: u32::try_from(nanos % 1_000_000_000).unwrap_or(0),
            }),
            None => wall_clock::Host::now(&mut self.inner_clocks()),
        }
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.count(Import::WallResolution);
        wall_clock::Host::resolution(&mut self.inner_clocks())
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.count(Import::MonotonicNow);
        match self.fixed("monotonic-clock.now")? {
            Some(nanos) => Ok(nanos),
            None => monotonic_clock::Host::now(&mut self.inner_clocks()),
        }
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.count(Import::MonotonicResolution);
        monotonic_clock::Host::resolution(&mut self.inner_clocks())
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::SubscribeInstant);
        if self.guard.recorder.policy().clock() == Clock::Allowed {
            return monotonic_clock::Host::subscribe_instant(&mut self.inner_clocks(), when);
        }
        // The guest counts in made-up time: wait as long as is left of it, and let it have passed.
        let wait = when.saturating_sub(self.guard.fixed_clock);
        self.guard.fixed_clock = self.guard.fixed_clock.max(when);
        monotonic_clock::Host::subscribe_duration(&mut self.inner_clocks(), wait)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::SubscribeDuration);
        if self.guard.recorder.policy().clock() == Clock::Allowed {
            self.use_counted(&Request::Clock, "monotonic-clock.subscribe")?;
        } else {
            self.guard.fixed_clock = self.guard.fixed_clock.saturating_add(duration);
        }
        monotonic_clock::Host::subscribe_duration(&mut self.inner_clocks(), duration)
    }
}
