//! Where checkpoints lie: a folder of this machine, or a prefix of a bucket.

mod bucket;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::CheckpointError;
use crate::names::is_name;
use crate::sequence::Sequence;
use crate::store::{LocalFolder, ObjectFolder, Runner, Store};

/// A place for the checkpoints of any number of pipelines.
#[derive(Debug, Clone)]
pub struct Location {
    store: Arc<dyn Store>,
}

/// What a location may need to know beside its address.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The folder to which a plain path is relative: the pipeline file's.
    pub relative_to: PathBuf,
    /// What a bucket needs to be known: names and values.
    pub options: Vec<(String, String)>,
}

impl Location {
    /// A location by its address: a path (`checkpoints`), `file:///var/lib/mill`, or a bucket and a prefix in it
    /// (`s3://bucket/mill`, also `gs://` and `az://`). Nothing is read or made yet.
    ///
    /// # Errors
    /// If the address is none, or of a kind that is not known, or a setting is wrong.
    pub fn open(address: &str, settings: &Settings) -> Result<Self, CheckpointError> {
        let folder = match address.split_once("://") {
            None if address.is_empty() => return Err(no_address(address, "it is empty")),
            None => settings.relative_to.join(address),
            Some(("file", path)) if path.starts_with('/') => PathBuf::from(path),
            Some(("file", _)) => {
                return Err(no_address(
                    address,
                    "after `file://` comes a path that begins with `/`",
                ));
            }
            Some(bucket) => return Self::of_bucket(address, bucket, settings),
        };
        if let Some((option, _)) = settings.options.first() {
            return Err(CheckpointError::configuration(
                format!("a folder has no setting {option:?}: {address:?}"),
                "settings are for buckets: leave them out",
            ));
        }
        let folder = std::path::absolute(&folder)
            .map_err(|error| no_address(address, &format!("it is no path: {error}")))?;
        Self::of_folder(&folder)
    }

    fn of_bucket(
        address: &str,
        bucket: (&str, &str),
        settings: &Settings,
    ) -> Result<Self, CheckpointError> {
        let Some((store, prefix)) = bucket::open(address, bucket, &settings.options)? else {
            let why = format!("`{}` is no kind of location that is known", bucket.0);
            return Err(no_address(address, &why));
        };
        let place = address.trim_end_matches('/').to_owned();
        Ok(Self::of_store(ObjectFolder::new(
            store,
            Runner::start()?,
            prefix,
            place,
        )))
    }

    /// A folder of this machine.
    fn of_folder(folder: &Path) -> Result<Self, CheckpointError> {
        let runner = Runner::start()?;
        Ok(Self::of_store(LocalFolder::new(folder.to_owned(), runner)))
    }

    /// Any store: for tests and simulations.
    pub fn of_store(store: impl Store + 'static) -> Self {
        Self {
            store: Arc::new(store),
        }
    }

    /// The checkpoints of a pipeline in this location. Nothing is read or made yet.
    ///
    /// # Errors
    /// If a pipeline cannot be called so.
    pub fn pipeline(&self, name: &str) -> Result<Sequence, CheckpointError> {
        if !is_name(name) {
            return Err(CheckpointError::configuration(
                format!("no name of a pipeline: {name:?}"),
                "a pipeline's name consists of lowercase letters, digits and hyphens, and begins with a letter",
            ));
        }
        Ok(Sequence::new(Arc::clone(&self.store), name))
    }
}

fn no_address(address: &str, why: &str) -> CheckpointError {
    CheckpointError::configuration(
        format!("no location for checkpoints: {address:?}: {why}"),
        "a location is a folder (`checkpoints`, `file:///var/lib/mill`) or a bucket (`s3://bucket/mill`, `gs://`, `az://`)",
    )
}
