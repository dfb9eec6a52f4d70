//! Tables of columns that were, columns that are, and what becomes of them.

use arrow_array::Array;

use super::*;

fn named(words: &str) -> Vec<Named> {
    let words = words.split(", ").filter(|word| !word.is_empty());
    words.map(|word| Named::read(word).expect(word)).collect()
}

/// What was, what is, what new columns hold, which may be dropped; then where columns come from, or what is refused.
type Case = (
    &'static str,
    &'static str,
    New,
    &'static str,
    Result<&'static str, &'static str>,
);

const CASES: &[Case] = &[
    ("a: integer", "a: integer", New::Null, "", Ok("same")),
    (
        "a: integer, b: text?",
        "b: text?, a: integer",
        New::Null,
        "",
        Ok("1 0"),
    ),
    ("a: integer", "a: integer?", New::Null, "", Ok("0")),
    ("a: integer", "a: float", New::Null, "", Ok("0~")),
    ("a: integer?", "a: float?", New::Null, "", Ok("0~")),
    (
        "a: integer",
        "b: text?, a: integer",
        New::Null,
        "",
        Ok("new 0"),
    ),
    (
        "a: integer",
        "a: integer, b: text",
        New::Fresh,
        "",
        Ok("0 new"),
    ),
    ("a: integer, b: text", "a: integer", New::Null, "b", Ok("0")),
    (
        "a: integer",
        "a: integer, b: text",
        New::Null,
        "",
        Err("`b` of its rows is new, and what is kept has no value for it: make it `text?`"),
    ),
    (
        "a: integer, b: text",
        "a: integer",
        New::Fresh,
        "c",
        Err("`b` of its rows is gone"),
    ),
    (
        "a: integer?",
        "a: integer",
        New::Fresh,
        "",
        Err("`a` of its rows was integer? and is integer now"),
    ),
    (
        "a: float",
        "a: integer",
        New::Fresh,
        "",
        Err("`a` of its rows was float and is integer now"),
    ),
    (
        "a: integer",
        "a: time",
        New::Fresh,
        "",
        Err("`a` of its rows was integer and is time now"),
    ),
    (
        "a: text",
        "a: bytes",
        New::Fresh,
        "",
        Err("`a` of its rows was text and is bytes now"),
    ),
    (
        "a: bool",
        "a: float",
        New::Fresh,
        "",
        Err("`a` of its rows was bool and is float now"),
    ),
    (
        "a: integer?",
        "a: float",
        New::Fresh,
        "",
        Err("`a` of its rows was integer? and is float now"),
    ),
];

#[test]
fn columns_are_known_by_name() {
    for (was, now, new, drop, expected) in CASES {
        let mut may_go = |name: &str| drop.split(' ').any(|one| one == name);
        let compared = compare((named(was), named(now)), "its rows", *new, &mut may_go);
        let found = match (&compared.refused[..], &compared.change) {
            ([], None) => Ok("same".to_owned()),
            ([], Some(change)) => Ok(shown(&change.from)),
            (refused, _) => Err(refused.join("; ")),
        };
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, *expected, "{was} to {now}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, _) => panic!("{was} to {now}: {found:?}"),
        }
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let both = (
        named("a: text, b: integer, c: time"),
        named("a: time, d: text"),
    );
    let compared = compare(both, "its rows", New::Null, &mut |_| false);
    assert_eq!(compared.refused.len(), 4, "{:?}", compared.refused);
}

fn shown(from: &[From]) -> String {
    let one = |from: &From| match from {
        From::Was(at) => at.to_string(),
        From::Widened(at) => format!("{at}~"),
        From::New => "new".to_owned(),
    };
    from.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn words(values: &[i64], valid: Option<&[u8]>) -> Column {
    Column {
        values: Values::Words(values.to_vec()),
        valid: valid.map(<[u8]>::to_vec),
    }
}

fn change(was: &str, now: &str, new: New) -> ColumnsChange {
    let compared = compare((named(was), named(now)), "it", new, &mut |_| true);
    assert_eq!(compared.refused, [""; 0]);
    compared.change.expect("something has changed")
}

#[test]
fn tables_get_the_columns_that_are_now() {
    let change = change(
        "a: integer, b: integer?, c: text",
        "n: integer, b: float?, m: text, a: integer",
        New::Fresh,
    );
    let texts = |values: &[&str]| {
        let mut offsets = vec![0];
        offsets.extend(values.iter().scan(0, |end, value| {
            *end += value.len() as u32;
            Some(*end)
        }));
        Column {
            values: Values::Arena(Arena {
                offsets,
                bytes: values.concat().into_bytes(),
            }),
            valid: None,
        }
    };
    let table = Table {
        rows: 2,
        columns: vec![
            words(&[1, 2], None),
            words(&[3, 0], Some(&[1, 0])),
            texts(&["x", "y"]),
        ],
    };
    let fresh = Table {
        rows: 1,
        columns: vec![
            words(&[7], None),
            words(&[0], None),
            texts(&["fresh"]),
            words(&[0], None),
        ],
    };
    let now = change.table(table, Some(&fresh)).expect("they fit");
    let floats = Column {
        values: Values::Floats(vec![3.0, 0.0]),
        valid: Some(vec![1, 0]),
    };
    let expected = Table {
        rows: 2,
        columns: vec![
            words(&[7, 7], None),
            floats,
            texts(&["fresh", "fresh"]),
            words(&[1, 2], None),
        ],
    };
    assert_eq!(format!("{now:?}"), format!("{expected:?}"));
    let empty = Table {
        rows: 0,
        columns: Vec::new(),
    };
    assert_eq!(
        change
            .table(empty, Some(&fresh))
            .expect("nothing fits")
            .rows,
        0
    );
}

#[test]
fn no_integer_is_rounded() {
    let change = change("a: integer", "a: float", New::Null);
    let table = |values: &[i64]| Table {
        rows: values.len() as u32,
        columns: vec![words(values, None)],
    };
    for good in [0, -1, 1 << 53, -(1 << 53), i64::MIN, 1 << 62] {
        assert!(change.table(table(&[good]), None).is_ok(), "{good}");
    }
    for bad in [(1 << 53) + 1, i64::MAX, i64::MIN + 1] {
        let unfit = change
            .table(table(&[1, bad]), None)
            .expect_err("no float is equal to it");
        assert_eq!(
            unfit.0,
            format!("column `a` holds {bad}, which no float is equal to")
        );
    }
}

#[test]
fn stored_rows_keep_what_stands_behind_their_columns() {
    let change = change(
        "a: integer, b: text",
        "b: text, c: time?, a: float",
        New::Null,
    );
    let was: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(4), Some(5)])),
        Arc::new(StringArray::from(vec!["x", "y"])),
        Arc::new(Int64Array::from(vec![100, 200])),
    ];
    let now = change.arrays(&was, 2).expect("they fit");
    assert_eq!(now.len(), 4);
    assert_eq!(&now[0], &was[1]);
    assert_eq!(now[1].null_count(), 2);
    assert_eq!(now[1].data_type(), &LogicalType::Time.arrow());
    assert_eq!(
        now[2].as_ref(),
        &Float64Array::from(vec![4.0, 5.0]) as &dyn Array
    );
    assert_eq!(&now[3], &was[2]);
    assert!(change.arrays(&was[..1], 2).is_err());
}

#[test]
fn words_are_read_back() {
    for word in ["a: integer", "with: colon: text?", "t: time"] {
        assert_eq!(Named::read(word).expect(word).word(), word);
    }
    for word in ["a", "a: decimal", ""] {
        assert_eq!(Named::read(word), None, "{word}");
    }
}
