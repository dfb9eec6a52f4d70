//! Listeners that want a password or speak TLS: for tests of what clients do with them.

use std::path::PathBuf;

use crate::error::BrokerError;
use crate::folder::free_port;

/// How a listener is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A password, in plain sight.
    SaslPlaintext,
    /// TLS, for everybody.
    Ssl,
    /// TLS and a password.
    SaslSsl,
}

impl Protocol {
    /// All of them.
    const ALL: [Self; 3] = [Self::SaslPlaintext, Self::Ssl, Self::SaslSsl];

    /// As Kafka calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslSsl => "SASL_SSL",
        }
    }
}

/// Who may speak to a broker on listeners that ask for it, and how it shows who it is. The listener that asks for nothing is there
/// as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// A user, for the mechanisms PLAIN and SCRAM-SHA-512.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// A file with a private key (PKCS #8) and its certificate for 127.0.0.1, both in PEM.
    pub certificate: PathBuf,
}

/// Listeners on ports of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listeners(Vec<(Protocol, u16)>);

impl Listeners {
    /// One of each protocol.
    pub fn on_free_ports() -> Result<Self, BrokerError> {
        let on = |protocol| Ok((protocol, free_port(0)?));
        Protocol::ALL
            .into_iter()
            .map(on)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Where clients find one.
    pub fn address(&self, of: Protocol) -> Option<String> {
        let found = self.0.iter().find(|(protocol, _)| *protocol == of);
        found.map(|(_, port)| format!("127.0.0.1:{port}"))
    }

    /// As they stand behind others in `listeners`.
    pub fn named(&self) -> String {
        let named =
            |(protocol, port): &(Protocol, u16)| format!(",{}://127.0.0.1:{port}", protocol.name());
        self.0.iter().map(named).collect()
    }

    /// As they stand behind others in `listener.security.protocol.map`.
    pub fn mapped(&self) -> String {
        let mapped = |(protocol, _): &(Protocol, u16)| format!(",{0}:{0}", protocol.name());
        self.0.iter().map(mapped).collect()
    }
}

impl Security {
    /// The broker's settings.
    pub(crate) fn settings(&self) -> String {
        let Self { user, password, .. } = self;
        let modules = "org.apache.kafka.common.security";
        let of_sasl = ["sasl_plaintext", "sasl_ssl"].map(|listener| {
            let listener = format!("listener.name.{listener}");
            format!(
                "{listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512\n\
                 {listener}.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required user_{user}=\"{password}\";\n\
                 {listener}.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;\n"
            )
        });
        let certificate = self.certificate.display();
        let of_tls = format!("ssl.keystore.type=PEM\nssl.keystore.location={certificate}\n");
        of_sasl.concat() + &of_tls
    }

    /// The user as the tool that prepares a data folder takes one.
    pub(crate) fn scram(&self) -> String {
        format!(
            "SCRAM-SHA-512=[name={},password={}]",
            self.user, self.password
        )
    }
}
