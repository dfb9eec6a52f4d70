//! `tidemill check --infer`: columns from the first rows, ready to paste.

use std::fs;

use crate::support::{Ended, Folder, root};

const SOURCE: &str = "name = \"p\"\n[sources.flights]\nfiles = \"flights.jsonl\"\n";

fn flights() -> Folder {
    let folder = Folder::with(&[("pipeline.toml", SOURCE)]);
    let rows = root().join("examples/flights/flights.jsonl");
    fs::copy(rows, folder.path().join("flights.jsonl")).expect("the example's rows");
    folder
}

/// What is printed, without comments and remarks.
fn columns(ended: &Ended) -> Vec<&str> {
    let lines = ended
        .out
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| line.split(" #").next().expect("a part").trim_end())
        .collect()
}

#[test]
fn flights_are_found_out_and_what_is_printed_can_be_pasted() {
    let folder = flights();
    let ended = folder.run(&["check", "--infer"]).expect(0);
    assert_eq!(
        columns(&ended),
        [
            "[sources.flights.columns]",
            "scheduled_at = \"time\"",
            "departed_at = \"time?\"",
            "carrier = \"text\"",
            "flight = \"integer\"",
            "plane = \"text?\"",
            "origin = \"text\"",
            "dest = \"text\"",
            "departure_delay_min = \"integer?\"",
            "arrival_delay_min = \"integer?\"",
            "air_time_min = \"integer?\"",
            "distance_miles = \"integer\"",
        ]
    );
    let rest = "[sinks.out]\ninput = \"flights\"\nstdout = {}\n";
    folder.write("pipeline.toml", &format!("{SOURCE}{}{rest}", ended.out));
    folder.run(&["check"]).expect(0);
    let rows = folder.run(&["run", "--quiet"]).expect(0).out;
    assert_eq!(
        rows.lines().count(),
        folder.read("flights.jsonl").lines().count()
    );
    let again = folder.run(&["check", "--infer"]).expect(0);
    assert!(again.out.contains("its columns fit"), "{}", again.out);
    // Rows that would be bad are told of, although the columns are right.
    let flights = folder.read("flights.jsonl");
    let odd = flights.replacen("\"flight\":1117", "\"flight\":\"none\"", 1);
    assert_ne!(odd, flights);
    folder.write("flights.jsonl", &odd);
    let again = folder.run(&["check", "--infer"]).expect(0).out;
    let said = "values are of another type, and would be bad rows";
    assert!(
        again.contains("# flight: 1 of") && again.contains(said),
        "{again}"
    );
}

#[test]
fn columns_that_do_not_fit_are_corrected_under_their_own_names() {
    let folder = flights();
    let declared = "[sources.flights.columns]\nplane = \"text\"\nnumber = { type = \"text\", path = \"flight\" }\n\
                    distance_miles = \"float\"\ngate = \"text\"\n";
    folder.write("pipeline.toml", &format!("{SOURCE}{declared}"));
    let ended = folder.run(&["check", "--infer"]).expect(0);
    for text in [
        "# plane: declared as \"text\", and missing or null in some rows: \"text?\"",
        "# number: declared as \"text\", and its values are of type integer",
        "# gate: no row has gate",
    ] {
        assert!(ended.out.contains(text), "no {text:?} in:\n{}", ended.out);
    }
    let lines = columns(&ended);
    assert!(
        lines.contains(&"number = { type = \"integer\", path = \"flight\" }"),
        "{lines:?}"
    );
    assert!(
        !ended.out.contains("# distance_miles"),
        "whole numbers are floats too:\n{}",
        ended.out
    );
}

#[test]
fn nested_rows_and_csv_are_found_out() {
    let row = r#"{"id":1,"paid":{"at":1719835200000,"by":{"name":"a"}},"name":"x"}"#;
    let folder = Folder::with(&[
        ("rows.jsonl", row),
        (
            "rows.csv",
            "a;at;note\n1;2024-07-01 12:00:00;\"x;y\"\n2.5;2024-07-01 12:00:01;\n",
        ),
    ]);
    folder.write(
        "pipeline.toml",
        "name = \"p\"\n[sources.json]\nfiles = \"rows.jsonl\"\n\
         [sources.csv]\nfiles = \"rows.csv\"\nformat = \"csv\"\ndelimiter = \";\"\n",
    );
    let ended = folder.run(&["check", "--infer"]).expect(0);
    assert_eq!(
        columns(&ended),
        [
            "[sources.json.columns]",
            "id = \"integer\"",
            "at = { type = \"time\", path = \"paid.at\", format = \"epoch-ms\" }",
            "paid_by_name = { type = \"text\", path = \"paid.by.name\" }",
            "name = \"text\"",
            "[sources.csv.columns]",
            "a = \"float\"",
            "at = { type = \"time\", format = \"sql\" }",
            "note = \"text?\"",
        ]
    );
}

#[test]
fn what_cannot_be_found_out_says_why() {
    let folder = Folder::with(&[("rows.csv", "a,b\n1,2\n"), ("empty.jsonl", "")]);
    let with = |files: &str| {
        folder.write(
            "pipeline.toml",
            &format!("name = \"p\"\n[sources.s]\n{files}\n"),
        );
        folder.run(&["check", "--infer"])
    };
    with("files = \"rows.csv\"").expect(2).says(&[
        "not in format json",
        "write `format = \"csv\"` into [sources.s]",
    ]);
    with("files = \"empty.jsonl\"")
        .expect(2)
        .says(&["have no rows", "hint: "]);
    with("files = \"absent.jsonl\"")
        .expect(2)
        .says(&["cannot read absent.jsonl"]);
    with("stdin = {}")
        .expect(2)
        .says(&["no source reads files", "hint: "]);
}
