//! What this process has used: CPU time of all threads, and wall-clock time.

use std::time::Instant;

/// Time spent between two moments, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// CPU time, user and system, all threads.
    pub cpu: f64,
    /// Wall-clock time.
    pub wall: f64,
}

/// Runs something and says what it took.
pub fn of<T>(run: impl FnOnce() -> T) -> (T, Spent) {
    let (cpu, wall) = (cpu(libc::RUSAGE_SELF), Instant::now());
    let done = run();
    (
        done,
        Spent {
            cpu: self::cpu(libc::RUSAGE_SELF) - cpu,
            wall: wall.elapsed().as_secs_f64(),
        },
    )
}

/// CPU time of all processes that this one has waited for, in seconds.
pub fn children_cpu() -> f64 {
    cpu(libc::RUSAGE_CHILDREN)
}

fn cpu(whose: i32) -> f64 {
    // SAFETY: an all-zero rusage is a valid value, and the call only writes to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(whose, &mut usage);
        usage
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// CPU time of the calling thread, in seconds.
pub fn thread_cpu() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call only writes to what it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
