//! A pipeline that runs in the background.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::Folder;

/// The run of a pipeline in the background.
pub struct Run {
    pub child: Child,
    /// What it has said so far. Files would be limited as its own are.
    pub err: Arc<Mutex<String>>,
}

impl Run {
    pub fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command: Command = folder.command(args);
        let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let err = Arc::new(Mutex::new(String::new()));
        let (stderr, heard) = (child.stderr.take().expect("a pipe"), err.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut heard = heard.lock().expect("no panic");
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Self { child, err }
    }

    pub fn err(&self) -> String {
        self.err.lock().expect("no panic").clone()
    }

    /// Waits until something is as it must become.
    pub fn until(&mut self, what: &str, mut is: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is() {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                assert!(is(), "ended with {status} before {what}:\n{}", self.err());
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "{what} never came:\n{}",
                self.err()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn ended(&mut self) -> i32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return status.code().expect("no signal ended it");
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "it does not end:\n{}",
                self.err()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        let pid = Pid::from_child(&self.child);
        prlimit(Some(pid), Resource::Fsize, limit).expect("a child of ours");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
