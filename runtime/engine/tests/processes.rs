//! Process functions in pipelines: the same whatever the batches and the workers, and what the SDK's harness says for each
//! key alone, which knows the rules by itself (`docs/semantics.md`, Timers and process functions, State).

#[path = "support/keyed.rs"]
mod keyed;
mod support;

use std::collections::BTreeMap;

use keyed::{Told, expected, pipeline, same, shown};
use support::input::{self, Shape};
use support::{Bench, ByKey, HOLDERS, How};

const SHAPE: Shape = Shape {
    seed: 1,
    rows: 700,
    splits: 1,
    keys: 5,
    from: 1_000_000,
    step: 40,
    disorder: 2500,
    bad: 9,
};

fn hows() -> Vec<How> {
    let batches = [1, 7, 64, 4096];
    let both = batches.map(|batch| [How::new(batch, 1), How::new(batch, 2)]);
    both.into_iter().flatten().collect()
}

#[derive(Clone, Copy, Debug)]
struct Given {
    shape: Shape,
    told: Told,
    /// Nine of ten rows are of one key.
    hot: bool,
}

const TOLD: Told = Told {
    function: "busy",
    ahead: 500,
    breaking: "no",
    out_of_orderness: 300,
};

const GIVEN: Given = Given {
    shape: SHAPE,
    told: TOLD,
    hot: false,
};

impl Given {
    fn rows(&self) -> Vec<Vec<input::Row>> {
        let mut splits = self.shape.of_this_run().make();
        if self.hot {
            for (i, row) in splits.iter_mut().flatten().enumerate() {
                if i % 10 > 0 {
                    row.key = Some("hot".to_owned());
                }
            }
        }
        splits
    }

    fn bench(&self) -> Bench {
        let counted = r#"
[operators.counts]
input = "busy"
key = "key"
window = { tumble = "700us" }
function = "kinds/count"

[sinks.counted]
input = "counts"
file = "counted.jsonl"
format = "json"

[sinks.late]
input = "counts.late"
file = "late.jsonl"
format = "json"
"#;
        Bench::new(&(pipeline(&self.told) + counted))
    }
}

/// Each sink's rows by key.
fn outputs(bench: &Bench) -> BTreeMap<&'static str, ByKey> {
    let read = |sink| (sink, bench.read(sink).by_key(&["key"]));
    ["out", "counted", "late"].map(read).into_iter().collect()
}

fn check(given: Given) {
    let rows = given.rows();
    let bench = given.bench();
    input::write(&bench, &rows);
    bench.run(How::new(1, 1));
    let first = outputs(&bench);
    let order = bench.read("out");
    let failed = bench.read("failed");
    if given.shape.splits == 1 {
        same(
            &shown(&first["out"]),
            &expected(&given.told, &rows[0]),
            &format!("the model, {given:?}"),
        );
    }
    let on = |holder| hows().into_iter().map(move |how| (how, holder));
    for (how, holder) in HOLDERS.into_iter().flat_map(on).skip(1) {
        let about = format!("{how:?}, {holder:?}, {given:?}");
        bench.hold_in(holder);
        bench.run(how);
        let now = outputs(&bench);
        let several = given.shape.splits > 1 && how.workers > 1;
        for (sink, was) in first.iter().filter(|_| !several) {
            same(&now[sink], was, &format!("{sink} with {about}"));
        }
        if how.workers == 1 {
            assert!(bench.read("out") == order, "another order with {about}");
        }
        if !several {
            assert_eq!(bench.read("failed").sorted(), failed.sorted(), "{about}");
        }
    }
}

#[test]
fn few_keys() {
    check(GIVEN);
}

#[test]
fn many_keys_in_order() {
    check(Given {
        shape: Shape {
            seed: 2,
            rows: 2000,
            keys: 300,
            disorder: 0,
            ..SHAPE
        },
        told: Told {
            out_of_orderness: 0,
            ..TOLD
        },
        ..GIVEN
    });
}

#[test]
fn one_key_has_nine_of_ten_rows() {
    check(Given {
        shape: Shape {
            seed: 3,
            keys: 50,
            ..SHAPE
        },
        hot: true,
        ..GIVEN
    });
}

#[test]
fn timers_far_behind_and_right_ahead() {
    for (seed, ahead) in [(4, 1), (5, 40), (6, 20_000)] {
        check(Given {
            shape: Shape { seed, ..SHAPE },
            told: Told { ahead, ..TOLD },
            ..GIVEN
        });
    }
}

#[test]
fn almost_everything_is_behind() {
    check(Given {
        shape: Shape {
            seed: 7,
            keys: 3,
            step: 3,
            disorder: 9000,
            ..SHAPE
        },
        told: Told {
            out_of_orderness: 0,
            ..TOLD
        },
        ..GIVEN
    });
}

#[test]
fn rows_and_timers_fail() {
    check(Given {
        shape: Shape { seed: 8, ..SHAPE },
        told: Told {
            breaking: "return",
            ..TOLD
        },
        ..GIVEN
    });
}

#[test]
fn rows_and_timers_trap() {
    check(Given {
        shape: Shape { seed: 10, ..SHAPE },
        told: Told {
            breaking: "trap",
            ..TOLD
        },
        ..GIVEN
    });
}

#[test]
fn rows_and_timers_take_too_long_or_too_much() {
    for (seed, breaking) in [(11, "deadline"), (12, "memory")] {
        let shape = Shape {
            seed,
            rows: 200,
            bad: 50,
            ..SHAPE
        };
        check(Given {
            shape,
            told: Told { breaking, ..TOLD },
            ..GIVEN
        });
    }
}

#[test]
fn lists_and_maps_and_values_that_stay() {
    for (seed, function, breaking) in [
        (13, "keeping", "no"),
        (14, "keeping", "return"),
        (15, "keeping", "trap"),
        (16, "lasting", "return"),
    ] {
        check(Given {
            shape: Shape { seed, ..SHAPE },
            told: Told {
                function,
                breaking,
                ..TOLD
            },
            ..GIVEN
        });
    }
}

#[test]
fn several_splits() {
    check(Given {
        shape: Shape {
            seed: 9,
            splits: 3,
            ..SHAPE
        },
        ..GIVEN
    });
}
