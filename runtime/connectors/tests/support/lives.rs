//! Lives of a sink whose rows are published with checkpoints.
#![allow(dead_code)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tidemill_connectors::{
    Cut, Encoding, Ending, FolderSpec, Life, Missing, Pending, Roll, SharedSink, Sink, SinkSpec,
};

use crate::support::faulty::Faulty;
use crate::support::numbers::schema;

/// A sink of CSV in a folder.
pub fn folder_sink(folder: &Path, roll: Roll) -> SinkSpec {
    SinkSpec::Folder(FolderSpec {
        roll,
        ..FolderSpec::new(folder, Encoding::CSV)
    })
}

/// A life of the process.
pub fn life(incarnation: &str, effects: &Arc<Faulty>) -> Life {
    Life {
        owner: "p1-out".into(),
        incarnation: incarnation.into(),
        effects: effects.clone(),
        transactions: None,
    }
}

/// A sink in one life of the process, with one worker.
pub fn open(
    spec: &SinkSpec,
    incarnation: &str,
    pending: &[Pending],
) -> (SharedSink, Box<dyn Sink>) {
    let effects = Arc::new(Faulty::new(None));
    let life = life(incarnation, &effects);
    let sink = spec.open_kept(schema(), false, &life).expect("opens");
    sink.restore(pending, 1, Missing::Refuse).expect("goes on");
    let hand = sink.writer(0);
    (sink, hand)
}

/// A cut in the middle.
pub fn cut(checkpoint: u64) -> Cut {
    Cut {
        checkpoint,
        ending: Ending::Nothing,
    }
}

/// The last cut.
pub fn last(checkpoint: u64) -> Cut {
    Cut {
        checkpoint,
        ending: Ending::Everything,
    }
}

/// A whole checkpoint, with what it keeps.
pub fn checkpoint(sink: &SharedSink, hand: &mut dyn Sink, cut: &Cut) -> Vec<Pending> {
    let pending = vec![hand.cut(cut).expect("cut")];
    sink.secure(&pending).expect("durable");
    sink.publish(&pending).expect("published");
    pending
}

/// The names of all files in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}
