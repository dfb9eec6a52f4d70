//! Processes that end on purpose: `tidemill stop` reaches all, and others have at once what one leaves behind.

use super::*;

#[test]
fn stop_ends_all_processes_also_those_without_a_task() {
    let (from, to) = (Topic::new("payments", 1), Topic::new("sums", 1));
    let text = sums(&from, &to, ("on-one-host", ""));
    let folder = Folder::with(&[("pipeline.toml", &text)]);
    let a = Instance::start(&folder, "a");
    a.runs(1);
    let idle = Instance::start(&folder, "idle");
    from.produce(&payments(0..100));
    wait_for(&to, 100);
    let instance = folder
        .path()
        .join("checkpoints-on-one-host/shared/instances/idle/lock");
    let began = Instant::now();
    while !instance.exists() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    let stopped = folder.run(&["stop"]).expect(0);
    assert!(stopped.out.starts_with("0="), "{}", stopped.out);
    assert_eq!(
        stopped.err.matches("has ended").count(),
        2,
        "{}",
        stopped.err
    );
    a.ends(0);
    let said = idle.ends(0);
    assert!(
        said.iter().any(|line| line.contains("asks for an end")),
        "{said:#?}"
    );
    folder.run(&["stop"]).expect(1).says(&["does not run"]);
    // Where none has a task, since there is no topic yet.
    let text = text.replace(from.name(), &format!("{}-later", from.name()));
    folder.write("pipeline.toml", &text.replace("checkpoints-", "later-"));
    let waits = Instance::start(&folder, "waits");
    waits
        .said
        .until("line that says what it waits for", |line| {
            line.contains("waits for")
        });
    folder.run(&["stop"]).expect(0).says(&["has ended"]);
    waits.ends(0);
}

#[test]
fn what_a_process_leaves_others_have_at_once() {
    let (from, to) = (Topic::new("payments", 4), Topic::new("sums", 4));
    // Far longer than a test that would wait for it.
    let text = sums(&from, &to, ("on-one-host", "")).replace("\"6000\"", "\"45000\"");
    let folder = Folder::with(&[("pipeline.toml", &text)]);
    let a = Instance::start(&folder, "a");
    a.runs(4);
    let b = Instance::start(&folder, "b");
    b.runs(2);
    from.produce(&payments(0..1000));
    wait_for(&to, 1000);
    let began = Instant::now();
    a.signal(Signal::TERM);
    a.ends(0);
    b.runs(4);
    from.produce(&payments(1000..2000));
    wait_for(&to, 2000);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    folder.run(&["stop"]).expect(0);
    b.ends(0);
    assert_eq!(by_key(&to), of_one(&folder, &from));
}
