//! Calls of which nothing may come.

use amparo_core::device::{Device, Error};

use super::facts;

/// Runs calls that must all be refused, and proves that nothing came of them.
pub(crate) struct Refusals<'d> {
    pub(crate) device: &'d Device,
    before: u64,
    count: usize,
}

impl<'d> Refusals<'d> {
    pub(crate) fn new(device: &'d Device) -> Self {
        Self { device, before: facts(device), count: 0 }
    }

    pub(crate) fn refused<T>(&mut self, what: &str, result: Result<T, Error>) {
        let Err(error) = result else { panic!("{what} was taken") };
        assert!(!error.to_string().is_empty(), "{what}");
        let _ = error.kind();
        self.count += 1;
    }

    /// Taken or refused, but no fact.
    pub(crate) fn harmless<T>(&mut self, _what: &str, _result: Result<T, Error>) {
        self.count += 1;
    }

    pub(crate) fn end(self, what: &str) {
        assert_eq!(facts(self.device), self.before, "{what} left something behind");
        println!("{what}: {} calls, nothing changed", self.count);
        assert!(self.count > 0);
    }
}
