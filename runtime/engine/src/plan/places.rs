//! Where rows are read and written, held against the file system: files are there and can be read, places can be written,
//! and nothing is written over what is read.
//!
//! The file's own text was held against itself before, by [`tidemill_pipeline`]; here paths are followed to where they lead.

use std::path::{Path, PathBuf};

use tidemill_connectors::sink::place;
use tidemill_connectors::{ConnectorError, FilesSpec, SourceSpec};
use tidemill_pipeline::nearest::nearest;
use tidemill_pipeline::{
    Connector, Diagnostics, Pipeline, Sink, SinkConnector, Source, Span, Spanned,
};

/// Says what of a source cannot be read: each path by itself.
pub fn check_source(d: &mut Diagnostics, source: &Source, spec: &SourceSpec) {
    let (SourceSpec::Files(files), Connector::Files(written)) = (spec, &source.connector.value)
    else {
        return;
    };
    for path in &written.patterns {
        let one = FilesSpec {
            paths: vec![path.value.clone()],
            ..files.clone()
        };
        if let Err(error) = one.readable() {
            unreadable(d, path, &files.base, &error);
        }
    }
}

fn unreadable(d: &mut Diagnostics, path: &Spanned<String>, base: &Path, error: &ConnectorError) {
    let (title, hint) = said(error);
    let problem = d.error(&path.span, title);
    problem.label("this cannot be read");
    match neighbour(&base.join(&path.value)) {
        Some(near) => problem.help(format!(
            "did you mean `{}`?",
            Path::new(&path.value).with_file_name(near).display()
        )),
        None => match hint {
            Some(hint) => problem.help(hint),
            None => problem,
        },
    };
}

/// An error's text, and what to do about it.
fn said(error: &ConnectorError) -> (String, Option<&'static str>) {
    match error {
        ConnectorError::Unavailable { what, error, hint } => {
            (format!("{what}: {error}"), Some(hint))
        }
        other => (other.to_string(), None),
    }
}

/// The name in its folder that a missing file's name is most like.
pub fn neighbour(missing: &Path) -> Option<String> {
    // A link that leads nowhere has the right name.
    if missing.symlink_metadata().is_ok() {
        return None;
    }
    let name = missing.file_name()?.to_str()?;
    let folder = missing.parent().filter(|folder| *folder != Path::new(""));
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Says which sinks cannot write where they should, and which would write over something else that the pipeline uses.
pub fn check(pipeline: &Pipeline, d: &mut Diagnostics) {
    let targets: Vec<(&Sink, Target)> = pipeline
        .sinks
        .iter()
        .filter_map(|sink| Some((sink, Target::of(sink)?)))
        .collect();
    for (n, (sink, target)) in targets.iter().enumerate() {
        if let Err(error) = target.writable() {
            let (title, hint) = said(&error);
            let problem = d.error(&sink.connector.span, title);
            problem.label("this sink cannot write");
            if let Some(hint) = hint {
                problem.help(hint);
            }
            continue;
        }
        over_sink(sink, target, &targets[..n], d);
        over_source(pipeline, sink, target, d);
        over_own(pipeline, sink, target, d);
    }
}

/// Where a sink writes, with every link followed.
struct Target {
    written: PathBuf,
    real: PathBuf,
    folder: bool,
}

impl Target {
    fn of(sink: &Sink) -> Option<Self> {
        let (path, folder) = match &sink.connector.value {
            SinkConnector::File(path) => (path, false),
            SinkConnector::Folder(folder) => (&folder.path, true),
            SinkConnector::Stdout | SinkConnector::Kafka(_) | SinkConnector::Blackhole => {
                return None;
            }
        };
        Some(Self {
            written: path.clone(),
            real: real(path),
            folder,
        })
    }

    fn writable(&self) -> Result<(), ConnectorError> {
        match self.folder {
            true => place::check_folder(&self.written),
            false => place::check_file(&self.written),
        }
    }

    /// A file that it writes.
    fn file(&self) -> PathBuf {
        match self.folder {
            true => self.real.join("part-00000-000000.jsonl"),
            false => self.real.clone(),
        }
    }
}

/// A path with every link followed, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let here = Path::new(".");
    let path = if path == Path::new("") { here } else { path };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for there in absolute.ancestors() {
        if let (Ok(real), Ok(rest)) = (there.canonicalize(), absolute.strip_prefix(there)) {
            // Joining nothing would add a slash.
            return if rest == Path::new("") {
                real
            } else {
                real.join(rest)
            };
        }
    }
    absolute
}

fn over_sink(sink: &Sink, target: &Target, before: &[(&Sink, Target)], d: &mut Diagnostics) {
    let same = before.iter().find(|(_, first)| first.real == target.real);
    if let Some((first, _)) = same {
        d.error(
            &sink.connector.span,
            format!("two sinks write to `{}`", target.written.display()),
        )
        .label(format!("sink `{}` here", sink.name))
        .also(
            &first.connector.span,
            format!("sink `{}` here, by another path", first.name),
        )
        .help("write to another place, or let one sink take both: `input = [\"a\", \"b\"]`");
    }
}

fn over_source(pipeline: &Pipeline, sink: &Sink, target: &Target, d: &mut Diagnostics) {
    for source in &pipeline.sources {
        let Connector::Files(files) = &source.connector.value else {
            continue;
        };
        let base = real(&pipeline.folder);
        let reads =
            |path: &&Spanned<String>| FilesSpec::would_read(&base, &path.value, &target.file());
        if let Some(path) = files.patterns.iter().find(reads) {
            d.error(
                &sink.connector.span,
                format!("sink `{}` writes what is read", sink.name),
            )
            .label(format!("`{}` is written here", target.written.display()))
            .also(
                &path.span,
                format!("and read by source `{}` here", source.name),
            )
            .help("write to another place: the next run would read what this one wrote");
            return;
        }
    }
}

/// The pipeline file and the modules are written over by nobody.
fn over_own(pipeline: &Pipeline, sink: &Sink, target: &Target, d: &mut Diagnostics) {
    let own = real(d.text().path());
    if own == target.real {
        written_over(sink, "the pipeline file itself", None, d);
    }
    for module in &pipeline.modules {
        if real(&module.file.value) == target.real {
            let what = format!("module `{}`", module.name);
            written_over(sink, &what, Some(&module.file.span), d);
        }
    }
}

fn written_over(sink: &Sink, what: &str, also: Option<&Span>, d: &mut Diagnostics) {
    let problem = d.error(
        &sink.connector.span,
        format!("sink `{}` would write over {what}", sink.name),
    );
    problem.label("its rows would take the place of that file");
    if let Some(span) = also {
        problem.also(span, "which is named here");
    }
    problem.help("write to another place");
}
