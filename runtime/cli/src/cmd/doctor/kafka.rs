//! What `tidemill dev kafka` starts: Java, and Kafka's jars, which Maven brings.

use tidemill_broker::{BrokerError, Jars, VERSION};

use super::{Finding, Need, Trouble, tools};
use crate::folders;

/// What is found of it.
pub fn look() -> Vec<Finding> {
    let finding = |what, found| Finding {
        what,
        needed: Need::DevKafka,
        found,
    };
    vec![
        finding("java 17", tidemill_broker::java().map_err(|e| trouble(&e))),
        finding("kafka", kafka()),
    ]
}

fn trouble(error: &BrokerError) -> Trouble {
    Trouble::new(error.to_string(), error.hint().unwrap_or_default())
}

/// Kafka itself, or who would bring it.
fn kafka() -> Result<String, Trouble> {
    let there = folders::cache().ok().and_then(|cache| Jars::there(&cache));
    if let Some(folder) = there {
        return Ok(format!("{VERSION} in {}", folder.display()));
    }
    let maven = tools::tool("mvn", "apt-get install maven");
    let maven = maven.map_err(|trouble| Trouble {
        why: format!(
            "{VERSION} is not in the cache yet, and Maven, which brings it, is {}",
            trouble.why
        ),
        ..trouble
    })?;
    // It writes in colours to whomever it speaks.
    let plain = maven.split('\u{1b}').find(|part| part.contains("Maven"));
    let plain = plain.map_or("Maven", |part| {
        part.trim_start_matches(|c: char| !c.is_ascii_uppercase())
    });
    Ok(format!("{VERSION}: the first start brings it with {plain}"))
}
