//! Several processes share a pipeline: what comes out is what one process makes of it, whoever dies, comes or sleeps.

mod going_back;
mod leaving;

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tidemill_test_kafka::{Act, Proxy, Record, Request, Topic, broker, forget};

use crate::kafka::by_key;
use crate::support::{Folder, Lines, PATIENCE, kinds};

/// The sum of all values of each account so far, with each payment: what is lost or comes twice shows in all that follow. The
/// shortest session that a broker allows.
fn sums(from: &Topic, to: &Topic, (instances, more): (&str, &str)) -> String {
    format!(
        r#"name = "shared"
instances = "{instances}"
workers = 1
[checkpoints]
location = "checkpoints-{instances}"
interval = "100ms"
min-pause = "10ms"
[modules.kinds]
file = "{module}"
[sources.payments]
kafka = {{ brokers = "{broker}", topics = "{from}", group = "{from}-{instances}", properties = {{ "session.timeout.ms" = "6000" }}{more} }}
event-time = "at"
out-of-orderness = "1s"
[sources.payments.columns]
key = {{ type = "text", from = "key" }}
id = "integer"
value = "integer"
bad = "bool"
at = {{ type = "time", format = "epoch-ms" }}
[operators.running]
input = "payments"
key = "key"
window = {{ global = true, trigger = ["on-each-row"] }}
function = "kinds/sum"
[sinks.sums]
input = "running"
kafka = {{ brokers = "{broker}", topic = "{to}", key = "key" }}
"#,
        module = kinds(),
        broker = broker(),
        from = from.name(),
        to = to.name()
    )
}

fn payments(numbers: std::ops::Range<usize>) -> Vec<Record> {
    let payment = |n: usize| {
        let value = n * n % 1009;
        let row = format!(
            r#"{{"id":{n},"value":{value},"bad":false,"at":{}}}"#,
            1_700_000_000_000 + n
        );
        Record::new(row).key(format!("k{}", n % 23))
    };
    numbers.map(payment).collect()
}

/// What one process makes of all that is there.
fn of_one(folder: &Folder, from: &Topic) -> BTreeMap<Vec<u8>, Vec<String>> {
    let to = Topic::new("sums-of-one", 4);
    folder.write("one.toml", &sums(from, &to, ("one", r#", until = "now""#)));
    folder
        .run(&["run", "one.toml", "--at-end", "keep"])
        .expect(0);
    // A transaction is committed before the last of its partitions shows it.
    wait_for(&to, from.committed().len());
    by_key(&to)
}

/// A process, and what it says.
struct Instance {
    child: Child,
    said: Lines,
}

impl Instance {
    fn start(folder: &Folder, name: &str) -> Self {
        Self::start_with(folder, name, &[])
    }

    fn start_with(folder: &Folder, name: &str, more: &[&str]) -> Self {
        let mut command = folder.command(&["run", "--instance", name]);
        command.args(more);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let said = Lines::of(child.stderr.take().expect("a pipe"));
        Self { child, said }
    }

    /// Waits until it runs so many tasks.
    fn runs(&self, tasks: usize) {
        let numbers = |line: &str| {
            let listed = line.split_once(" runs task")?.1.split(" of ").next()?;
            Some(listed.split(',').count())
        };
        let what = format!("line that says that it runs {tasks} tasks");
        self.said.until(&what, |line| numbers(line) == Some(tasks));
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    fn kill(mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends");
    }

    fn ends(mut self, code: i32) -> Vec<String> {
        let said = self.said.rest();
        assert_eq!(
            self.child.wait().expect("it ends").code(),
            Some(code),
            "{said:#?}"
        );
        said
    }
}

fn wait_for(to: &Topic, count: usize) {
    let began = Instant::now();
    while to.committed().len() < count {
        assert!(
            began.elapsed() < PATIENCE,
            "{count} did not come: {}",
            to.committed().len()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_comes_out_is_that_of_one_process_whoever_dies_or_sleeps() {
    let (from, to) = (Topic::new("payments", 4), Topic::new("sums", 4));
    let folder = Folder::with(&[("pipeline.toml", &sums(&from, &to, ("on-one-host", "")))]);
    let a = Instance::start(&folder, "a");
    a.runs(4);
    from.produce(&payments(0..1000));
    wait_for(&to, 1000);
    // A second one comes, and what it gets it goes on with.
    let b = Instance::start(&folder, "b");
    b.runs(2);
    from.produce(&payments(1000..2000));
    wait_for(&to, 2000);
    // One dies and is started again under its name: nobody else gets anything.
    a.kill();
    from.produce(&payments(2000..3000));
    let a = Instance::start(&folder, "a");
    let began = Instant::now();
    a.runs(2);
    wait_for(&to, 3000);
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
    // One sleeps for longer than its session, and the other has everything; it wakes up, and writes nothing of what is not its own.
    a.signal(Signal::STOP);
    from.produce(&payments(3000..4000));
    b.runs(4);
    wait_for(&to, 4000);
    a.signal(Signal::CONT);
    from.produce(&payments(4000..5000));
    a.runs(2);
    // One dies and does not come back.
    b.kill();
    from.produce(&payments(5000..6000));
    a.runs(4);
    wait_for(&to, 6000);
    // Whoever asks ends it.
    let stopped = folder.run(&["stop"]).expect(0);
    assert_eq!(stopped.out.trim().split(',').count(), 4, "{}", stopped.out);
    a.ends(0);
    assert_eq!(by_key(&to), of_one(&folder, &from));
    let listed = folder.run(&["checkpoint", "list"]).expect(0).out;
    assert!(
        listed
            .lines()
            .next()
            .is_some_and(|head| head.starts_with("task")),
        "{listed}"
    );
    folder.run(&["state", "list"]).expect(2).says(&[
        "a sequence of checkpoints for each task",
        "`--task N` names one, from 0 to 3",
    ]);
    let aborted = folder.run(&["kafka", "transactions", "--abort"]).expect(0);
    assert_eq!(aborted.out.matches("aborted").count(), 4, "{}", aborted.out);
    let state = folder.run(&["state", "list", "--task", "2"]).expect(0);
    assert!(state.out.contains("running"), "{}", state.out);
    folder
        .run(&["run", "--set", "instances=\"one\""])
        .expect(2)
        .says(&["has run in several processes, as 4 tasks"]);
}

#[test]
fn a_number_that_is_given_again_before_its_task_has_ended_is_begun_again() {
    let (from, to) = (Topic::new("payments", 2), Topic::new("sums", 2));
    let proxy = Proxy::before(broker());
    let text = sums(&from, &to, ("on-one-host", "")).replace(broker(), &proxy.address());
    let folder = Folder::with(&[("pipeline.toml", &text)]);
    let a = Instance::start(&folder, "a");
    a.runs(2);
    from.produce(&payments(0..200));
    wait_for(&to, 200);
    // It sleeps for longer than its session, and there is nobody else: it loses both and is given both, while the last
    // transaction of one still waits to be committed.
    a.signal(Signal::STOP);
    from.produce(&payments(200..400));
    std::thread::sleep(Duration::from_millis(7500));
    proxy.at(Request::EndTxn, 0, Act::Delay(Duration::from_secs(4)));
    a.signal(Signal::CONT);
    wait_for(&to, 400);
    from.produce(&payments(400..600));
    wait_for(&to, 600);
    folder.run(&["stop"]).expect(0);
    a.ends(0);
    assert_eq!(by_key(&to), of_one(&folder, &from));
}

#[test]
fn bounded_input_ends_all_processes() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("sums", 3));
    from.produce(&payments(0..500));
    let text = sums(&from, &to, ("on-one-host", r#", until = "now""#));
    let folder = Folder::with(&[("pipeline.toml", &text)]);
    let both = [Instance::start(&folder, "a"), Instance::start(&folder, "b")];
    for instance in both {
        instance.ends(0);
    }
    assert_eq!(by_key(&to), of_one(&folder, &from));
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let (from, to) = (Topic::new("payments", 2), Topic::new("sums", 2));
    let text = sums(&from, &to, ("on-one-host", ""));
    let folder = Folder::new();
    let check = |text: String| {
        folder.write("pipeline.toml", &text);
        folder.run(&["check"])
    };
    check(text.clone()).expect(0);
    check(text.replace("from = \"key\"", "path = \"key\""))
        .expect(2)
        .says(&[
            "rows of one key of operator `running` may be in several partitions",
            "nothing is known of how rows of `payments` are spread",
            "partitioned-by",
        ]);
    let told = text.replace("from = \"key\"", "path = \"key\"");
    check(told.replace("topics =", "partitioned-by = \"key\", topics =")).expect(0);
    check(text.replace("\"on-one-host\"", "\"several\""))
        .expect(2)
        .says(&[
            "checkpoints lie in a folder of this host",
            "instances = \"on-one-host\"",
        ]);
    check(text.replace("type = \"text\",", "type = \"text?\","))
        .expect(2)
        .says(&[
            "rows without `key` may be in several partitions",
            "null-key = \"skip\"",
        ]);
    let pattern = format!("topics = \"{}\"", from.name());
    check(text.replace(&pattern, "pattern = \"pay.*\""))
        .expect(2)
        .says(&["reads topics by pattern"]);
    let file = text.split("kafka = { brokers").last().expect("the sink's");
    let file = text.replace(
        &format!("kafka = {{ brokers{file}"),
        "file = \"out.jsonl\"\n",
    );
    check(file)
        .expect(2)
        .says(&["writes one file, and has several writers"]);
    folder.write("pipeline.toml", &text);
    folder
        .run(&["run", "--instance", "a b"])
        .expect(2)
        .says(&["no name for an instance", "`--instance fraud-1`"]);
    folder
        .run(&["run", "--from", "3"])
        .expect(2)
        .says(&["each task has its own"]);
    folder
        .run(&["checkpoint", "list", "--task", "1"])
        .expect(2)
        .says(&["has no tasks"]);
}

#[test]
fn topics_that_do_not_fit_together_are_refused() {
    let (from, other, to) = (
        Topic::new("payments", 2),
        Topic::new("refunds", 3),
        Topic::new("sums", 2),
    );
    let topics = format!("topics = [\"{}\", \"{}\"]", from.name(), other.name());
    let text = sums(&from, &to, ("on-one-host", ""));
    let text = text.replace(&format!("topics = \"{}\"", from.name()), &topics);
    let folder = Folder::with(&[("pipeline.toml", &text)]);
    folder
        .run(&["run"])
        .expect(1)
        .says(&["the topics have different numbers of partitions"]);
}
