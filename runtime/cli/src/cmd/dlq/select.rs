//! Which letters a command is about.

use tidemill_connectors::kafka::letters::{RecordAt, Stored};
use tidemill_rows::time_text::rfc3339;
use tidemill_scenario::pipeline::moment;

use crate::clocks;
use crate::letter::Letter;

/// Which letters.
#[derive(clap::Args, Clone, Debug)]
pub struct SelectArgs {
    /// Only letters of this source or operator
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Only letters with this reason, such as `decode`, `invalid` or `trap`
    #[arg(long, value_name = "WORD")]
    reason: Option<String>,
    /// Only letters from this time on, by the times of their records: a time, or so long ago, such as `2h`
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<i64>,
    /// Only letters in this topic
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
}

/// In microseconds since 1970.
fn since(text: &str) -> Result<i64, String> {
    let ago = || tidemill_pipeline::units::duration(text).ok();
    moment(text)
        .or_else(|| Some(clocks::now() - ago()?))
        .ok_or_else(|| {
            "expected a time such as 2013-01-01T10:15:00Z, or 2h for two hours ago".into()
        })
}

/// A letter that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it is called.
    pub name: String,
    /// When it was written, in microseconds since 1970; of a line in a file, the row's time.
    pub at: Option<i64>,
    pub letter: Letter,
    /// Its record, if it lies in a topic.
    pub stored: Option<Stored>,
}

impl Found {
    /// A record of a dead-letter topic.
    pub fn record(stored: Stored) -> Result<Self, String> {
        Ok(Self {
            name: stored.at.to_string(),
            at: stored.time_ms.map(|ms| ms.saturating_mul(1000)),
            letter: Letter::of(&stored)?,
            stored: Some(stored),
        })
    }

    /// The record behind it, if its row came from a topic.
    pub fn origin(&self) -> Option<RecordAt> {
        use tidemill_connectors::kafka::letters::Header;
        let header = |name: &str| self.stored.as_ref()?.header(name);
        let said = || {
            Some(RecordAt {
                topic: header(Header::TOPIC)?.to_owned(),
                partition: header(Header::PARTITION)?.parse().ok()?,
                offset: header(Header::OFFSET)?.parse().ok()?,
            })
        };
        let of_columns = || {
            // Letters that an earlier version has written, or a file: the topic is checked against the sources.
            let (topic, partition) = self.letter.split.as_deref()?.rsplit_once('-')?;
            Some(RecordAt {
                topic: topic.to_owned(),
                partition: partition.parse().ok()?,
                offset: i64::try_from(self.letter.position?).ok()?,
            })
        };
        said().or_else(of_columns)
    }

    /// When it was written, for people.
    pub fn when(&self) -> String {
        self.at.map(rfc3339).unwrap_or_default()
    }
}

impl SelectArgs {
    /// Whether a letter is among them.
    pub fn takes(&self, found: &Found) -> bool {
        let is = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|w| w == has);
        is(&self.operator, &found.letter.operator)
            && is(&self.reason, &found.letter.reason)
            && self
                .since
                .is_none_or(|since| found.at.is_some_and(|at| at >= since))
    }
}
