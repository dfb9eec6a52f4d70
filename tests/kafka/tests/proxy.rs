//! The proxy on the real broker: what it does around a commit, and that clients find back to it.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tidemill_test_kafka::{Act, Proxy, Record, Request, Topic, broker};

const PATIENCE: Duration = Duration::from_secs(30);

fn producer(proxy: &Proxy, id: &str) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", proxy.address());
    config.set("transactional.id", format!("{id}-{}", std::process::id()));
    config.set("reconnect.backoff.max.ms", "100");
    // A client that hears nothing gives a request up, and sends it again.
    config.set("socket.timeout.ms", "1000");
    config.set("transaction.timeout.ms", "20000");
    config.create().expect("a producer")
}

/// One record in a transaction.
fn transaction(producer: &BaseProducer, topic: &Topic, text: &str) -> bool {
    producer.begin_transaction().expect("it begins");
    let record: BaseRecord<'_, (), str> = BaseRecord::to(topic.name()).payload(text);
    producer.send(record).map_err(|(e, _)| e).expect("sent");
    producer.commit_transaction(PATIENCE).is_ok()
}

/// A commit is sent again until it is answered, whatever becomes of its connection: it happens once.
#[test]
fn a_commit_that_is_disturbed_happens_once() {
    let acts = [
        ("cut", Act::Cut),
        ("lose", Act::LoseAnswer),
        ("half", Act::HalfClose),
        ("silence", Act::Silence),
        ("delay", Act::Delay(Duration::from_millis(300))),
    ];
    let disturbed = |(name, act): (&str, Act)| {
        let (proxy, topic) = (Proxy::before(broker()), Topic::new(name, 1));
        let producer = producer(&proxy, name);
        producer.init_transactions(PATIENCE).expect(name);
        proxy.at(Request::EndTxn, 1, act);
        for text in ["a", "b", "c"] {
            assert!(transaction(&producer, &topic, text), "{name}: {text}");
        }
        assert_eq!(proxy.met(), 1, "{name}");
        let read = topic.committed();
        let read: Vec<&str> = read.iter().map(Record::text).collect();
        assert_eq!(read, ["a", "b", "c"], "{name}");
    };
    std::thread::scope(|scope| {
        for act in acts {
            scope.spawn(move || disturbed(act));
        }
    });
}

#[test]
fn a_reader_comes_back_when_it_is_let_in_again() {
    let proxy = Proxy::before(broker());
    let topic = Topic::new("cut", 1);
    let through = Topic::named(&proxy.address(), topic.name());
    let mut reader = through.reader(tidemill_test_kafka::Isolation::Committed);
    topic.produce(&[Record::new("a")]);
    assert_eq!(reader.take(1)[0].text(), "a");
    proxy.refuse(true);
    assert!(proxy.cut() > 0);
    topic.produce(&[Record::new("b")]);
    assert_eq!(reader.next(Duration::from_millis(300)), None);
    proxy.refuse(false);
    assert_eq!(reader.take(1)[0].text(), "b");
    proxy.delay(Duration::from_millis(100));
    let began = Instant::now();
    topic.produce(&[Record::new("c")]);
    assert_eq!(reader.take(1)[0].text(), "c");
    assert!(began.elapsed() > Duration::from_millis(100));
    std::mem::forget(through);
}
