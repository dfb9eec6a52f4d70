//! The JSON decoder accepts what `serde_json` accepts, with the same values: on texts made from the
//! grammar, with blanks, escapes, fields in any order and twice, and on the same texts with a few
//! characters changed.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use tidemill_connectors::input::text::of_reader;
use tidemill_connectors::{FormatKind, FormatSpec, Split};
use tidemill_rows::RecordBatch;
use tidemill_rows::arrow_array::cast::AsArray;
use tidemill_rows::arrow_array::types::Int64Type;

#[path = "support/like_serde.rs"]
mod like_serde;

use like_serde::{Value, columns, decoder, expected, found};

/// The first column.
fn integers(rows: &RecordBatch) -> Vec<Value> {
    let integers = rows.column(0).as_primitive::<Int64Type>();
    integers
        .values()
        .iter()
        .map(|&i| Value::Integer(i))
        .collect()
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
        let mut decoders = [decoder(), decoder().portable()];
        // Twice, so that shapes learned of later lines meet the earlier ones too.
        for line in lines.iter().chain(&lines) {
            for decoder in &mut decoders {
                prop_assert_eq!(found(decoder, line), expected(line), "{}", line);
            }
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
    fn a_split_gives_the_rows_of_a_decoder(lines in vec(prop_oneof![line(), damaged()], 1..40)) {
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        // Bytes behind, so that lines are decoded where they stand.
        let text = format!("{text}{}\n", " ".repeat(1000));
        let format = FormatSpec::new(FormatKind::Json, columns());
        let reader = std::io::Cursor::new(text.clone());
        let mut split = of_reader("lines", &format, reader).expect("the format is good");
        let chunk = split.read(1000).expect("a readable split");
        let mut decoder = decoder();
        let mut expected = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(values) = found(&mut decoder, line) {
                expected.push((number, values[0].clone()));
            }
        }
        let numbers = chunk.lines.iter().flatten().copied();
        let rows: Vec<(u64, Value)> = numbers.zip(integers(&chunk.rows)).collect();
        let lines = text.lines().filter(|line| !line.is_empty()).count();
        prop_assert_eq!(rows.len() + chunk.bad.len(), lines);
        prop_assert_eq!(rows, expected);
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

/// Lines that have much in common, and each something that the others have not.
const ALIKE: &[&str] = &[
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"i":3,"m":{"t":"y"}}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"i":3,"m":{"t":"y"}}} "#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"i":3,"m":{"t":"y"}}}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"i":3,"m":{"t":"y"}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"i":3,"m":{"t":"y"},"i":4}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"i":3},"n":{"m":{"t":"y"}}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"m":{"t":"y"}},"n":{"i":3}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"m":{"t":"y"}},"n":null}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":null,"n":{"i":3}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":null}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":{"m":null}}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true,"n":5}"#,
    r#"{"i":1,"f":2.5,"t":"x","b":true}"#,
    r#"{"i":1,"i":2}"#,
    r#"{"i":1,"t":"x","i":2,"t":"y"}"#,
    r#"{"i":null}"#,
    r#"{"i":1}"#,
    r#"{"i":-1}"#,
    r#"{"i":-0}"#,
    r#"{"i":01}"#,
    r#"{"i":1.5}"#,
    r#"{"i":1e5}"#,
    r#"{"i":1x}"#,
    r#"{"i":12345678}"#,
    r#"{"i":1234567890123456}"#,
    r#"{"i":12345678901234567}"#,
    r#"{"i":1,"x":0}"#,
    r#"{"i":1,"x":00}"#,
    r#"{"i":1,"x":123456789}"#,
    r#"{"i":1,"x":nul}"#,
    r#"{"i":1,"x":[1,{"i":2}]}"#,
    r#"{"i":1,"x":{"i":2}}"#,
    r#"{"i":1,"x":"a"}"#,
    r#"{"i":1,"x":"a\"}"#,
    r#"{"i":1,"x":"a\\"}"#,
    r#"{"i":1,"x":"0123456789012345678901234567890123456789"}"#,
    r#"{"i":1,"x":"01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"}"#,
    r#"{"i":1,"x":"012345678901234567890123456789\u00"}"#,
    r#"{"i":1,"t":"a\u0041"}"#,
    r#"{"i":1,"t":"\ud800"}"#,
    r#"{"i": 1, "t": "x"}"#,
    r#"{ "i" : 1 , "t" : "x" }"#,
    r#"{"i":1,"t":"x" }"#,
    r#"{"i":1,"\u0074":"x"}"#,
    r#"{"i":1,"a name of more than thirty-two bytes, all told":"x"}"#,
    r#"{"i":1,"a name of more than thirty-two bytes, all but":"x"}"#,
    "{\"i\":1,\r\"t\":\"x\"}",
    "{\"i\":1\r}",
    "{\"i\":1}\r",
    "",
];

/// What is learned of one line must not show in another, whatever the two have in common.
#[test]
fn no_line_shows_in_another() {
    for (first, second) in ALIKE.iter().flat_map(|a| ALIKE.iter().map(move |b| (a, b))) {
        for mut decoder in [decoder(), decoder().portable()] {
            for line in [first, first, second, first, second, second] {
                assert_eq!(
                    found(&mut decoder, line),
                    expected(line),
                    "{first}\n{second}\n{line}"
                );
            }
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
