//! What a process used.

use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

/// How often its memory is looked at. What is read is its peak so far, so that only what the last moment adds is missed.
const LOOK: Duration = Duration::from_millis(2);

/// How a process ended and what it used.
#[derive(Debug)]
pub struct Usage {
    /// Its exit code, or none if a signal ended it.
    pub code: Option<i32>,
    /// The peak of its resident memory.
    pub peak_mib: f64,
    /// CPU time, with that of the children that it waited for: of the process that compiles.
    pub cpu_s: f64,
}

/// Waits for a process.
pub fn wait(child: Child) -> Usage {
    let pid = child.id() as libc::pid_t;
    let (mut status, mut peak_mib) = (0, 0.0);
    // SAFETY: an all-zero rusage is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        peak_mib = peak(pid).unwrap_or(peak_mib);
        // SAFETY: the call writes to both places and to nothing else. The process is our child, and nobody else waits for
        // it: the handle was given up to this function.
        let ended = unsafe { libc::wait4(pid, &mut status, libc::WNOHANG, &mut usage) };
        match ended {
            0 => sleep(LOOK),
            ended if ended == pid => break,
            _ => panic!(
                "waiting for the process: {}",
                std::io::Error::last_os_error()
            ),
        }
    }
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    Usage {
        code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
        peak_mib,
        cpu_s: seconds(usage.ru_utime) + seconds(usage.ru_stime),
    }
}

/// The peak so far. Not of `wait4`, which counts what this process had when it forked.
fn peak(pid: libc::pid_t) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
