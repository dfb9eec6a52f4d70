//! Buckets: services that `object_store` knows and that can create an object only if there is none of its name.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ObjectStore, RetryConfig};

use crate::error::CheckpointError;

/// Names and values of settings.
type Options = [(String, String)];

/// A service and the prefix in its bucket.
type Bucket = (Arc<dyn ObjectStore>, Path);

/// Opens `<scheme>://<bucket>/<prefix>`: the store and the prefix; nothing if the scheme is not known. Settings go before
/// the environment (`AWS_REGION` and the like).
pub(super) fn open(
    address: &str,
    (scheme, rest): (&str, &str),
    options: &Options,
) -> Result<Option<Bucket>, CheckpointError> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(super::no_address(address, "it names no bucket"));
    }
    let prefix = Path::parse(prefix)
        .map_err(|e| super::no_address(address, &format!("no prefix of a bucket: {e}")))?;
    // Whoever else of the process speaks TLS may have chosen already: either is good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = match scheme {
        "s3" => s3(bucket, options),
        "gs" => gs(bucket, options),
        "az" => az(bucket, options),
        _ => return Ok(None),
    };
    let store = store.map_err(|e| wrong(address, &e))?;
    Ok(Some((store, prefix)))
}

type Opened = Result<Arc<dyn ObjectStore>, object_store::Error>;

fn s3(bucket: &str, options: &Options) -> Opened {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry());
    for (name, value) in options {
        builder = builder.with_config(key(name).parse()?, value);
    }
    Ok(Arc::new(builder.build()?))
}

fn gs(bucket: &str, options: &Options) -> Opened {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry());
    for (name, value) in options {
        builder = builder.with_config(key(name).parse()?, value);
    }
    Ok(Arc::new(builder.build()?))
}

fn az(container: &str, options: &Options) -> Opened {
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_container_name(container)
        .with_retry(retry());
    for (name, value) in options {
        builder = builder.with_config(key(name).parse()?, value);
    }
    Ok(Arc::new(builder.build()?))
}

/// Settings are written as everywhere in a pipeline file, `access-key-id`; the library wants `access_key_id`.
fn key(name: &str) -> String {
    name.replace('-', "_")
}

/// What the library tries again by itself is short: whoever waits for a checkpoint has patience of their own.
fn retry() -> RetryConfig {
    RetryConfig {
        max_retries: 3,
        retry_timeout: Duration::from_secs(10),
        ..RetryConfig::default()
    }
}

fn wrong(address: &str, error: &object_store::Error) -> CheckpointError {
    let what = match error {
        object_store::Error::UnknownConfigurationKey { key, .. } => {
            format!("it has no setting `{}`", key.replace('_', "-"))
        }
        other => other.to_string(),
    };
    CheckpointError::configuration(
        format!("no location for checkpoints: {address:?}: {what}"),
        "`settings` of `[checkpoints]` are those of the service, such as `region`, `endpoint`, `access-key-id`; \
         what is not set there is taken from the environment",
    )
}
