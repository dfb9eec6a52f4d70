//! What became of files while nobody read them: those that are read on, those that are refused, those that may go.

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use support::Read;
use tidemill_connectors::{
    ColumnSpec, ConnectorError, FilesSpec, FormatKind, FormatSpec, LogicalType, Opened, Position,
    SourceSpec, StdinSpec, Then, resume_all,
};

fn format() -> FormatSpec {
    let id = ColumnSpec::new("id", LogicalType::Integer, false);
    FormatSpec::new(FormatKind::Json, vec![id])
}

fn source(folder: &Path, path: &str, follow: bool) -> SourceSpec {
    SourceSpec::Files(FilesSpec {
        paths: vec![path.to_owned()],
        base: folder.to_owned(),
        follow,
        format: format(),
    })
}

/// Lines with these numbers, the last one without its newline if that is wanted.
fn lines(from: i64, to: i64) -> String {
    (from..to).map(|id| format!("{{\"id\":{id}}}\n")).collect()
}

type Kept = Vec<(Arc<str>, Position)>;

fn open(source: &SourceSpec, kept: &Kept) -> Result<Opened, ConnectorError> {
    Ok(resume_all(source, &[Arc::new(|| {})], kept)?.remove(0))
}

/// Reads so many rows of each split, or all that is there, and keeps where to go on.
fn read(opened: &mut Opened, most: usize) -> (Vec<String>, Kept) {
    let (mut ids, mut kept) = (Vec::new(), Vec::new());
    for (_, split) in &mut opened.splits {
        let mut read = Read::default();
        while read.rows.len() + read.bad.len() < most {
            let chunk = split.read(most.min(1000)).expect("it can be read");
            read.take(&chunk);
            if chunk.then != Then::More {
                break;
            }
        }
        let row = |row: &String| row.split_once(' ').expect("a row").1.to_owned();
        ids.extend(read.rows.iter().map(row));
        ids.extend(read.bad.iter().map(|bad| bad.code.to_owned()));
        kept.push((split.name().clone(), split.position()));
    }
    (ids, kept)
}

fn ids(from: i64, to: i64) -> Vec<String> {
    (from..to).map(|id| format!("{{\"id\":{id}}}")).collect()
}

/// What somebody does to the folder while nobody reads.
type Act = fn(&Path);

/// What comes of it: the rows that are still given, the names that are forgotten; or why it is refused.
type Outcome = Result<(Vec<String>, &'static [&'static str]), &'static str>;

fn check(follow: bool, path: &str, most: usize, act: Act, outcome: Outcome) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    fs::create_dir(root.join("in")).expect("a folder");
    fs::write(root.join("in/a"), lines(0, 10)).expect("a file");
    fs::write(root.join("in/b"), lines(10, 20)).expect("a file");
    let source = source(root, path, follow);
    let (_, kept) = read(&mut open(&source, &Kept::new()).expect("opens"), most);
    act(root);
    let found = open(&source, &kept);
    match (found, outcome) {
        (Ok(mut opened), Ok((rows, forgotten))) => {
            let (mut found, _) = read(&mut opened, 1000);
            found.sort();
            let mut rows = rows;
            rows.sort();
            assert_eq!(found, rows);
            let names: Vec<&str> = opened.forgotten.iter().map(|name| &**name).collect();
            assert_eq!(names, forgotten);
        }
        (Err(error), Err(part)) => {
            assert!(error.to_string().contains(part), "{error}");
            let hint = error.hint().unwrap_or_default();
            assert!(!hint.is_empty(), "{error} has no hint");
        }
        (Err(error), Ok(_)) => panic!("refused: {error}"),
        (Ok(_), Err(part)) => panic!("not refused: {part}"),
    }
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(path)
        .expect("opens");
    file.write_all(text.as_bytes()).expect("written");
}

fn both(first: Vec<String>, second: Vec<String>) -> Vec<String> {
    [first, second].concat()
}

#[test]
fn files_read_in_part_must_be_as_they_were() {
    let refused: [(Act, &str); 6] = [
        (
            |root| fs::remove_file(root.join("in/a")).expect("removed"),
            "in/a is not there any more",
        ),
        (
            |root| fs::write(root.join("in/a"), lines(0, 2)).expect("cut"),
            "in/a has only 18 bytes",
        ),
        (
            |root| fs::write(root.join("in/a"), lines(50, 90)).expect("replaced"),
            "in/a is another file now",
        ),
        (
            |root| fs::rename(root.join("in/a"), root.join("in/c")).expect("renamed"),
            "in/a is not there any more",
        ),
        (
            |root| fs::rename(root.join("in"), root.join("out")).expect("renamed"),
            "in",
        ),
        (
            |root| {
                let text = fs::read_to_string(root.join("in/a")).expect("read");
                fs::write(root.join("in/a"), text.replace("{\"id\":9}", "{\"id\":7}"))
                    .expect("edited");
            },
            "in/a is another file now: it was replaced or changed",
        ),
    ];
    for (act, part) in refused {
        check(false, "in/*", 4, act, Err(part));
    }
    let rest = || both(ids(4, 10), ids(14, 20));
    check(false, "in/*", 4, |_| {}, Ok((rest(), &[])));
    // A copy of it is as good; what was put beside it is new.
    let copied: Act = |root| {
        fs::copy(root.join("in/a"), root.join("in/a.copy")).expect("copied");
        fs::rename(root.join("in/a.copy"), root.join("in/a")).expect("renamed");
    };
    check(false, "in/*", 4, copied, Ok((rest(), &[])));
    let new: Act = |root| fs::write(root.join("in/aa"), lines(30, 32)).expect("a file");
    check(false, "in/*", 4, new, Ok((both(rest(), ids(30, 32)), &[])));
}

#[test]
fn files_that_were_read_to_their_ends_may_go() {
    let gone: Act = |root| fs::remove_file(root.join("in/a")).expect("removed");
    check(false, "in/*", 1000, |_| {}, Ok((vec![], &[])));
    check(false, "in/*", 1000, gone, Ok((vec![], &["in/a"])));
    check(false, "in", 1000, gone, Ok((vec![], &["in/a"])));
    check(false, "in/a", 1000, gone, Ok((vec![], &["in/a"])));
    let all: Act = |root| {
        fs::remove_file(root.join("in/a")).expect("removed");
        fs::remove_file(root.join("in/b")).expect("removed");
    };
    check(false, "in/*", 1000, all, Ok((vec![], &["in/a", "in/b"])));
    // Another file by that name is a new one.
    let replaced: Act = |root| fs::write(root.join("in/a"), lines(40, 43)).expect("replaced");
    check(false, "in/*", 1000, replaced, Ok((ids(40, 43), &["in/a"])));
    // One that has grown by whole lines is read on.
    let grown: Act = |root| append(&root.join("in/a"), &lines(40, 43));
    check(false, "in/*", 1000, grown, Ok((ids(40, 43), &[])));
}

#[test]
fn followed_files_are_read_on_wherever_they_were_moved() {
    let grown: Act = |root| append(&root.join("in/a"), &lines(40, 43));
    check(true, "in/*", 1000, grown, Ok((ids(40, 43), &[])));
    let moved: Act = |root| {
        append(&root.join("in/a"), &lines(40, 43));
        fs::rename(root.join("in/a"), root.join("in/a.1")).expect("renamed");
    };
    check(true, "in/*", 1000, moved, Ok((ids(40, 43), &[])));
    check(true, "in/a", 1000, moved, Ok((ids(40, 43), &[])));
    let gone: Act = |root| fs::remove_file(root.join("in/a")).expect("removed");
    check(true, "in/*", 1000, gone, Ok((vec![], &["in/a"])));
    check(true, "in/*", 4, gone, Err("in/a is not there any more"));
    check(true, "in/a", 1000, gone, Err("in/a is not there any more"));
    let replaced: Act = |root| {
        fs::remove_file(root.join("in/a")).expect("removed");
        fs::write(root.join("in/a"), lines(70, 99)).expect("a file");
    };
    check(
        true,
        "in/a",
        1000,
        replaced,
        Err("in/a is another file now"),
    );
    let half: Act = |root| append(&root.join("in/a"), "{\"id\":");
    check(true, "in/*", 1000, half, Ok((vec![], &[])));
    check(
        false,
        "in/*",
        1000,
        half,
        Ok((vec!["syntax".to_owned()], &[])),
    );
}

#[test]
fn standard_input_and_other_splits_cannot_be_read_on() {
    let stdin = SourceSpec::Stdin(StdinSpec { format: format() });
    assert!(!stdin.resumes());
    let kept = |at| vec![("stdin".into(), at)];
    let refused = open(&stdin, &kept(Position::Stream { finished: false }));
    let error = refused.err().expect("nothing comes twice").to_string();
    assert!(error.contains("cannot be read on"), "{error}");
    let mut ended = open(&stdin, &kept(Position::Stream { finished: true })).expect("opens");
    assert_eq!(read(&mut ended, 10).0, Vec::<String>::new());
}

/// Reads until so many rows have come.
fn wait(opened: &mut Opened, rows: usize) -> (Vec<String>, Kept) {
    let start = Instant::now();
    let (mut all, mut kept) = read(opened, 1000);
    while all.len() < rows {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "only {all:?} came"
        );
        std::thread::sleep(Duration::from_millis(20));
        let (more, at) = read(opened, 1000);
        all.extend(more);
        kept = at;
    }
    (all, kept)
}

#[test]
fn a_rotated_file_is_read_to_its_end_and_then_its_successor() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let log = root.join("app.log");
    for pattern in ["app.log", "app.log*"] {
        let _ = fs::remove_file(root.join("app.log.1"));
        let _ = fs::remove_file(root.join("app.log.2"));
        fs::write(&log, lines(0, 3)).expect("a file");
        let source = source(root, pattern, true);
        let mut opened = open(&source, &Kept::new()).expect("opens");
        assert_eq!(wait(&mut opened, 3).0, ids(0, 3));
        fs::rename(&log, root.join("app.log.1")).expect("rotated");
        // Who writes has not heard of it yet.
        append(&root.join("app.log.1"), &lines(3, 5));
        fs::write(&log, lines(5, 8)).expect("a successor");
        append(&root.join("app.log.1"), "{\"id\":99}");
        let (rows, kept) = wait(&mut opened, 6);
        let expected = both(both(ids(3, 5), ids(99, 100)), ids(5, 8));
        assert_eq!(rows, expected, "its last line has no newline, and is one");
        drop(opened);
        // What was read before is no new file, by whatever name.
        fs::rename(root.join("app.log.1"), root.join("app.log.2")).expect("rotated");
        append(&log, &lines(8, 10));
        fs::rename(&log, root.join("app.log.1")).expect("rotated");
        fs::write(&log, lines(10, 12)).expect("a successor");
        let mut opened = open(&source, &kept).expect("opens");
        assert_eq!(opened.names.len(), 1, "{:?}", opened.names);
        assert_eq!(wait(&mut opened, 4).0, ids(8, 12));
        assert!(
            opened
                .later
                .as_ref()
                .is_none_or(|later| later.next().is_none())
        );
    }
}

#[test]
fn a_compressed_file_that_grows_is_followed_member_by_member() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.gz");
    let member = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).expect("compressed");
        encoder.finish().expect("compressed")
    };
    let (first, second) = (member(&lines(0, 5)), member(&lines(5, 9)));
    let (begun, rest) = second.split_at(second.len() / 2);
    fs::write(&path, [&first, begun].concat()).expect("a file");
    let source = source(folder.path(), "a.gz", true);
    let mut opened = open(&source, &Kept::new()).expect("opens");
    let (mut rows, kept) = wait(&mut opened, 5);
    fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(rest))
        .expect("written");
    let mut resumed = open(&source, &kept).expect("opens");
    let (resumed, _) = wait(&mut resumed, 9 - rows.len());
    assert_eq!(both(rows.clone(), resumed), ids(0, 9));
    rows.extend(wait(&mut opened, 9 - rows.len()).0);
    assert_eq!(rows, ids(0, 9));
}
