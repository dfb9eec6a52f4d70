//! The JSON decoder accepts what `serde_json` accepts, with the same values: on texts made from the
//! grammar, with blanks, escapes, fields in any order and twice, and on the same texts with a few
//! characters changed.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::value::RawValue;
use tidemill_connectors::decode::Decoder;
use tidemill_connectors::{ColumnSpec, FormatKind, FormatSpec, LogicalType, Slot};

/// What a column holds.
#[derive(Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    /// The bits: -0.0 is not 0.0.
    Float(u64),
    Text(String),
}

fn columns() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("i", LogicalType::Integer, false),
        ColumnSpec::new("f", LogicalType::Float, true),
        ColumnSpec::new("t", LogicalType::Text, true),
        ColumnSpec::new("b", LogicalType::Bool, true),
        ColumnSpec::new("ni", LogicalType::Integer, true).at("n.i"),
        ColumnSpec::new("nt", LogicalType::Text, true).at("n.m.t"),
    ]
}

type Object = BTreeMap<String, Box<RawValue>>;

/// What `serde_json` makes of a line; `None` if it refuses it.
fn expected(line: &str) -> Option<Vec<Value>> {
    let row: Object = serde_json::from_str(line).ok()?;
    columns()
        .iter()
        .map(|column| column_of(&row, column))
        .collect()
}

fn column_of(row: &Object, column: &ColumnSpec) -> Option<Value> {
    let mut inner;
    let mut object = row;
    let (last, way) = column.path.split_last()?;
    for name in way {
        match object.get(name).map(|raw| raw.get()) {
            None | Some("null") => return column.nullable.then_some(Value::Null),
            Some(raw) => inner = serde_json::from_str::<Object>(raw).ok()?,
        }
        object = Box::leak(Box::new(inner));
    }
    let Some(raw) = object.get(last).map(|raw| raw.get()) else {
        return column.nullable.then_some(Value::Null);
    };
    if raw == "null" {
        return column.nullable.then_some(Value::Null);
    }
    Some(match column.ty {
        LogicalType::Bool => Value::Bool(serde_json::from_str(raw).ok()?),
        LogicalType::Integer => Value::Integer(serde_json::from_str(raw).ok()?),
        LogicalType::Text => Value::Text(serde_json::from_str(raw).ok()?),
        _ => {
            // Accepted by the one, read by the other: `serde_json` is not always exact to the last
            // bit.
            serde_json::from_str::<f64>(raw).ok()?;
            Value::Float(raw.parse::<f64>().ok()?.to_bits())
        }
    })
}

/// What the decoder makes of a line.
fn found(decoder: &mut Decoder, line: &str) -> Option<Vec<Value>> {
    let decoded = decoder.decode(line.as_bytes()).ok()?;
    let text = |from: &[u8], start: u32, len: u32| {
        let bytes = &from[start as usize..(start + len) as usize];
        Value::Text(String::from_utf8(bytes.to_vec()).expect("text is UTF-8"))
    };
    let value = |(slot, column): (&Slot, &ColumnSpec)| match (*slot, column.ty) {
        (Slot::Word(word), LogicalType::Bool) => Value::Bool(word == 1),
        (Slot::Word(word), LogicalType::Integer) => Value::Integer(word as i64),
        (Slot::Word(word), _) => Value::Float(word),
        (Slot::InRow { start, len }, _) => text(line.as_bytes(), start, len),
        (Slot::InScratch { start, len }, _) => text(decoded.scratch, start, len),
        (Slot::Null | Slot::Missing, _) => Value::Null,
        (Slot::Misfit { .. }, _) => panic!("a misfit in a good row"),
    };
    Some(decoded.slots.iter().zip(&columns()).map(value).collect())
}

fn decoder() -> Decoder {
    Decoder::new(&FormatSpec::new(FormatKind::Json, columns())).expect("the format is good")
}

fn blank() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\t \r")]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<i16>().prop_map(|n| n.to_string()),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(|f| format!("{f:e}")),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(|f| format!("{f:?}")),
        any::<f32>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(|f| f.to_string()),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
        select(vec![
            "-0",
            "-0.0",
            "0",
            "1e400",
            "9223372036854775808",
            "1E5",
            "1e-5",
            "-1e-400"
        ])
        .prop_map(str::to_owned),
    ]
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[ -!#-\\[\\]-~]{0,20}",
        1 => "[^\"\\\\\\x00-\\x1f]{0,5}",
        2 => select(vec!["\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\u00e9", "\\ud83d\\ude00"])
            .prop_map(str::to_owned),
        1 => select(vec!["\\ud800", "\\udc00", "\\uD83D\\uD83D", "\\ud800x", "\\u00"])
            .prop_map(str::to_owned),
    ];
    vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        4 => number(),
        4 => string(),
        1 => select(vec!["null", "true", "false"]).prop_map(str::to_owned),
    ];
    scalar.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            (vec(inner.clone(), 0..4), blank())
                .prop_map(|(v, b)| format!("[{b}{}{b}]", v.join(","))),
            object_of(inner),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let known = [
        "i",
        "f",
        "t",
        "b",
        "n",
        "m",
        "ni",
        "\\u0069",
        "x",
        "a rather long name",
        "\\ud800",
    ];
    select(known.to_vec()).prop_map(|name| format!("\"{name}\""))
}

fn object_of(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let field = (name(), blank(), blank(), value, blank())
        .prop_map(|(name, a, b, value, c)| format!("{a}{name}{b}:{b}{value}{c}"));
    vec(field, 0..7).prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

/// A line in which most values fit their columns, in any order.
fn fitting() -> impl Strategy<Value = String> {
    let nested =
        (any::<i32>(), string()).prop_map(|(i, t)| format!("{{\"m\":{{\"t\":{t}}},\"i\":{i}}}"));
    let field = prop_oneof![
        any::<i64>().prop_map(|i| format!("\"i\":{i}")),
        number().prop_map(|f| format!("\"f\":{f}")),
        string().prop_map(|t| format!("\"t\":{t}")),
        any::<bool>().prop_map(|b| format!("\"b\":{b}")),
        nested.prop_map(|n| format!("\"n\":{n}")),
        value().prop_map(|x| format!("\"other\":{x}")),
    ];
    (any::<i64>(), vec(field, 0..8)).prop_map(|(i, mut fields)| {
        fields.push(format!("\"i\":{i}"));
        format!("{{{}}}", fields.join(","))
    })
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![3 => fitting(), 2 => object_of(value()), 1 => value()]
}

/// Changes some characters.
fn damaged() -> impl Strategy<Value = String> {
    let marks = "{}[]\",:\\ntu0-9.eE+ \u{e9}\u{1}"
        .chars()
        .collect::<Vec<_>>();
    let change = (any::<prop::sample::Index>(), select(marks), 0..3_u8);
    (line(), vec(change, 1..4)).prop_map(|(line, changes)| {
        let mut line: Vec<char> = line.chars().collect();
        for (index, mark, act) in changes {
            if line.is_empty() {
                break;
            }
            let at = index.index(line.len());
            match act {
                0 => line[at] = mark,
                1 => line.insert(at, mark),
                _ => drop(line.remove(at)),
            }
        }
        line.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_same_lines_and_values(lines in vec(prop_oneof![line(), damaged()], 1..6)) {
        // One decoder for all: what it has learned of one line must not show in the next.
        let mut decoder = decoder();
        for line in &lines {
            prop_assert_eq!(found(&mut decoder, line), expected(line), "{}", line);
        }
    }

    #[test]
    fn every_beginning_of_a_line(line in line()) {
        let mut decoder = decoder();
        for (end, _) in line.char_indices() {
            let line = &line[..end];
            prop_assert_eq!(found(&mut decoder, line), expected(line), "{}", line);
        }
    }

    #[test]
    fn floats_are_exact(bits in any::<u64>(), digits in 1..25_usize) {
        let float = f64::from_bits(bits);
        prop_assume!(float.is_finite());
        for text in [format!("{float:?}"), format!("{float:.digits$e}")] {
            let line = format!("{{\"i\":1,\"f\":{text}}}");
            let value = found(&mut decoder(), &line).map(|mut values| values.remove(1));
            let expected = text.parse::<f64>().expect("a float");
            let fits = expected.is_finite().then(|| Value::Float(expected.to_bits()));
            prop_assert_eq!(value, fits, "{}", text);
        }
    }
}

#[test]
fn most_lines_of_the_generator_are_good() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let lines = (0..300).map(|_| fitting().new_tree(&mut runner).expect("a line").current());
    let good = lines.filter(|line| expected(line).is_some()).count();
    assert!(
        good > 100,
        "{good} of 300: the comparison would be of refusals only"
    );
}
