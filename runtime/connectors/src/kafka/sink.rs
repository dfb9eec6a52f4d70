//! A sink of Kafka as plain data, and the hands of its workers: straight to the brokers, or into transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidemill_rows::{Batch, SchemaRef};

use super::client::ClientSpec;
use super::lanes::{Lane, Lanes};
use super::letters::headers::{LETTER_HEADERS, LetterHeader, OF_RECORDS};
use super::produced::{RecordMaker, Records};
use super::producer::Producer;
use super::transactions::Transactions;
use crate::ConnectorError;
use crate::encode::value::ValueFormat;
use crate::sink::pending::{Cut, Pending};
use crate::sink::{Guarantee, Sink, Writers};

/// A sink of Kafka. Columns are named as its input has them.
#[derive(Clone, Debug, PartialEq)]
pub struct KafkaSinkSpec {
    /// How its cluster is reached.
    pub client: ClientSpec,
    /// Where rows go.
    pub topic: TopicOf,
    /// The column that is the key.
    pub key: Option<String>,
    /// The column that is the time.
    pub timestamp: Option<String>,
    /// Headers by name, and their columns.
    pub headers: Vec<(String, String)>,
    /// Whether its rows are dead letters, and of what: then headers say where each came from.
    pub letters: Option<LettersOf>,
    /// Columns that are not in the value.
    pub omit: Vec<String>,
    /// How often a row comes to stand there.
    pub guarantee: Guarantee,
    /// So many bytes of a worker's rows wait at most while a transaction is committed.
    pub buffer: u64,
    /// How values are written.
    pub format: ValueFormat,
}

/// Where rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicOf {
    /// All to this topic.
    Named(String),
    /// Each to the one that this column names.
    Column(String),
}

/// What rows failed, of which there are dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LettersOf {
    /// Records of topics, perhaps among others.
    Records,
    /// Rows of files, of generators.
    Others,
}

/// A sink that was opened.
pub(crate) struct KafkaSink {
    spec: Arc<KafkaSinkSpec>,
    maker: RecordMaker,
    way: Way,
    rows: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Way {
    Straight(Arc<Lanes>),
    InTransactions(Arc<Transactions>),
}

impl Way {
    fn lanes(&self) -> &Lanes {
        match self {
            Self::Straight(lanes) => lanes,
            Self::InTransactions(transactions) => &transactions.lanes,
        }
    }
}

impl KafkaSinkSpec {
    /// What is wrong with it for rows of a schema, as far as can be seen without a cluster.
    ///
    /// # Errors
    /// A configuration error.
    pub fn check(&self, schema: &SchemaRef) -> Result<(), ConnectorError> {
        self.client.config()?;
        RecordMaker::check(self, schema)
    }

    /// The names of headers, in the order in which records have them.
    pub(super) fn header_names(&self) -> impl Iterator<Item = &str> {
        let own = self.headers.iter().map(|(name, _)| name.as_str());
        own.chain(self.letter_headers().map(|header| header.name))
    }

    /// The headers of dead letters that the file does not set itself.
    pub(super) fn letter_headers(&self) -> impl Iterator<Item = &'static LetterHeader> {
        let all: &[LetterHeader] = match self.letters {
            None => &[],
            Some(LettersOf::Records) => &LETTER_HEADERS,
            Some(LettersOf::Others) => &LETTER_HEADERS[OF_RECORDS..],
        };
        let said = |header: &&LetterHeader| self.headers.iter().any(|(n, _)| n == header.name);
        all.iter().filter(move |header| !said(header))
    }

    /// Opens it for rows of a schema, with transactions where its rows become visible with checkpoints.
    pub(crate) fn open(
        &self,
        schema: &SchemaRef,
        transactions: Option<Arc<Transactions>>,
    ) -> Result<KafkaSink, ConnectorError> {
        let maker = RecordMaker::new(self, schema)?;
        let way = match transactions {
            Some(transactions) => Way::InTransactions(transactions),
            None => {
                let producer = Producer::start(&self.client, &[])?;
                Way::Straight(Arc::new(Lanes::of(producer)))
            }
        };
        Ok(KafkaSink {
            spec: Arc::new(self.clone()),
            maker,
            way,
            rows: Arc::default(),
        })
    }
}

impl Writers for KafkaSink {
    fn writer(&self, _worker: usize) -> Box<dyn Sink> {
        Box::new(Hand {
            maker: self.maker.clone(),
            lane: self.way.lanes().add(&self.spec),
            way: self.way.clone(),
            records: Records::default(),
            rows: self.rows.clone(),
        })
    }

    fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// What was written before the cut is with the brokers; in transactions, nobody sees it yet.
    fn secure(&self, _pending: &[Pending]) -> Result<(), ConnectorError> {
        self.way.lanes().drain()?;
        match &self.way {
            Way::Straight(lanes) => lanes.release(),
            // The commit does.
            Way::InTransactions(_) => Ok(()),
        }
    }

    fn give_up(&self) -> Result<(), ConnectorError> {
        self.way.lanes().release()
    }
}

struct Hand {
    maker: RecordMaker,
    way: Way,
    lane: Arc<Lane>,
    records: Records,
    rows: Arc<AtomicU64>,
}

impl Sink for Hand {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.records.clear();
        self.maker.make(batch, &mut self.records)?;
        self.way.lanes().write(&self.lane, &mut self.records)?;
        self.rows.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        self.way.lanes().producer.check()
    }

    fn is_full(&self) -> bool {
        self.lane.is_full()
    }

    fn cut(&mut self, _cut: &Cut) -> Result<Pending, ConnectorError> {
        self.way.lanes().cut(&self.lane)?;
        Ok(Pending::default())
    }

    fn finish(self: Box<Self>) -> Result<(), ConnectorError> {
        match &self.way {
            Way::Straight(lanes) => lanes.drain(),
            // The last checkpoint commits.
            Way::InTransactions(_) => Ok(()),
        }
    }
}
