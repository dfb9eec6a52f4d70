//! Membership: how several processes share the partition numbers of topics, through the group protocol.
//!
//! Nothing is read by a member. What it is given are numbers: who has number 3 runs the task that reads partition 3 of all
//! topics, with clients of that task's own. So members subscribe to one topic, and the partitions of it are the numbers.
//!
//! ```text
//!   broker: given 0, 1      ... asks 1 back             lost 0 (a session that timed out)
//!   member: runs tasks 0, 1 ... ends task 1, gives back drops task 0: others may have it already
//! ```
//!
//! Members are static: a process that is started again under its name within the session's time-out has what it had, unless
//! it has left the group.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::client::{Client, ClientSpec, Rebalance};
use super::error;
use crate::ConnectorError;

/// How long the serving thread waits for news.
const NEWS: Duration = Duration::from_millis(50);

/// After so long without a sign of life a member is taken for dead, unless a property says otherwise (`kafka-session`).
const SESSION: &str = "10000";

/// How often a member gives a sign of life, and hears what has changed, unless a property says otherwise (`kafka-heartbeat`).
const HEARTBEAT: &str = "500";

/// How long a member that leaves waits until that is on its way; others have what it had behind the session's time-out otherwise.
const LEAVING: Duration = Duration::from_secs(3);

/// Who shares what with whom.
#[derive(Clone, Debug)]
pub struct MembershipSpec {
    /// The cluster of the group.
    pub client: ClientSpec,
    /// The group.
    pub group: String,
    /// The topic whose partitions are shared.
    pub topic: String,
    /// What this process is called.
    pub instance: String,
}

impl MembershipSpec {
    /// After so long without a sign of life a member is taken for dead.
    pub fn session(&self) -> Duration {
        let set = self.client.properties.0.iter();
        let mut set = set.filter(|(name, _)| name == "session.timeout.ms");
        let ms = set.find_map(|(_, value)| value.parse().ok());
        Duration::from_millis(ms.or(SESSION.parse().ok()).unwrap_or_default())
    }
}

/// What has become of a member's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These are its own from now on, beside what it has; there may be none.
    Given(Vec<i32>),
    /// These are wanted back: others get them after [`Membership::give_back`].
    AskedBack(Vec<i32>),
    /// Others may have these already.
    Lost(Vec<i32>),
}

/// A process that shares partition numbers with others, until it is dropped.
pub struct Membership {
    spec: MembershipSpec,
    client: Arc<Client>,
    changes: Receiver<Result<Change, ConnectorError>>,
    back: Sender<()>,
    ends: Arc<AtomicBool>,
    leaves: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Who commits where a group stands, while it has members.
#[derive(Clone)]
pub struct Member {
    pub(super) group: String,
    pub(super) brokers: String,
    pub(super) client: Arc<Client>,
}

impl Membership {
    /// Joins the group.
    ///
    /// # Errors
    /// If a property is not accepted.
    pub fn join(spec: MembershipSpec) -> Result<Self, ConnectorError> {
        let mut own = vec![
            ("group.instance.id", spec.instance.as_str()),
            ("partition.assignment.strategy", "cooperative-sticky"),
        ];
        let set = &spec.client.properties.0;
        for (name, value) in [
            ("session.timeout.ms", SESSION),
            ("heartbeat.interval.ms", HEARTBEAT),
        ] {
            if set.iter().all(|(set, _)| set != name) {
                own.push((name, value));
            }
        }
        let client = Arc::new(Client::new(&spec.client, &spec.group, &own)?);
        let subscribed = client.consumer.subscribe(&[&spec.topic]);
        subscribed.map_err(|e| client.failed(&format!("cannot join group {}", spec.group), &e))?;
        let (to, changes) = channel();
        let (back, given_back) = channel();
        let (ends, leaves) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let server = Server {
            client: client.clone(),
            what: format!(
                "instance {} cannot be in group {}",
                spec.instance, spec.group
            ),
            to,
            given_back,
            asked_back: None,
            leaves: leaves.clone(),
        };
        let until = ends.clone();
        let thread = std::thread::Builder::new().name("tidemill-group".to_owned());
        let thread = thread.spawn(move || server.serve(&until));
        let thread =
            thread.map_err(|e| ConnectorError::Internal(format!("no thread for a group: {e}")))?;
        Ok(Self {
            spec,
            client,
            changes,
            back,
            ends,
            leaves,
            thread: Some(thread),
        })
    }

    /// What changes next; nothing if that takes longer.
    ///
    /// # Errors
    /// If it is no member any more and will not be one again: another process has its name, or the brokers refuse it.
    pub fn next(&self, wait: Duration) -> Result<Option<Change>, ConnectorError> {
        match self.changes.recv_timeout(wait) {
            Ok(change) => change.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(ConnectorError::Internal(
                "the thread that serves the group has gone".to_owned(),
            )),
        }
    }

    /// Gives back what was asked back last: nothing is done with it any more.
    pub fn give_back(&self) {
        // Without a thread there is no group either, which `next` says.
        let _ = self.back.send(());
    }

    /// When it is dropped, others get at once what it has.
    pub fn leave(&self) {
        self.leaves.store(true, Relaxed);
    }

    /// Who commits where the group stands.
    pub fn member(&self) -> Member {
        Member {
            group: self.spec.group.clone(),
            brokers: self.spec.client.brokers.clone(),
            client: self.client.clone(),
        }
    }
}

impl Drop for Membership {
    /// Unless it leaves, a static member does not say that it goes: whoever is started under its name soon has what it had.
    fn drop(&mut self) {
        self.ends.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // If it panicked, the hook has said so.
            let _ = thread.join();
        }
    }
}

/// Serves the client of a member.
struct Server {
    client: Arc<Client>,
    what: String,
    to: Sender<Result<Change, ConnectorError>>,
    given_back: Receiver<()>,
    asked_back: Option<TopicPartitionList>,
    leaves: Arc<AtomicBool>,
}

impl Server {
    fn serve(mut self, ends: &AtomicBool) {
        while !ends.load(Relaxed) {
            let polled = match self.client.consumer.poll(NEWS) {
                Some(Err(error)) if is_final(&error) => Err(error),
                // What passes is tried again by librdkafka; records there are none, since everything is paused.
                Some(_) | None => Ok(()),
            };
            if let Err(error) = polled.and_then(|()| self.turn()) {
                let _ = self.to.send(Err(self.client.failed(&self.what, &error)));
                break;
            }
        }
        // Whoever closes the client now must not wait for an answer from here.
        self.client.answer_rebalances();
        if let Some(asked) = self.asked_back.take() {
            let _ = self.client.consumer.incremental_unassign(&asked);
        }
        if self.leaves.load(Relaxed) {
            self.leave();
        }
    }

    /// A static member that is closed stays in the group; one that ends its subscription before has left it.
    fn leave(&self) {
        self.client.consumer.unsubscribe();
        let began = Instant::now();
        while self.is_member() && began.elapsed() < LEAVING {
            // What comes are rebalances, which are answered, and errors, with which it is no member either.
            let _ = self.client.consumer.poll(NEWS / 5);
        }
    }

    /// Whether the client has an id in the group: it has none from when it says that it leaves.
    fn is_member(&self) -> bool {
        let client = self.client.consumer.client().native_ptr();
        // SAFETY: the client lives as long as this borrow; what is given is null or a text of its own that is to be freed.
        unsafe {
            let id = sys::rd_kafka_memberid(client);
            if id.is_null() {
                return false;
            }
            let known = !CStr::from_ptr(id).is_empty();
            sys::rd_kafka_mem_free(client, id.cast());
            known
        }
    }

    fn turn(&mut self) -> Result<(), KafkaError> {
        if self.given_back.try_recv().is_ok()
            && let Some(asked) = self.asked_back.take()
        {
            self.client.consumer.incremental_unassign(&asked)?;
        }
        for rebalance in self.client.rebalances() {
            let change = self.change(rebalance)?;
            // Nobody listens who is about to drop it.
            let _ = self.to.send(Ok(change));
        }
        Ok(())
    }

    fn change(&mut self, rebalance: Rebalance) -> Result<Change, KafkaError> {
        let consumer = &self.client.consumer;
        match rebalance {
            Rebalance::Given(partitions) => {
                let list = with_offsets(&partitions)?;
                consumer.incremental_assign(&list)?;
                consumer.pause(&list)?;
                Ok(Change::Given(numbers(&partitions)))
            }
            Rebalance::Lost(partitions) => {
                consumer.incremental_unassign(&partitions)?;
                Ok(Change::Lost(numbers(&partitions)))
            }
            Rebalance::AskedBack(partitions) => {
                let asked = numbers(&partitions);
                self.asked_back = Some(partitions);
                Ok(Change::AskedBack(asked))
            }
        }
    }
}

/// Nothing is read, so it does not matter where: but nobody is to ask the group for it.
fn with_offsets(partitions: &TopicPartitionList) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(partitions.count());
    for element in partitions.elements() {
        list.add_partition_offset(element.topic(), element.partition(), rdkafka::Offset::End)?;
    }
    Ok(list)
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    let elements = partitions.elements();
    elements.iter().map(|element| element.partition()).collect()
}

/// Whether it is no member any more for good. A topic that has gone may be made again.
fn is_final(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    let gone = matches!(
        code,
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)
    );
    error::is_final(error) && !gone
}
