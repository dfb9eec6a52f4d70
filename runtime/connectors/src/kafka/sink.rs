//! A sink of Kafka as plain data, and the hands of its workers: straight to the brokers, or into transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidemill_rows::{Batch, SchemaRef};

use super::client::{ANSWER, ClientSpec};
use super::produced::{RecordMaker, Records};
use super::producer::Producer;
use super::transactions::{Lane, Transactions};
use crate::ConnectorError;
use crate::encode::Encoding;
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
    /// Columns that are not in the value.
    pub omit: Vec<String>,
    /// How often a row comes to stand there.
    pub guarantee: Guarantee,
    /// So many bytes of a worker's rows wait at most while a transaction is committed.
    pub buffer: u64,
    /// How values are written: JSON or CSV.
    pub format: Encoding,
}

/// Where rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicOf {
    /// All to this topic.
    Named(String),
    /// Each to the one that this column names.
    Column(String),
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
    Straight(Arc<Producer>),
    InTransactions(Arc<Transactions>),
}

impl KafkaSinkSpec {
    /// What is wrong with it for rows of a schema, as far as can be seen without a cluster.
    ///
    /// # Errors
    /// A configuration error.
    pub fn check(&self, schema: &SchemaRef) -> Result<(), ConnectorError> {
        self.client.config()?;
        RecordMaker::new(self, schema).map(|_| ())
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
            None => Way::Straight(Producer::start(&self.client, &[])?),
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
        let lane = match &self.way {
            Way::Straight(_) => None,
            Way::InTransactions(transactions) => Some(transactions.lane(&self.spec)),
        };
        Box::new(Hand {
            spec: self.spec.clone(),
            maker: self.maker.clone(),
            way: self.way.clone(),
            lane,
            records: Records::default(),
            rows: self.rows.clone(),
        })
    }

    fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// What was written before the cut is with the brokers; in transactions, nobody sees it yet.
    fn secure(&self, _pending: &[Pending]) -> Result<(), ConnectorError> {
        match &self.way {
            Way::Straight(producer) => producer.drain(ANSWER),
            Way::InTransactions(transactions) => transactions.secure(),
        }
    }
}

struct Hand {
    spec: Arc<KafkaSinkSpec>,
    maker: RecordMaker,
    way: Way,
    /// In transactions.
    lane: Option<Arc<Lane>>,
    records: Records,
    rows: Arc<AtomicU64>,
}

impl Sink for Hand {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.records.clear();
        self.maker.make(batch, &mut self.records)?;
        match (&self.way, &self.lane) {
            (Way::InTransactions(transactions), Some(lane)) => {
                transactions.write(lane, &mut self.records)?;
            }
            (Way::Straight(producer), _) => producer.write(&self.spec, &self.records)?,
            (Way::InTransactions(_), None) => {}
        }
        self.rows.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        match &self.way {
            Way::Straight(producer) => producer.check(),
            Way::InTransactions(_) => Ok(()),
        }
    }

    fn is_full(&self) -> bool {
        self.lane.as_ref().is_some_and(|lane| lane.is_full())
    }

    fn cut(&mut self, _cut: &Cut) -> Result<Pending, ConnectorError> {
        if let (Way::InTransactions(transactions), Some(lane)) = (&self.way, &self.lane) {
            transactions.cut(lane)?;
        }
        Ok(Pending::default())
    }

    fn finish(self: Box<Self>) -> Result<(), ConnectorError> {
        match &self.way {
            Way::Straight(producer) => producer.drain(ANSWER),
            // The last checkpoint commits.
            Way::InTransactions(_) => Ok(()),
        }
    }
}
