//! Scenarios are read and written again, and differences show what differs.

use proptest::prelude::*;
use tidemill_scenario::difference::{self, Colour};
use tidemill_scenario::pipeline::{directive, head, moment};
use tidemill_scenario::{Scenario, parse};

const TEXT: &str = "# About.

# More.
pipeline a.toml
# Two of them.
workers 2

# First.

# Second.
rows s
{\"a\":1}
# A comment among rows.
{\"a\":2}
----
o {\"a\":1}
o {\"a\":2}
o {\"a\":3}

end
----

# At the end.
";

fn read(text: &str) -> Scenario<'_> {
    parse(text).unwrap_or_else(|mistake| panic!("{mistake:?}"))
}

#[test]
fn what_is_read_is_written_again() {
    let scenario = read(TEXT);
    assert_eq!(scenario.with(&[]), TEXT);
    assert_eq!(head(&scenario).expect("a head").workers, 2);
    let rows: Vec<&str> = scenario.steps[0].rows().map(|line| line.text).collect();
    assert_eq!(rows, ["{\"a\":1}", "{\"a\":2}"]);
    // Windows' line ends and empty lines in between are taken as they are meant.
    let windows = TEXT
        .replace('\n', "\r\n")
        .replace("\r\n\r\n", "\r\n\r\n\r\n");
    assert_eq!(read(&windows).steps.len(), 2);
}

#[test]
fn what_came_takes_the_place_of_what_was_expected() {
    let came = [vec!["o {\"a\":9}".to_owned()], vec!["o {}".to_owned()]];
    let written = read(TEXT).with(&came);
    let again = read(&written);
    let expected = |step: usize| -> Vec<String> {
        let lines = again.steps[step].expected.iter();
        lines.map(|line| line.text.to_owned()).collect()
    };
    assert_eq!([expected(0), expected(1)], came);
}

#[test]
fn lines_that_say_the_same_are_the_same() {
    let cases = [
        ("o {\"a\":1,\"b\":2}", "o { \"b\": 2, \"a\": 1 }", true),
        ("o {\"a\":1}", "p {\"a\":1}", false),
        ("o {\"a\":1}", "o {\"a\":1.0}", false),
        ("o {\"a\":1.0}", "o {\"a\":1.00}", true),
        ("stopped", "stopped", true),
        ("stopped", "stoped", false),
    ];
    for (expected, came, same) in cases {
        assert_eq!(
            difference::is_same(expected, came),
            same,
            "{expected} {came}"
        );
    }
}

#[test]
fn a_difference_shows_the_lines_around_it_and_where_it_begins() {
    let scenario = read(TEXT);
    let step = &scenario.steps[0];
    let came: Vec<String> = [1, 4, 3].map(|a| format!("o {{\"a\":{a}}}")).to_vec();
    assert!(!difference::is_met(step, &came));
    assert_eq!(
        difference::of_step("f", step, &came, Colour::Plain),
        "f:17: rows s\n    o {\"a\":1}\n  - o {\"a\":2}\n  + o {\"a\":4}\n    o {\"a\":3}\n"
    );
    let coloured = difference::of_step("f", step, &came, Colour::Terminal);
    assert!(
        coloured.contains("\x1b[31m  - o {\"a\":2}\x1b[0m"),
        "{coloured}"
    );
}

#[test]
fn times_are_numbers_or_rfc_3339() {
    assert_eq!(moment("1999"), Some(1999));
    assert_eq!(moment("-1"), Some(-1));
    assert_eq!(moment("1970-01-01T00:00:01.5Z"), Some(1_500_000));
    assert_eq!(moment("1970-01-01T01:00:00+01:00"), Some(0));
    assert_eq!(moment("1970-01-01"), None);
}

/// Lines of which scenarios are made, in any order.
fn texts() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("----".to_owned()),
        Just(String::new()),
        Just("pipeline a.toml".to_owned()),
        Just("show a, b.late".to_owned()),
        Just("rows s/é".to_owned()),
        Just("watermark s 5".to_owned()),
        Just("# é".to_owned()),
        ".{0,12}",
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n")];
    proptest::collection::vec((line, end), 0..20)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_mistakes_have_a_place(text in texts()) {
        match parse(&text) {
            Err(mistake) => {
                prop_assert!(text.get(mistake.span.clone()).is_some());
                prop_assert!(!mistake.help.is_empty());
            }
            Ok(scenario) => {
                let written = scenario.with(&[]);
                prop_assert_eq!(read(&written).with(&[]), written);
                let mistakes = [
                    head(&scenario).err(),
                    scenario.steps.iter().find_map(|step| directive(step).err()),
                ];
                for mistake in mistakes.into_iter().flatten() {
                    prop_assert!(text.get(mistake.span.clone()).is_some());
                }
            }
        }
    }
}
