//! Windows of which all rows are given: what was seen, in its order, and of which window. A row of 13 fails its firing.

use crate::bindings::tidemill::operator::columns::{Arena, Batch, Column, Values};
use crate::bindings::tidemill::operator::outcome::{Emitted, Failure, Firings, Output, Produced};

const BAD: i64 = 13;

pub fn apply(how: &str, firings: &Firings, rows: &Batch, offsets: &[u32]) -> Output {
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let (mut origins, mut failures) = (Vec::new(), Vec::new());
    let (mut seen, mut windows) = (Vec::new(), Vec::new());
    for (firing, bounds) in offsets.windows(2).enumerate() {
        let n = &n[bounds[0] as usize..bounds[1] as usize];
        if n.contains(&BAD) && how == "trap" {
            panic!("n is {BAD}");
        }
        if n.contains(&BAD) && how == "fail" {
            failures.push(Failure {
                row: firing as u32,
                severity: 0,
                code: "thirteen".into(),
                message: format!("n is {BAD}"),
            });
            continue;
        }
        while how == "loop" && n.contains(&BAD) {
            std::hint::spin_loop();
        }
        origins.push(firing as u32);
        seen.push(n.iter().map(|n| format!("{n},")).collect::<String>());
        windows.push(format!(
            "{}..{} {} {} {}",
            firings.starts[firing],
            firings.ends[firing],
            firings.moments[firing],
            firings.numbers[firing],
            firings.last[firing] != 0,
        ));
    }
    if how == "beyond" {
        origins.iter_mut().for_each(|origin| *origin += 1);
    }
    let times = (how == "times").then(|| vec![0; origins.len()]);
    let columns = vec![
        Produced::Input(0),
        Produced::Made(texts(&seen)),
        Produced::Made(texts(&windows)),
    ];
    let main = Emitted {
        target: 0,
        origins,
        times,
        changes: None,
        columns,
    };
    Output {
        emitted: vec![main],
        failures,
    }
}

fn texts(texts: &[String]) -> Column {
    let mut arena = Arena {
        offsets: vec![0],
        bytes: Vec::new(),
    };
    for text in texts {
        arena.bytes.extend_from_slice(text.as_bytes());
        arena.offsets.push(arena.bytes.len() as u32);
    }
    Column {
        values: Values::Arena(arena),
        valid: None,
    }
}
