//! What a module returns, of every kind: whatever it is, the checks end with a refusal or with columns that are sound.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use tidemill_wasm::fuzzing::{
    Accumulated, Emitted, Failure, Output, Produced, accumulated, returned, watermarks,
};
use tidemill_wasm::{Arena, Column, Description, Function, Table, Values};

/// A transform, an aggregate and a function that is given windows.
static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let text = r#"{ "interface": "0.1.0", "functions": [ {
        "name": "f", "kind": "transform",
        "input": [ { "name": "a", "type": "integer" }, { "name": "b", "type": "text?" } ],
        "output": { "new": [ { "name": "i", "type": "integer" }, { "name": "f", "type": "float?" },
            { "name": "t", "type": "text" }, { "name": "b", "type": "bool?" }, { "name": "at", "type": "time?" } ] },
        "sides": [ { "name": "same", "output": "same" },
            { "name": "more", "output": { "extended": [ { "name": "x", "type": "bytes?" } ] } } ]
    }, {
        "name": "g", "kind": "aggregate", "input": [ { "name": "a", "type": "integer" } ],
        "key": [ { "name": "k", "type": "text?" } ],
        "accumulator": [ { "name": "n", "type": "integer" }, { "name": "t", "type": "text?" },
            { "name": "y", "type": "bool" }, { "name": "b", "type": "bytes" } ],
        "output": { "new": [ { "name": "f", "type": "float" }, { "name": "t", "type": "text?" } ] }
    }, {
        "name": "h", "kind": "window", "input": [ { "name": "a", "type": "integer" } ],
        "key": [ { "name": "k", "type": "text?" } ],
        "output": { "new": [ { "name": "at", "type": "time" }, { "name": "t", "type": "text" } ] }
    } ] }"#;
    Description::parse(text)
        .expect("the description is good")
        .functions
});

/// How many rows, or firings, a call had.
const ROWS: usize = 8;

fn column(u: &mut Unstructured) -> Result<Column> {
    let values = match u.int_in_range(0..=3)? {
        0 => Values::Octets(u.arbitrary()?),
        1 => Values::Words(u.arbitrary()?),
        2 => Values::Floats(u.arbitrary()?),
        _ => Values::Arena(Arena {
            offsets: u.arbitrary()?,
            bytes: u.arbitrary()?,
        }),
    };
    Ok(Column {
        values,
        valid: u.arbitrary()?,
    })
}

fn produced(u: &mut Unstructured) -> Result<Produced> {
    Ok(if u.arbitrary()? {
        Produced::Input(u.int_in_range(0..=3)?)
    } else {
        Produced::Made(column(u)?)
    })
}

fn emitted(u: &mut Unstructured) -> Result<Emitted> {
    let columns = u.int_in_range(0..=6)?;
    Ok(Emitted {
        target: u.int_in_range(0..=4)?,
        origins: u.arbitrary()?,
        times: u.arbitrary()?,
        changes: u.arbitrary()?,
        columns: (0..columns).map(|_| produced(u)).collect::<Result<_>>()?,
    })
}

fn failures(u: &mut Unstructured) -> Result<Vec<Failure>> {
    let failure = |u: &mut Unstructured| -> Result<Failure> {
        Ok(Failure {
            row: u.int_in_range(0..=10)?,
            severity: u.arbitrary()?,
            code: u.arbitrary()?,
            message: u.arbitrary()?,
        })
    };
    (0..u.int_in_range(0..=3)?).map(|_| failure(u)).collect()
}

fn output(u: &mut Unstructured) -> Result<Output> {
    let entries = u.int_in_range(0..=3)?;
    Ok(Output {
        emitted: (0..entries).map(|_| emitted(u)).collect::<Result<_>>()?,
        failures: failures(u)?,
    })
}

fn table(u: &mut Unstructured) -> Result<Table> {
    let columns = u.int_in_range(0..=5)?;
    Ok(Table {
        rows: u.int_in_range(0..=9)?,
        columns: (0..columns).map(|_| column(u)).collect::<Result<_>>()?,
    })
}

/// What a call emitted is a refusal, or sound.
fn emits(u: &mut Unstructured, function: &Function, of_firings: bool) -> Result<()> {
    let Ok(outcome) = returned(output(u)?, function, ROWS, of_firings) else {
        return Ok(());
    };
    for emitted in outcome.emitted {
        assert!(emitted.origins.iter().all(|&row| (row as usize) < ROWS));
        for column in emitted.columns {
            if let tidemill_wasm::Produced::Made(array) = column {
                assert_eq!(array.len(), emitted.origins.len());
                array.to_data().validate_full().expect("a sound column");
            }
        }
    }
    Ok(())
}

/// Accumulators that come back are refused, or can be taken apart row by row.
fn accumulates(u: &mut Unstructured, function: &Function) -> Result<()> {
    let returned = Accumulated {
        accs: table(u)?,
        marked: table(u)?,
        failures: failures(u)?,
        clean: u.arbitrary()?,
    };
    let (accs, marks) = (u.int_in_range(0..=4)?, u.int_in_range(0..=2)?);
    let checked = accumulated(&returned, &function.accumulator, (ROWS, accs, marks));
    let usable = checked.is_ok_and(|failed| failed.is_empty() || returned.clean);
    for (table, rows) in [(&returned.accs, accs), (&returned.marked, marks)] {
        if usable {
            let backwards: Vec<u32> = (0..rows as u32).rev().collect();
            let gathered = table.gather(&backwards);
            assert!(gathered.gather(&backwards).is_like(table));
            let mut scattered = table.clone();
            scattered.scatter(&backwards, &gathered);
            assert!(scattered.is_like(table));
        }
    }
    Ok(())
}

fn observes(u: &mut Unstructured) -> Result<()> {
    let said: Vec<i64> = u.arbitrary()?;
    if watermarks(&said, failures(u)?, ROWS).is_ok() {
        assert_eq!(said.len(), ROWS);
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let u = &mut Unstructured::new(bytes);
    let [transform, aggregate, window] = &FUNCTIONS[..] else {
        unreachable!("three functions are described");
    };
    // What is too short to be anything is nothing to check.
    let _ = match u.int_in_range(0..=4) {
        Ok(0) => emits(u, transform, false),
        Ok(1) => emits(u, aggregate, true),
        Ok(2) => emits(u, window, true),
        Ok(3) => accumulates(u, aggregate),
        _ => observes(u),
    };
});
