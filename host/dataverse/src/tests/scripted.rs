//! A service that answers from a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dvsync_model::Secret;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::{
    Client, ClientSettings, Clock, Credential, Phase, PrincipalSettings, Transport, TransportError,
    TransportFault,
};

/// One answer.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Reply(u16, Vec<(&'static str, String)>, String),
    Fail(Phase, TransportFault),
    /// The answer after a while.
    After(Duration, Box<Step>),
}

/// What was sent, and when.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) at: Duration,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
}

impl Sent {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The URL from the root on.
    pub(super) fn target(&self) -> &str {
        let after = self.url.find("://").unwrap() + 3;
        &self.url[after + self.url[after..].find('/').unwrap()..]
    }
}

type Answer = Box<dyn FnMut(&Sent) -> Step + Send>;

pub(super) struct Service {
    answer: Mutex<Answer>,
    sent: Mutex<Vec<Sent>>,
    in_flight: Mutex<(usize, usize)>,
    clock: Clock,
}

impl Service {
    pub(super) fn answering(
        answer: impl FnMut(&Sent) -> Step + Send + 'static,
    ) -> (Arc<Self>, Clock) {
        let clock = Clock::new();
        let service = Self {
            answer: Mutex::new(Box::new(answer)),
            sent: Mutex::new(Vec::new()),
            in_flight: Mutex::new((0, 0)),
            clock,
        };
        (Arc::new(service), clock)
    }

    /// Plays these answers in order; a request too many fails the test.
    pub(super) fn playing(steps: impl IntoIterator<Item = Step>) -> (Arc<Self>, Clock) {
        let mut steps: VecDeque<Step> = steps.into_iter().collect();
        Self::answering(move |sent| {
            steps.pop_front().unwrap_or_else(|| panic!("a request too many: {sent:?}"))
        })
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// Most requests that were under way at once.
    pub(super) fn most_in_flight(&self) -> usize {
        self.in_flight.lock().unwrap().1
    }
}

impl Transport for Service {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        async move {
            let sent = Sent {
                at: self.clock.now(),
                method: request.method().to_string(),
                url: request.uri().to_string(),
                headers: request.headers().clone(),
                body: String::from_utf8(request.body().to_vec()).unwrap(),
            };
            self.sent.lock().unwrap().push(sent.clone());
            {
                let mut flights = self.in_flight.lock().unwrap();
                flights.0 += 1;
                flights.1 = flights.1.max(flights.0);
            }
            let mut step = (self.answer.lock().unwrap())(&sent);
            while let Step::After(wait, then) = step {
                self.clock.sleep_until(self.clock.now() + wait).await;
                step = *then;
            }
            self.in_flight.lock().unwrap().0 -= 1;
            match step {
                Step::Reply(status, headers, body) => {
                    let mut response = http::Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
                    Ok(response.body(body.into()).unwrap())
                }
                Step::Fail(phase, kind) => {
                    Err(TransportError { phase, kind, message: "scripted".to_owned() })
                }
                Step::After(..) => unreachable!(),
            }
        }
        .boxed()
    }
}

pub(super) const URL: &str = "https://contoso.crm4.dynamics.com";

/// Settings with ready tokens for principals of these names.
pub(super) fn settings(names: &[&str]) -> ClientSettings {
    let principals = names
        .iter()
        .map(|name| PrincipalSettings {
            name: (*name).to_owned(),
            credential: Credential::Token(Secret::new(format!("token-of-{name}"))),
        })
        .collect();
    ClientSettings { seed: Some(1), ..ClientSettings::new(URL, principals) }
}

pub(super) fn client(service: &(Arc<Service>, Clock), settings: ClientSettings) -> Client {
    Client::new(settings, service.0.clone(), service.1).unwrap()
}

pub(super) fn json(status: u16, body: &str) -> Step {
    let content_type = "application/json; odata.metadata=minimal".to_owned();
    Step::Reply(status, vec![("content-type", content_type)], body.to_owned())
}

pub(super) fn no_content() -> Step {
    Step::Reply(204, vec![("odata-version", "4.0".to_owned())], String::new())
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Step {
    json(status, &format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#))
}

pub(super) fn throttled(retry_after: &str) -> Step {
    let body = r#"{"error":{"code":"0x80072322","message":"Number of requests exceeded"}}"#;
    Step::Reply(429, vec![("retry-after", retry_after.to_owned())], body.to_owned())
}

/// A batch reply of parts with these statuses and bodies.
pub(super) fn batch(status: u16, parts: &[(u16, &str)]) -> Step {
    let mut body = String::new();
    for (status, content) in parts {
        body.push_str(&format!(
            "--batchresponse_1\r\nContent-Type: application/http\r\n\
             Content-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 {status} X\r\n\
             Content-Type: application/json\r\nREQ_ID: part\r\n\r\n{content}\r\n"
        ));
    }
    body.push_str("--batchresponse_1--\r\n");
    let content_type = "multipart/mixed; boundary=batchresponse_1".to_owned();
    Step::Reply(status, vec![("content-type", content_type)], body)
}

/// The URLs of the GETs in a batch body.
pub(super) fn gets(body: &str) -> Vec<String> {
    body.lines()
        .filter_map(|line| line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1"))
        .map(str::to_owned)
        .collect()
}
