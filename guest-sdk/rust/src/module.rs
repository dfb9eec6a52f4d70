//! A module as the host sees it: functions by index. Only compiled into modules, by
//! [`crate::module!`].

use std::cell::RefCell;

use crate::bindings::exports::tidemill::operator::aggregate::{self, Accumulated};
use crate::bindings::exports::tidemill::operator::process::{self, Due, Held, Processed};
use crate::bindings::exports::tidemill::operator::watermark::{self, Observed};
use crate::bindings::exports::tidemill::operator::{setup, transform, window};
use crate::bindings::tidemill::operator::columns::{Batch, Table};
use crate::bindings::tidemill::operator::outcome::{Firings, Output as Outcome};
use crate::{Function, describe, log};

/// A function of a module, before it has a configuration.
pub struct Entry {
    pub(crate) describe: fn(&mut String),
    configure: fn(&str) -> Result<Box<dyn Function>, String>,
}

/// The entry of function `F`.
pub const fn entry<F: Function>() -> Entry {
    Entry {
        describe: F::describe,
        configure: |config| Ok(Box::new(F::configure(config)?)),
    }
}

/// The functions of a module, in the order of their indices.
pub trait Module: 'static {
    /// One entry per function.
    const FUNCTIONS: &'static [Entry];
}

thread_local! {
    /// Functions that have their configuration, by index. A module has one thread.
    static CONFIGURED: RefCell<Vec<Option<Box<dyn Function>>>> = const { RefCell::new(Vec::new()) };
}

fn with<T>(f: u32, call: impl FnOnce(&dyn Function) -> Result<T, String>) -> Result<T, String> {
    CONFIGURED.with_borrow(|functions| match functions.get(f as usize) {
        Some(Some(function)) => call(function.as_ref()),
        _ => Err(no_function(f)),
    })
}

#[cold]
fn no_function(f: u32) -> String {
    describe::joined(&[
        "this module has no configured function with index ",
        &f.to_string(),
    ])
}

impl<M: Module> setup::Guest for M {
    fn describe() -> String {
        log::on_panic();
        describe::module(M::FUNCTIONS)
    }

    fn configure(f: u32, config: String) -> Result<(), String> {
        log::on_panic();
        let entry = M::FUNCTIONS.get(f as usize).ok_or_else(|| no_function(f))?;
        let function = (entry.configure)(&config)?;
        CONFIGURED.with_borrow_mut(|functions| {
            functions.resize_with(M::FUNCTIONS.len(), || None);
            functions[f as usize] = Some(function);
        });
        Ok(())
    }
}

impl<M: Module> transform::Guest for M {
    fn apply(f: u32, rows: Batch) -> Result<Outcome, String> {
        with(f, |function| function.apply(&rows))
    }
}

impl<M: Module> aggregate::Guest for M {
    fn create(f: u32) -> Result<Table, String> {
        with(f, |function| function.create())
    }

    fn accumulate(
        f: u32,
        rows: Batch,
        groups: Vec<u32>,
        accs: Table,
        marks: Vec<u32>,
    ) -> Result<Accumulated, String> {
        with(f, |function| {
            function.accumulate(&rows, &groups, &accs, &marks)
        })
    }

    fn merge(f: u32, into: Table, others: Table, groups: Vec<u32>) -> Result<Accumulated, String> {
        with(f, |function| function.merge(&into, &others, &groups))
    }

    fn finish(f: u32, keys: Table, firings: Firings, accs: Table) -> Result<Outcome, String> {
        with(f, |function| function.finish(&keys, &firings, &accs))
    }
}

impl<M: Module> window::Guest for M {
    fn apply(
        f: u32,
        keys: Table,
        firings: Firings,
        rows: Batch,
        offsets: Vec<u32>,
    ) -> Result<Outcome, String> {
        with(f, |function| {
            function.apply_window(&keys, &firings, &rows, &offsets)
        })
    }
}

impl<M: Module> process::Guest for M {
    fn on_rows(
        f: u32,
        keys: Table,
        rows: Batch,
        groups: Vec<u32>,
        values: Vec<Held>,
    ) -> Result<Processed, String> {
        with(f, |function| {
            function.on_rows(&keys, &rows, &groups, &values)
        })
    }

    fn on_timers(f: u32, keys: Table, due: Due, values: Vec<Held>) -> Result<Processed, String> {
        with(f, |function| function.on_timers(&keys, &due, &values))
    }
}

impl<M: Module> watermark::Guest for M {
    fn create(f: u32) -> Result<Table, String> {
        with(f, |function| function.create())
    }

    fn observe(f: u32, rows: Batch, state: Table) -> Result<Observed, String> {
        with(f, |function| function.observe(&rows, &state))
    }
}

/// Makes these functions the ones that the crate's module offers, in this order.
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(Record)]
/// struct Payment { amount: f64 }
///
/// #[derive(Config)]
/// struct Large { at_least: f64 }
///
/// #[transform]
/// impl Large {
///     fn filter(&self, payment: Payment) -> bool {
///         payment.amount >= self.at_least
///     }
/// }
///
/// tidemill::module!(Large);
/// # fn main() {}
/// ```
///
/// Once per crate. The exports exist in modules only (`wasm32`): on the author's machine it checks
/// that every name is a function, so that `cargo build` and `cargo test` work as for any crate.
#[macro_export]
macro_rules! module {
    ($($function:path),+ $(,)?) => {
        const _: () = {
            struct Module;

            impl $crate::__private::Module for Module {
                const FUNCTIONS: &'static [$crate::__private::Entry] =
                    &[$($crate::__private::entry::<$function>()),+];
            }

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::export!(Module with_types_in $crate::bindings);

            #[cfg(not(target_arch = "wasm32"))]
            const _: &[$crate::__private::Entry] =
                <Module as $crate::__private::Module>::FUNCTIONS;
        };
    };
    () => {
        ::core::compile_error!(
            "name the module's functions: tidemill::module!(Velocity, Large);"
        );
    };
}
