//! What librdkafka says, as errors of connectors: what was tried, on what, why not, and what to do.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::client::Heard;
use crate::ConnectorError;

/// Something that was asked of a cluster and did not come about.
pub(crate) fn failed(
    what: impl Into<String>,
    brokers: &str,
    error: &KafkaError,
    heard: &Heard,
) -> ConnectorError {
    let what = what.into();
    let Some(code) = error.rdkafka_error_code() else {
        return configuration(error);
    };
    let trouble = heard.trouble().filter(|_| unreachable(code));
    // Brokers that let nobody in look like brokers that are away.
    let refusal = heard.refusal().filter(|_| unreachable(code));
    let code = refusal.unwrap_or(code);
    let why = trouble.map_or_else(|| code.to_string(), |trouble| trouble.text);
    ConnectorError::Kafka {
        text: format!("{what} at {brokers}: {why}"),
        hint: hint(code),
        may_pass: may_pass(code),
    }
}

/// What is wrong with what librdkafka was told. Values stay out of it.
pub(crate) fn configuration(error: &KafkaError) -> ConnectorError {
    let text = match error {
        KafkaError::ClientConfig(_, why, name, value)
            if !value.is_empty() && why.contains(value.as_str()) =>
        {
            format!("kafka property `{name}` is not accepted with this value")
        }
        KafkaError::ClientConfig(_, why, name, _) => {
            format!("kafka property `{name}` is not accepted: {why}")
        }
        other => format!("no kafka client can be made: {other}"),
    };
    ConnectorError::Configuration(text)
}

fn unreachable(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::Resolve
            | Code::MessageTimedOut
            | Code::SSL
            | Code::Authentication
    )
}

/// Whether it may go better later.
pub(crate) fn may_pass(code: Code) -> bool {
    !matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::SSL
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::InvalidTopic
            | Code::InvalidConfig
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::UnknownTopicOrPartition
            | Code::UnsupportedFeature
            | Code::UnsupportedVersion
            | Code::InvalidTransactionTimeout
            | Code::PolicyViolation
    )
}

/// Whether a client is of no use any more after what it has been told.
pub(crate) fn is_final(error: &KafkaError) -> bool {
    match error {
        KafkaError::MessageConsumptionFatal(_) => true,
        KafkaError::MessageConsumption(code) | KafkaError::Global(code) => !may_pass(*code),
        _ => false,
    }
}

fn hint(code: Code) -> &'static str {
    match code {
        Code::Authentication | Code::SaslAuthenticationFailed => {
            "see whether user, password and mechanism in `properties` are those that the brokers know: `sasl.username`, `sasl.password`, \
             `sasl.mechanism`, `security.protocol`"
        }
        Code::SSL => {
            "see whether `ssl.ca.location` in `properties` names the certificate that the brokers' are signed with, and `security.protocol` \
             is what they speak"
        }
        Code::TopicAuthorizationFailed => "the user needs rights to read or write the topic",
        Code::GroupAuthorizationFailed => {
            "the user needs rights on the group; `group` names another one"
        }
        Code::TransactionalIdAuthorizationFailed | Code::ClusterAuthorizationFailed => {
            "the user needs rights to write in transactions"
        }
        Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition => {
            "see whether the topic is there, and is called so"
        }
        _ => {
            "see whether the brokers run, and can be reached from here by the names that they give"
        }
    }
}
