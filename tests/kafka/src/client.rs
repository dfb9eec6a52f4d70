//! A client of a test's.

use std::time::Duration;

use rdkafka::ClientConfig;
use tidemill_broker::Topics;

/// How long a request may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Settings of a client of the broker at `address`, to which tests add their own.
pub fn client(address: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address);
    // A broker that was away is found again soon.
    config.set("reconnect.backoff.max.ms", "200");
    config
}

/// The topics of the broker at `address`.
pub fn topics(address: &str) -> Topics {
    Topics::at(address).unwrap_or_else(|error| panic!("{error}"))
}
