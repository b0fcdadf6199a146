//! What a fault does to a request or to its reply.

use std::time::Duration;

use super::visit::Visit;
use super::{Cut, Emulator};
use crate::faults::{Effect, Suspect, recount};
use crate::principals::SignedIn;
use crate::refusal::Refusal;
use crate::reply::Reply;

impl Emulator {
    /// The effect that hits a request.
    pub(super) fn struck(&self, visit: &mut Visit<'_>) -> Option<Effect> {
        let effect = self.faults().strike(&Suspect {
            method: visit.parts.method.as_str(),
            path: visit.target,
            operation: visit.operation,
            principal: &visit.principal,
            server: visit.server,
            elapsed: visit.moment.elapsed,
        });
        visit.fault = effect.as_ref().map(Effect::name);
        effect
    }

    /// The reply of an effect that stands in for the service, or the effect: it
    /// spoils what the service says.
    pub(super) fn instead(
        &self,
        visit: &mut Visit<'_>,
        effect: Effect,
        signed_in: Option<SignedIn<'_>>,
    ) -> Result<Reply, Effect> {
        match effect {
            Effect::Reply { status, code, message, retry_after_seconds, headers } => {
                let mut refusal = Refusal::new(status, code, message);
                refusal.retry_after = retry_after_seconds;
                for (name, value) in headers {
                    if let (Ok(name), Ok(value)) = (name.parse(), value.parse()) {
                        visit.headers.push((name, value));
                    }
                }
                Ok(refusal.into())
            }
            Effect::Html { status } => {
                let page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>The \
                            service is unavailable.</h1></body></html>";
                Ok(Reply::text(status, "text/html; charset=utf-8", page))
            }
            Effect::Deadlock => Ok(Refusal::new(
                500,
                "0x80044150",
                "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: \
                 -2146232060 Sql Number: 1205",
            )
            .into()),
            Effect::ExpiredToken => {
                if let Some(signed_in) = signed_in {
                    self.principals.expire(signed_in);
                }
                let environment = self.environment();
                Ok(self.principals.expired_reply(visit.entrance(), &environment.behavior))
            }
            Effect::CutBeforeCommit => {
                visit.cut = Some(Cut::BeforeCommit);
                Ok(Reply::empty(500))
            }
            after => Err(after),
        }
    }

    /// The reply as an effect leaves it.
    pub(super) fn spoiled(
        &self,
        visit: &mut Visit<'_>,
        mut reply: Reply,
        after: Option<Effect>,
    ) -> Reply {
        let earlier = if self.faults().wants_earlier() {
            self.earlier().exchange(&visit.principal, visit.operation, &reply)
        } else {
            None
        };
        match after {
            Some(Effect::CutAfterCommit) => visit.cut = Some(Cut::AfterCommit),
            Some(Effect::Truncate { bytes }) => visit.cut = Some(Cut::Truncate(bytes)),
            Some(Effect::Stall { bytes, milliseconds }) => {
                let pause = milliseconds.map(Duration::from_millis);
                let pause = pause.map(|pause| self.clock.for_client(pause));
                visit.cut = Some(Cut::Stall { bytes, pause });
            }
            Some(Effect::Delay { milliseconds }) => {
                visit.delay += Duration::from_millis(milliseconds);
            }
            Some(Effect::WrongCount { missing, extra }) => reply = recount(reply, missing, extra),
            Some(Effect::EarlierReply) => reply = earlier.unwrap_or(reply),
            _ => {}
        }
        reply
    }
}
