//! A guest without an SDK, straight on the bindings. What it does wrong is named by its configuration (`how`).

mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "module" });
}
mod claiming;
mod describe;
mod figures;
mod folding;
mod gathering;
mod heavy;
mod hostile;
mod keeping;
mod marking;
mod whole;
mod worse;

use std::cell::RefCell;

use bindings::exports::tidemill::operator::process::{self, Due, Held, Processed};
use bindings::exports::tidemill::operator::{aggregate, setup, transform, watermark, window};
use bindings::tidemill::operator::columns::{Batch, Table};
use bindings::tidemill::operator::log;
use bindings::tidemill::operator::outcome::{Firings, Output};

/// Places of some functions in `describe`.
const WORSE: u32 = 6;
const HEAVY: u32 = 7;
const GATHERING: u32 = 8;
const CLAIMING: u32 = 9;

struct Guest;
bindings::export!(Guest with_types_in bindings);

thread_local! {
    static HOW: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What the configuration asks for.
fn how() -> String {
    HOW.with_borrow(Clone::clone)
}

/// The value of `how` in a configuration, which is `{"how":"…"}`.
fn parse(config: &str) -> String {
    config.split('"').nth(3).unwrap_or_default().to_owned()
}

impl setup::Guest for Guest {
    fn describe() -> String {
        describe::TEXT.to_owned()
    }

    fn configure(_f: u32, config: String) -> Result<(), String> {
        std::panic::set_hook(Box::new(|info| log::write(0, &info.to_string())));
        let how = parse(&config);
        match how.as_str() {
            "refuse-config" => return Err("how must not be refuse-config".into()),
            "trap-config" => panic!("configured to panic"),
            _ => {}
        }
        HOW.set(how);
        Ok(())
    }
}

impl transform::Guest for Guest {
    fn apply(f: u32, rows: Batch) -> Result<Output, String> {
        match f {
            0 => Ok(figures::read(&rows)),
            1 => Ok(figures::read_and_return(rows)),
            2 => hostile::apply(&how(), rows),
            WORSE => worse::apply(&how(), &rows),
            _ => Err(format!("no transform {f}")),
        }
    }
}

impl aggregate::Guest for Guest {
    fn create(f: u32) -> Result<Table, String> {
        Ok(match f {
            HEAVY => heavy::create(&how()),
            _ => folding::create(&how()),
        })
    }

    fn accumulate(
        f: u32,
        rows: Batch,
        groups: Vec<u32>,
        accs: Table,
        marks: Vec<u32>,
    ) -> Result<aggregate::Accumulated, String> {
        Ok(match f {
            HEAVY => heavy::accumulate(&how(), &rows, &groups, &accs, &marks),
            _ => folding::accumulate(&how(), &rows, &groups, accs, &marks),
        })
    }

    fn merge(
        f: u32,
        into: Table,
        others: Table,
        groups: Vec<u32>,
    ) -> Result<aggregate::Accumulated, String> {
        Ok(match f {
            HEAVY => heavy::merge(&how(), &into, &others, &groups),
            _ => folding::merge(&how(), into, &others, &groups),
        })
    }

    fn finish(f: u32, _keys: Table, firings: Firings, accs: Table) -> Result<Output, String> {
        Ok(match f {
            HEAVY => heavy::finish(&how(), &firings, &accs),
            _ => folding::finish(&how(), &firings, accs),
        })
    }
}

impl window::Guest for Guest {
    fn apply(
        f: u32,
        _keys: Table,
        firings: Firings,
        rows: Batch,
        offsets: Vec<u32>,
    ) -> Result<Output, String> {
        match f {
            GATHERING => gathering::apply(&how(), &firings, &rows, &offsets),
            _ => Ok(whole::apply(&how(), &firings, &rows, &offsets)),
        }
    }
}

impl process::Guest for Guest {
    fn on_rows(
        _f: u32,
        keys: Table,
        rows: Batch,
        groups: Vec<u32>,
        values: Vec<Held>,
    ) -> Result<Processed, String> {
        Ok(keeping::on_rows(&how(), keys.rows, &rows, &groups, &values))
    }

    fn on_timers(_f: u32, _keys: Table, due: Due, values: Vec<Held>) -> Result<Processed, String> {
        Ok(keeping::on_timers(&how(), &due, &values))
    }
}

impl watermark::Guest for Guest {
    fn create(f: u32) -> Result<Table, String> {
        Ok(match f {
            CLAIMING => claiming::create(&how()),
            _ => marking::create(&how()),
        })
    }

    fn observe(f: u32, rows: Batch, state: Table) -> Result<watermark::Observed, String> {
        match f {
            CLAIMING => claiming::observe(&how(), &rows, &state),
            _ => Ok(marking::observe(&how(), &rows, &state)),
        }
    }
}
