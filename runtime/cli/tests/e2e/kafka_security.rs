//! Brokers that want a password, and such as speak TLS.

use std::time::Instant;

use tidemill_test_kafka::{Protocol, Secured, Topic};

use crate::kafka::payments;
use crate::support::{Ended, Folder, PATIENCE};

/// A cluster, with topics of this test's.
struct Scene {
    from: Topic,
    to: Topic,
    cluster: Secured,
    folder: Folder,
}

impl Scene {
    fn new() -> Self {
        let cluster = Secured::start();
        let topic = |prefix| Topic::at(cluster.open(), prefix, 2, &[]);
        let (from, to) = (topic("payments"), topic("alerts"));
        from.produce(&payments(0..20));
        let folder = Folder::with(&[("password", Secured::PASSWORD), ("wrong", "wrong-4712\n")]);
        Self {
            from,
            to,
            cluster,
            folder,
        }
    }

    /// The file of a pipeline with these properties, for which a secret comes from a file.
    fn pipeline(&self, protocol: Protocol, secret: &str, properties: &[(&str, &str)]) -> String {
        let address = self.cluster.address(protocol);
        let named = |(name, value): &(&str, &str)| format!("{name:?} = {value:?}");
        let properties: Vec<String> = properties.iter().map(named).collect();
        let properties = format!("properties = {{ {} }}", properties.join(", "));
        format!(
            r#"name = "secured"
[checkpoints]
location = "checkpoints-{2}"
restarts = 0
[secrets.password]
file = "{secret}"
[sources.payments]
kafka = {{ brokers = "{address}", topics = "{0}", group = "{2}", until = "now", {properties} }}
columns = {{ account = "text", n = "integer" }}
[sinks.alerts]
input = "payments"
kafka = {{ brokers = "{address}", topic = "{1}", key = "account", {properties} }}
"#,
            self.from.name(),
            self.to.name(),
            protocol.name()
        )
    }

    fn run(&self, protocol: Protocol, secret: &str, properties: &[(&str, &str)]) -> Ended {
        let pipeline = self.pipeline(protocol, secret, properties);
        self.folder.write("pipeline.toml", &pipeline);
        let mut command = self.folder.command(&["run", "--at-end", "keep"]);
        command.env("KAFKA_PASSWORD", Secured::PASSWORD);
        let began = Instant::now();
        let ended: Ended = command.output().expect("the binary runs").into();
        assert!(began.elapsed() < PATIENCE, "{}", ended.err);
        for secret in [Secured::PASSWORD, "wrong-4712"] {
            assert!(!ended.err.contains(secret), "{}", ended.err);
            assert!(!ended.out.contains(secret), "{}", ended.out);
        }
        ended
    }
}

#[test]
fn passwords_and_certificates_let_a_pipeline_in_and_what_is_wrong_with_them_is_said() {
    let scene = Scene::new();
    let authority = scene.cluster.authority();
    let authority = ("ssl.ca.location", authority.to_str().expect("text"));
    let user = ("sasl.username", Secured::USER);
    let from_file = ("sasl.password", "${secrets.password}");
    let scram = ("sasl.mechanism", "SCRAM-SHA-512");
    let (plain, tls) = (Protocol::SaslPlaintext, Protocol::SaslSsl);
    let (over_plain, over_tls) = (
        ("security.protocol", "SASL_PLAINTEXT"),
        ("security.protocol", "SASL_SSL"),
    );
    let good = [over_tls, scram, user, from_file, authority];
    scene.run(tls, "password", &good).expect(0);
    assert_eq!(scene.to.committed().len(), 20);
    let from_environment = ("sasl.password", "${KAFKA_PASSWORD}");
    let good = [
        over_plain,
        ("sasl.mechanism", "PLAIN"),
        user,
        from_environment,
    ];
    scene.run(plain, "password", &good).expect(0);
    assert_eq!(scene.to.committed().len(), 40);
    let good = [("security.protocol", "SSL"), authority];
    scene.run(Protocol::Ssl, "password", &good).expect(0);
    assert_eq!(scene.to.committed().len(), 60);

    let wrong = [over_tls, scram, user, from_file, authority];
    scene.run(tls, "wrong", &wrong).expect(1).says(&[
        &scene.cluster.address(tls),
        "uthentication failed",
        "hint: see whether user, password and mechanism in `properties`",
    ]);
    let nobody = [over_plain, scram, ("sasl.username", "bob"), from_file];
    let nobody = scene.run(plain, "password", &nobody).expect(1);
    nobody.says(&["uthentication failed", "hint: see whether user, password"]);
    let stranger = [over_tls, scram, user, from_file];
    scene.run(tls, "password", &stranger).expect(1).says(&[
        "certificate",
        "hint: see whether `ssl.ca.location` in `properties`",
    ]);
    assert_eq!(scene.to.committed().len(), 60);
}

#[test]
fn a_file_of_authorities_that_is_not_there_is_named() {
    let pipeline = "name = \"lost\"\n[sources.rows]\nkafka = { brokers = \"localhost:1\", topics = \"t\", \
        properties = { \"security.protocol\" = \"SSL\", \"ssl.ca.location\" = \"/nowhere/ca.pem\" } }\n\
        columns = { n = \"integer\" }\n[sinks.out]\ninput = \"rows\"\nstdout = {}\n";
    let folder = Folder::with(&[("pipeline.toml", pipeline)]);
    folder.run(&["run"]).expect(2).says(&["ssl.ca.location"]);
}
