//! Files as people and registries have them.

use super::*;

fn types(text: &str) -> Result<Types, String> {
    Types::new(text, &|_| None)
}

const ALL: &str = r#"
// A comment. /* not one */
syntax = "proto3"; /* another // one */
package a.b;
import public "google/protobuf/timestamp.proto";
import "confluent/meta.proto";
option java_package = "x.y";
option (my.option) = { a: [1, 2], b: "}" };

message First {
  option (confluent.message_meta).doc = "it; is {";
  reserved 2, 15, 9 to 11;
  reserved "foo";
  int64 plain = 1 [deprecated = true, (x).y = { z: ";" }];
  optional string told = 0x10;
  repeated fixed32 many = 017;
  map<string, Second> by_name = 5;
  google.protobuf.Timestamp at = 6;
  oneof either { option (o) = 1; bool yes = 7; Second.Kind no = 8; }
  message Inner { message Deep { sint32 n = 1; } Deep deep = 1; Inner self = 2; }
  Inner inner = 20;
  .a.b.Second outer = 21;
  int32 message = 22;
}
message Second { enum Kind { option allow_alias = true; ZERO = 0; LESS = -1; ALSO = 0 [deprecated = true]; reserved 5; } }
service Calls { rpc Get (First) returns (stream Second) { option idempotent = true; } }
extend google.protobuf.MessageOptions { string my = 5000; }
;
"#;

#[test]
fn all_of_the_language_is_read() {
    let types = types(ALL).expect("a file");
    let first = types.message_named("a.b.First").expect("a message");
    let shown: Vec<String> = first
        .fields
        .iter()
        .map(|field| {
            format!(
                "{} {} {:?} {:?}",
                field.name, field.number, field.label, field.oneof
            )
        })
        .collect();
    let expected = [
        "plain 1 Implicit None",
        "told 16 Explicit None",
        "many 15 Repeated None",
        "by_name 5 Repeated None",
        "at 6 Implicit None",
        "yes 7 Explicit Some(0)",
        "no 8 Explicit Some(0)",
        "inner 20 Implicit None",
        "outer 21 Implicit None",
        "message 22 Implicit None",
    ];
    assert_eq!(shown, expected);
    let message = |name: &str| types.resolve(name, first);
    let full = |named| match named {
        Ok(Named::Message(number)) => types.message(number).name.clone(),
        other => format!("{other:?}"),
    };
    assert_eq!(full(message("Inner.Deep")), "a.b.First.Inner.Deep");
    assert_eq!(full(message("b.Second")), "a.b.Second");
    assert_eq!(full(message(".a.b.Second")), "a.b.Second");
    assert_eq!(full(message("google.protobuf.Timestamp")), known::MOMENT);
    let Ok(Named::Enum(kind)) = message("Second.Kind") else {
        panic!("no enum")
    };
    let values = &types.enumeration(kind).values;
    let expected = [("ZERO", 0), ("LESS", -1), ("ALSO", 0)].map(|(name, n)| (name.to_owned(), n));
    assert_eq!(*values, expected);
    let unknown = message("confluent.Meta").expect_err("it is nowhere");
    assert!(unknown.contains("confluent/meta.proto"), "{unknown}");
}

#[test]
fn a_message_is_found_by_its_place_and_the_other_way_round() {
    let text = "message A { optional group G = 1 { optional int32 n = 1; } map<int32, int32> m = 2; message B {} message C { message D {} } }
                message E {}";
    let types = types(text).expect("a file");
    let cases: [(&[usize], &str); 5] = [
        (&[0], "A"),
        (&[0, 0], "A.B"),
        (&[0, 1], "A.C"),
        (&[0, 1, 0], "A.C.D"),
        (&[1], "E"),
    ];
    for (place, name) in cases {
        let message = types.message_at(place).expect(name);
        assert_eq!(message.name, name);
        assert_eq!(types.place_of(message).as_deref(), Some(place));
    }
    for place in [&[][..], &[2], &[1, 0], &[0, 2]] {
        assert!(types.message_at(place).is_none(), "{place:?}");
    }
}

#[test]
fn each_language_says_what_is_told_from_nothing() {
    use Label::{Explicit, Implicit, Required};
    let cases: [(&str, &str, Label); 9] = [
        ("", "optional int32 n = 1;", Explicit),
        ("", "required int32 n = 1;", Required),
        (
            r#"syntax = "proto2";"#,
            "optional int32 n = 1 [default = 5];",
            Explicit,
        ),
        (r#"syntax = "proto3";"#, "int32 n = 1;", Implicit),
        (r#"syntax = "proto3";"#, "optional int32 n = 1;", Explicit),
        (r#"edition = "2023";"#, "int32 n = 1;", Explicit),
        (
            r#"edition = "2023"; option features.field_presence = IMPLICIT;"#,
            "int32 n = 1;",
            Implicit,
        ),
        (
            r#"edition = "2023"; option features = { field_presence: IMPLICIT };"#,
            "int32 n = 1 [features.field_presence = EXPLICIT];",
            Explicit,
        ),
        (
            r#"edition = "2023";"#,
            "int32 n = 1 [features.field_presence = LEGACY_REQUIRED];",
            Required,
        ),
    ];
    for (head, field, label) in cases {
        let types = types(&format!("{head} message M {{ {field} }}")).expect(field);
        let found = types.message_named("M").expect("a message").fields[0].label;
        assert_eq!(found, label, "{head} {field}");
    }
}

#[test]
fn what_is_no_file_is_said_with_its_line() {
    let deep = "message M { ".repeat(65);
    let cases: [(&str, &str); 14] = [
        ("\nmessage M {", "line 2: expected a name, and it ends"),
        (
            "message M { int32 = 1; }",
            "line 1: expected a name, found `=`",
        ),
        (
            "message M { int32 n = 0; }",
            "a field's number is 1 to 536870911",
        ),
        ("message M { int32 n = x; }", "expected a number, found `x`"),
        ("message M { int32 n = 1 }", "line 1: expected `;`"),
        (
            "message M { int32 n = 1; int32 m = 1; }",
            "two fields of number 1",
        ),
        ("message M {} message M {}", "M is defined twice"),
        ("import \"a", "line 1: a text has no end"),
        ("/*/", "line 1: a comment has no end"),
        ("message M { option x = {;", "a bracket is not closed"),
        ("service S", "expected `{`"),
        ("{\"type\":\"record\"}", "expected a definition, found `{`"),
        (
            "enum E { A = 99999999999; }",
            "an enum's value is too large",
        ),
        (&deep, "more than 64 deep"),
    ];
    for (text, why) in cases {
        let said = types(text).expect_err(text);
        assert!(said.contains(why), "{text}: {said}");
    }
    let types = types("package p; message A {} message B {}").expect("a file");
    let said = types.message_named("A").expect_err("it is in a package");
    assert_eq!(said, "it has no message A; it has p.A, p.B");
}

#[test]
fn any_part_of_a_file_is_read_or_refused() {
    let mut read = 0;
    for at in 0..ALL.len() {
        let without = [&ALL[..at], &ALL[at + 1..]].concat();
        read += u32::from(types(&ALL[..at]).is_ok()) + u32::from(types(&without).is_ok());
    }
    assert!(read > 100, "{read} of {}", 2 * ALL.len());
}
