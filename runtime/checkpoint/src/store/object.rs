//! Objects in any store of the crate `object_store`, through calls that block.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tokio::runtime::{Builder, Runtime};

use super::{Listed, Put, Store, StoreError};
use crate::error::{CheckpointError, Happened};

/// Runs what `object_store` does for threads that wait for it. Shared by all stores of a location.
#[derive(Clone)]
pub(crate) struct Runner(Arc<Runtime>);

impl Runner {
    /// One thread for I/O; calls may come from any number of threads.
    pub(crate) fn start() -> Result<Self, CheckpointError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("checkpoint-io")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| {
            CheckpointError::configuration(
                format!("no thread could be started for checkpoints: {error}"),
                "the machine or the container must allow more threads",
            )
        })?;
        Ok(Self(Arc::new(runtime)))
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}

/// A prefix of an object store.
pub(crate) struct ObjectFolder {
    store: Arc<dyn ObjectStore>,
    runner: Runner,
    prefix: Path,
    /// How a person names the prefix.
    place: String,
}

impl ObjectFolder {
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        runner: Runner,
        prefix: Path,
        place: String,
    ) -> Self {
        Self {
            store,
            runner,
            prefix,
            place,
        }
    }

    /// Names are plain ASCII of our own making, so none needs escaping.
    fn path(&self, name: &str) -> Path {
        name.split('/')
            .fold(self.prefix.clone(), |path, part| path.join(part))
    }

    fn failed(&self, doing: &str, name: &str, error: &Error) -> StoreError {
        StoreError {
            what: format!("cannot {doing} {}", self.place(name)),
            error: said(error),
            happened: happened(error),
            hint: hint(error),
        }
    }

    /// Whether there is an object of that name.
    pub(crate) fn is_there(&self, name: &str) -> Result<bool, StoreError> {
        let path = self.path(name);
        match self.runner.wait(self.store.head(&path)) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(e) => Err(self.failed("look for", name, &e)),
        }
    }
}

impl Store for ObjectFolder {
    fn put(&self, name: &str, pieces: &[Bytes]) -> Result<Put, StoreError> {
        let path = self.path(name);
        let payload: PutPayload = pieces.iter().cloned().collect();
        let options = PutOptions::from(PutMode::Create);
        match self
            .runner
            .wait(self.store.put_opts(&path, payload, options))
        {
            Ok(_) => Ok(Put::Created),
            Err(Error::AlreadyExists { .. }) => Ok(Put::Taken),
            Err(e) => Err(self.failed("write", name, &e)),
        }
    }

    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        let path = self.path(name);
        let read = self
            .runner
            .wait(async { self.store.get(&path).await?.bytes().await });
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.failed("read", name, &e)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        let path = self.path(folder);
        let found = self
            .runner
            .wait(self.store.list(Some(&path)).try_collect::<Vec<_>>());
        let mut listed: Vec<Listed> = found
            .map_err(|e| self.failed("list", folder, &e))?
            .into_iter()
            .map(|object| {
                let below = object.location.prefix_match(&path);
                let name = below
                    .into_iter()
                    .flatten()
                    .fold(folder.to_owned(), |name, part| {
                        format!("{name}/{}", part.as_ref())
                    });
                Listed {
                    name,
                    bytes: object.size,
                }
            })
            .collect();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name);
        match self.runner.wait(self.store.delete(&path)) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(self.failed("delete", name, &e)),
        }
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }
}

/// What an error says, with its causes, each once.
fn said(error: &Error) -> String {
    let mut text = match error {
        Error::Generic { source, .. } => source.to_string(),
        other => other.to_string(),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(e) = cause {
        let more = e.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = e.source();
    }
    text
}

/// Refused before anything was done, or nobody knows.
fn happened(error: &Error) -> Happened {
    match error {
        Error::NotFound { .. }
        | Error::InvalidPath { .. }
        | Error::NotSupported { .. }
        | Error::AlreadyExists { .. }
        | Error::Precondition { .. }
        | Error::NotModified { .. }
        | Error::NotImplemented { .. }
        | Error::PermissionDenied { .. }
        | Error::Unauthenticated { .. }
        | Error::UnknownConfigurationKey { .. } => Happened::No,
        _ => Happened::Perhaps,
    }
}

fn hint(error: &Error) -> &'static str {
    match error {
        Error::NotFound { .. } => "see whether the bucket or folder of the location exists",
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            "the process needs the right to read, write, list and delete in the location"
        }
        Error::NotImplemented { .. } | Error::NotSupported { .. } => {
            "checkpoints need a store that can create an object only if there is none of its name"
        }
        _ => "see whether the location can be reached and has room",
    }
}

impl fmt::Debug for ObjectFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectFolder({})", self.place)
    }
}
