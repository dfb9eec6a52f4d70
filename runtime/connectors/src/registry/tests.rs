//! A registry that answers what it is told to.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::*;

/// What is answered where, and what has been asked.
fn serve(answers: &[(&str, u16, &str)]) -> (Registry, Receiver<String>) {
    let answers: HashMap<String, (u16, String)> = answers
        .iter()
        .map(|&(path, status, body)| (path.to_owned(), (status, body.to_owned())))
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (asked, was_asked) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
            let line = lines.next().expect("a request").expect("text");
            let path = line.split(' ').nth(1).expect("a path").to_owned();
            let user = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty());
            let user = user.filter(|line| line.starts_with("authorization: "));
            let user: Vec<String> = user.collect();
            let nothing = (404, r#"{"error_code":40403}"#.to_owned());
            let (status, body) = answers.get(&path).cloned().unwrap_or(nothing);
            let _ = asked.send(format!("{path} {}", user.concat()));
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} It\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    let registry = Registry::new(RegistrySpec {
        url: format!("http://{address}/base/"),
        user: Some("ada".to_owned()),
        password: Some("secret".to_owned()),
    });
    (registry, was_asked)
}

#[test]
fn a_schema_is_asked_for_once_with_all_that_it_needs() {
    let (registry, asked) = serve(&[
        (
            "/base/schemas/ids/7",
            200,
            r#"{"schema":"\"A\"","references":[{"name":"b","subject":"b/c","version":2}]}"#,
        ),
        (
            "/base/subjects/b%2Fc/versions/2",
            200,
            r#"{"subject":"b/c","id":3,"version":2,"schema":"\"B\"","references":null}"#,
        ),
    ]);
    for _ in 0..2 {
        let schema = registry.clone().schema(7).expect("an answer");
        let expected = Registered {
            kind: "AVRO".to_owned(),
            text: "\"A\"".to_owned(),
            references: vec![("b".to_owned(), "\"B\"".to_owned())],
        };
        assert_eq!(schema.as_deref(), Some(&expected));
    }
    let asked: Vec<String> = asked.try_iter().collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    // ada:secret
    assert!(asked[0].ends_with("Basic YWRhOnNlY3JldA=="), "{asked:?}");
}

#[test]
fn what_is_unknown_is_not_what_cannot_be_asked() {
    let (registry, asked) = serve(&[
        ("/base/schemas/ids/1", 503, "later"),
        ("/base/schemas/ids/2", 401, "who?"),
        ("/base/schemas/ids/3", 200, "<html>"),
    ]);
    assert_eq!(registry.schema(9).expect("an answer"), None);
    assert_eq!(registry.schema(9).expect("it is known"), None);
    assert_eq!(asked.try_iter().count(), 1);
    let of = |number| registry.schema(number).expect_err("no answer");
    assert!(of(1).may_pass());
    assert!(!of(2).may_pass() && of(2).to_string().contains("401"));
    assert!(!of(3).may_pass() && of(3).to_string().contains("is no schema"));
    assert!(!of(2).to_string().contains("secret") && !format!("{registry:?}").contains("secret"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let spec = RegistrySpec {
        url: url.clone(),
        user: None,
        password: None,
    };
    let error = Registry::new(spec).schema(1).expect_err("nobody is there");
    assert!(
        error.may_pass() && error.to_string().contains(&url),
        "{error}"
    );
}

#[test]
fn a_number_stands_in_front_of_a_value() {
    assert_eq!(numbered(&[0, 0, 0, 1, 2, 9]), Some((258, &[9][..])));
    assert_eq!(numbered(&[0, 0, 0, 0, 1]), Some((1, &[][..])));
    for value in [&[][..], &[0, 0, 0, 1], &[1, 0, 0, 0, 1, 9], b"{\"a\":1}"] {
        assert_eq!(numbered(value), None);
    }
}
