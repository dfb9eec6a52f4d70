//! A report in JUnit's XML, as build servers read it: one test suite, one test case per scenario.

use std::fmt::Write;
use std::time::Duration;

use super::{Outcome, Ran, report};

/// The report.
pub fn report(ran: &[Ran]) -> String {
    let count = |is: fn(&Outcome) -> bool| ran.iter().filter(|ran| is(&ran.outcome)).count();
    let failures = count(|outcome| matches!(outcome, Outcome::Different(_)));
    let errors = count(|outcome| matches!(outcome, Outcome::Broken(_)));
    let time: Duration = ran.iter().map(|ran| ran.time).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    _ = writeln!(
        xml,
        "<testsuite name=\"tidemill\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{:.3}\">",
        ran.len(),
        time.as_secs_f64()
    );
    ran.iter().for_each(|ran| case(ran, &mut xml));
    xml.push_str("</testsuite>\n");
    xml
}

fn case(ran: &Ran, xml: &mut String) {
    let file = escaped(&ran.file.to_string_lossy());
    let time = ran.time.as_secs_f64();
    _ = write!(
        xml,
        "  <testcase classname=\"scenarios\" name=\"{file}\" file=\"{file}\" time=\"{time:.3}\""
    );
    let (element, message, text) = match &ran.outcome {
        Outcome::Passed | Outcome::Updated => {
            xml.push_str("/>\n");
            return;
        }
        Outcome::Different(different) => {
            let lines: Vec<String> = different.iter().map(|d| d.line.to_string()).collect();
            let message = format!(
                "other rows than expected in the steps of lines {}",
                lines.join(", ")
            );
            let texts: Vec<&str> = different.iter().map(|d| d.text[0].as_str()).collect();
            ("failure", message, texts.join("\n"))
        }
        Outcome::Broken(failure) => {
            let message = "the scenario could not be run".to_owned();
            ("error", message, report::told(failure, false))
        }
    };
    let (message, text) = (escaped(&message), escaped(&text));
    _ = writeln!(
        xml,
        ">\n    <{element} message=\"{message}\">{text}</{element}>\n  </testcase>"
    );
}

/// As XML 1.0 wants it; characters that it cannot hold are shown as the replacement character.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            escaped("a<b & \"c\">\u{1b}[31m\n"),
            "a&lt;b &amp; &quot;c&quot;&gt;\u{fffd}[31m\n"
        );
    }
}
