//! A real schema registry: Apicurio, which speaks as Confluent's does, with everything in memory.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, mem, process, thread};

use anyhow::{Context, Result, bail, ensure};

/// Which Apicurio; `scripts/setup` reads it here.
const VERSION: &str = "2.6.13.Final";

/// Where it speaks as Confluent's.
const BASE: &str = "/apis/ccompat/v7";

/// How long it may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs a command until standard input ends, which it does with the process that started this, however that went. What it says goes to a
/// file, which goes with it.
const WARDEN: &str =
    r#"log=$1; shift; "$@" >"$log" 2>&1 </dev/null & cat >/dev/null; kill -KILL $!; rm -f "$log""#;

/// A registry that runs.
#[derive(Debug)]
pub struct SchemaRegistry {
    address: String,
}

/// The registry of this process, started by the first who asks for it.
///
/// # Panics
/// If it cannot be started.
pub fn registry() -> &'static SchemaRegistry {
    static REGISTRY: OnceLock<SchemaRegistry> = OnceLock::new();
    REGISTRY.get_or_init(|| start().unwrap_or_else(|error| panic!("no schema registry: {error:#}")))
}

impl SchemaRegistry {
    /// Its address, as pipeline files have it.
    pub fn url(&self) -> String {
        format!("http://{}{BASE}", self.address)
    }

    /// Puts a schema under a subject; `kind` is `AVRO` or `PROTOBUF`. Gives its number.
    ///
    /// # Panics
    /// If it is not taken.
    pub fn register(&self, subject: &str, kind: &str, schema: &str) -> u32 {
        let body = format!(r#"{{"schemaType":"{kind}","schema":{}}}"#, quoted(schema));
        let said = self.must("POST", &format!("/subjects/{subject}/versions"), &body);
        let number = said.trim().strip_prefix(r#"{"id":"#);
        let number = number.and_then(|rest| rest.strip_suffix('}')?.parse().ok());
        number.unwrap_or_else(|| panic!("no number: {said}"))
    }

    /// Sets which schemas may follow those that a subject has: `BACKWARD`, say.
    ///
    /// # Panics
    /// If it is not taken.
    pub fn rule(&self, subject: &str, rule: &str) {
        let body = format!(r#"{{"compatibility":"{rule}"}}"#);
        self.must("PUT", &format!("/config/{subject}"), &body);
    }

    /// How many schemas a subject has.
    pub fn versions(&self, subject: &str) -> usize {
        let (status, said) = self
            .ask("GET", &format!("/subjects/{subject}/versions"), "")
            .expect("an answer");
        match status {
            200 => said
                .split(',')
                .filter(|part| !part.trim().is_empty())
                .count(),
            _ => 0,
        }
    }

    fn must(&self, method: &str, path: &str, body: &str) -> String {
        let (status, said) = self.ask(method, path, body).expect("an answer");
        assert_eq!(status, 200, "{method} {path}: {said}");
        said
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let (address, length) = (&self.address, body.len());
        // In HTTP/1.0 an answer ends where the connection does.
        let request = format!(
            "{method} {BASE}{path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        let status = head.split(' ').nth(1).context("no status")?;
        Ok((status.parse()?, body.to_owned()))
    }
}

fn start() -> Result<SchemaRegistry> {
    let folder = crate::cache()?.join(format!("apicurio-{VERSION}"));
    let jar = folder.join(format!("apicurio-registry-app-{VERSION}-runner.jar"));
    ensure!(
        jar.is_file(),
        "{} is not there\nhint: scripts/setup test brings it",
        jar.display()
    );
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let log = env::temp_dir().join(format!("tidemill-test-registry-{}.log", process::id()));
    let mut child = Command::new("sh")
        .args(["-c", WARDEN, "warden"])
        .arg(&log)
        .args(["java", "-XX:TieredStopAtLevel=1", "-Xmx256m"])
        .arg("-Dregistry.datasource.url=jdbc:h2:mem:registry")
        .arg("-Dquarkus.http.host=127.0.0.1")
        .arg(format!("-Dquarkus.http.port={port}"))
        .arg("-jar")
        .arg(&jar)
        .stdin(Stdio::piped())
        .spawn()
        .context("sh")?;
    // Held until the process has ended, in whichever way: then the kernel closes it.
    mem::forget(child.stdin.take());
    let registry = SchemaRegistry {
        address: format!("127.0.0.1:{port}"),
    };
    let began = Instant::now();
    while !matches!(registry.ask("GET", "/subjects", ""), Ok((200, _))) {
        if began.elapsed() > PATIENCE {
            bail!("it does not answer; it said:\n{}", tail(&log));
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(registry)
}

/// The last that it has said.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
