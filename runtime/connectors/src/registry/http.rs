//! Asking over HTTP, and what goes wrong with it.

use reqwest::StatusCode;
use serde::Deserialize;
use tokio::runtime::Runtime;

use super::{LONGEST, PATIENCE, Registry};
use crate::ConnectorError;

/// What speaks HTTP, made when it is first needed.
pub(super) struct Client {
    runtime: Runtime,
    http: reqwest::Client,
}

/// What a registry says to what it does not do.
#[derive(Deserialize)]
struct Refused {
    message: String,
}

impl Registry {
    /// What stands there; nothing if nothing does.
    pub(super) fn ask<T: for<'d> Deserialize<'d>>(
        &self,
        path: &str,
    ) -> Result<Option<T>, ConnectorError> {
        let (status, body) = self.send(path, None)?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            _ if status.is_success() => self.read(path, &body).map(Some),
            _ => Err(self.odd(&format!("it answers {status} to {path}"))),
        }
    }

    /// What it answers to this; within, why it refuses it.
    pub(super) fn tell<T: for<'d> Deserialize<'d>>(
        &self,
        path: &str,
        what: String,
    ) -> Result<Result<T, String>, ConnectorError> {
        let (status, body) = self.send(path, Some(what))?;
        match status {
            StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                let said: Option<Refused> = serde_json::from_slice(&body).ok();
                Ok(Err(said.map_or_else(
                    || format!("it answers {status}"),
                    |said| said.message,
                )))
            }
            _ if status.is_success() => self.read(path, &body).map(Ok),
            _ => Err(self.odd(&format!("it answers {status} to {path}"))),
        }
    }

    fn send(
        &self,
        path: &str,
        what: Option<String>,
    ) -> Result<(StatusCode, Vec<u8>), ConnectorError> {
        let client = self.client()?;
        let url = format!("{}/{path}", self.spec.url.trim_end_matches('/'));
        let answer = client.runtime.block_on(async {
            let mut request = match what {
                None => client.http.get(&url),
                Some(what) => client
                    .http
                    .post(&url)
                    .header("content-type", "application/vnd.schemaregistry.v1+json")
                    .body(what),
            };
            if let Some(user) = &self.spec.user {
                request = request.basic_auth(user, self.spec.password.as_ref());
            }
            let answer = request.send().await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let (status, body) = answer.map_err(|error| self.unreachable(&said(&error)))?;
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.unreachable(&format!("it answers {status}")));
        }
        if body.len() > LONGEST {
            return Err(self.odd(&format!("{path} is longer than {LONGEST} bytes")));
        }
        Ok((status, body.to_vec()))
    }

    fn read<T: for<'d> Deserialize<'d>>(
        &self,
        path: &str,
        body: &[u8],
    ) -> Result<T, ConnectorError> {
        serde_json::from_slice(body)
            .map_err(|error| self.odd(&format!("{path} is no schema: {error}")))
    }

    fn client(&self) -> Result<&Client, ConnectorError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Whoever else of the process speaks TLS may have chosen already: either is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| self.odd(&error.to_string()))?;
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .map_err(|error| self.odd(&said(&error)))?;
        Ok(self.client.get_or_init(|| Client { runtime, http }))
    }

    pub(super) fn unreachable(&self, why: &str) -> ConnectorError {
        ConnectorError::Registry {
            text: format!("the schema registry at {} is not there: {why}", self.url()),
            hint: "see whether the registry runs, and whether `url` of `registry` names it",
            may_pass: true,
        }
    }

    pub(super) fn odd(&self, why: &str) -> ConnectorError {
        ConnectorError::Registry {
            text: format!("the schema registry at {}: {why}", self.url()),
            hint: "see whether `url` of `registry` is that of a registry that speaks as Confluent's does, and `user` may read there",
            may_pass: false,
        }
    }
}

/// The last of what an error has to say: the others say what was tried.
fn said(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
