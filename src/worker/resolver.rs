//! Money that waits for a gateway: attempts whose answer never came, attempts that were given up and
//! may have been captured all the same, and refunds.
//!
//! Gateways are asked outside of any transaction, so no fence can hold them back; it need not: each
//! question carries its key, and an answer counts once, whoever brings it. Only who begins is fenced.

use super::{Report, Worker};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::payment::Method;
use crate::payment::{ChargeState, VoidAnswer};
use crate::service::Caller;
use crate::service::payments::{self, ApplyCharge, ChargeResult, RefundDue};
use crate::service::worker_due::{DueAttempt, DueAttempts, DueRefunds};
use crate::service::worker_writes::{AskAgain, Fenced};
use crate::store::due::Key;
use crate::store::lease::Held;
use futures::stream::{self, StreamExt};
use std::future::Future;
use std::time::Duration;
use uuid::Uuid;

/// Rows of one question.
const PAGE: i64 = 100;
/// Gateways asked at the same time.
const AT_ONCE: usize = 4;
/// A gateway that does not answer in this time is asked again later.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two questions about an attempt that was given up, in seconds.
const RECHECK_SECONDS: i64 = 600;
/// For how long such an attempt is asked about, in seconds: 7 days.
const RECHECK_FOR_SECONDS: i64 = 7 * 24 * 3_600;

impl Worker {
    /// Asks the gateways about open attempts that are due (T3, T4, T5), also those whose process died
    /// before or after its call; gives up those that waited for too long.
    ///
    /// # Errors
    /// The store's refusals, and a lease that is another's by now.
    pub async fn resolve_attempts(&self, held: &Held) -> Result<Report, Refused> {
        let mut report = Report::default();
        let mut after = Some(Key::START);
        while let Some(from) = after {
            let page =
                self.door().ask(&Caller::System, DueAttempts { after: from, limit: PAGE, given_up: false }).await?;
            after = page.next;
            report.attempts += self
                .each(
                    held,
                    "attempt",
                    page.rows,
                    |due| due.attempt.id.0,
                    &mut report.poisoned,
                    |due| async move {
                        payments::resolve(self.door(), self.gateways(), due.order, &due.attempt, due.give_up)
                            .await
                            .map(|_| ())
                    },
                )
                .await?;
        }
        Ok(report)
    }

    /// Asks again about attempts that were given up without an answer: a capture that turns up after
    /// all goes back (T29), so that nobody is charged for nothing.
    ///
    /// # Errors
    /// The store's refusals, and a lease that is another's by now.
    pub async fn recheck_given_up(&self, held: &Held) -> Result<Report, Refused> {
        let mut report = Report::default();
        let mut after = Some(Key::START);
        while let Some(from) = after {
            let page =
                self.door().ask(&Caller::System, DueAttempts { after: from, limit: PAGE, given_up: true }).await?;
            after = page.next;
            report.attempts += self
                .each(
                    held,
                    "given up",
                    page.rows,
                    |due| due.attempt.id.0,
                    &mut report.poisoned,
                    |due| async move { self.recheck(held, &due).await },
                )
                .await?;
        }
        Ok(report)
    }

    async fn recheck(&self, held: &Held, due: &DueAttempt) -> Result<(), Refused> {
        let key = &due.attempt.key;
        let method = Method::parse(due.attempt.method.as_str())
            .ok_or_else(|| Refused::internal("an attempt without a gateway was given up"))?;
        let gateway = self.gateways().require(method)?;
        let captured = match gateway.query(key).await {
            Ok(ChargeState::Captured(capture)) => Some(Some(capture)),
            Ok(ChargeState::Voided | ChargeState::Declined(_)) => Some(None),
            Ok(ChargeState::Pending { .. } | ChargeState::NotFound) | Err(_) => match gateway.void(key).await {
                Ok(VoidAnswer::AlreadyCaptured(capture)) => Some(Some(capture)),
                Ok(VoidAnswer::Voided | VoidAnswer::NotFound | VoidAnswer::Declined(_)) => Some(None),
                Err(_) => None,
            },
        };
        if let Some(Some(capture)) = &captured {
            let apply = ApplyCharge {
                order: due.order,
                attempt: Some(due.attempt.id),
                gateway: gateway.name().to_owned(),
                result: ChargeResult::Captured {
                    // The attempt that was given up keeps the gateway's id of the charge.
                    gateway_order_id: None,
                    gateway_payment_id: capture.gateway_payment_id.clone(),
                    amount: capture.amount,
                    currency: capture.currency.code().to_owned(),
                    brand: capture.brand.clone(),
                    last_four: capture.last_four.clone(),
                    response: Some(capture.response.clone()),
                },
            };
            self.door().execute(&Caller::Gateway(gateway.name()), None, apply).await?;
        }
        let seconds = (captured.is_none() && due.age_seconds < RECHECK_FOR_SECONDS).then_some(RECHECK_SECONDS);
        let again = AskAgain { order: due.order, attempt: due.attempt.id, seconds };
        self.door().execute(&Caller::System, None, Fenced { held: held.clone(), command: again }).await?;
        Ok(())
    }

    /// Asks the gateways for refunds that wait (T32).
    ///
    /// # Errors
    /// The store's refusals, and a lease that is another's by now.
    pub async fn settle_refunds(&self, held: &Held) -> Result<Report, Refused> {
        let mut report = Report::default();
        let mut after = Some(Key::START);
        while let Some(from) = after {
            let page = self.door().ask(&Caller::System, DueRefunds { after: from, limit: PAGE }).await?;
            after = page.next;
            let refund = |due: &RefundDue| due.refund.0;
            report.refunds += self
                .each(held, "refund", page.rows, refund, &mut report.poisoned, |due| async move {
                    payments::settle(self.door(), self.gateways(), &due).await
                })
                .await?;
        }
        Ok(report)
    }

    /// Runs a question about each row, a few at a time and each bounded in time; how many were answered.
    /// A row that fails rests for a while.
    async fn each<T, Answer>(
        &self,
        held: &Held,
        duty: &'static str,
        rows: Vec<T>,
        id: impl Fn(&T) -> Uuid,
        poisoned: &mut usize,
        ask: impl Fn(T) -> Answer,
    ) -> Result<usize, Refused>
    where
        Answer: Future<Output = Result<(), Refused>>,
    {
        let now = self.door().clock().now();
        let rows: Vec<(Uuid, T)> = rows.into_iter().map(|row| (id(&row), row)).collect();
        let rows: Vec<_> = rows.into_iter().filter(|(id, _)| !self.poison().rests(duty, *id, now)).collect();
        if rows.is_empty() {
            return Ok(0);
        }
        self.require_lease(held).await?;
        let asked = rows.into_iter().map(|(id, row)| {
            let answer = ask(row);
            async move { (id, tokio::time::timeout(PATIENCE, answer).await) }
        });
        let mut asked = stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut answered = 0;
        while let Some((id, answer)) = asked.next().await {
            match answer {
                Ok(Ok(())) => {
                    self.poison().handled(duty, id);
                    answered += 1;
                }
                Ok(Err(refused)) if refused.code == ErrorCode::StoreUnavailable => return Err(refused),
                failed => {
                    let why = failed.map_or_else(
                        |_| "no answer in time".to_owned(),
                        |answer| answer.err().map_or_else(String::new, |refused| refused.to_string()),
                    );
                    tracing::warn!(duty, %id, why, "a gateway could not be asked");
                    self.poison().failed(duty, id, now);
                    *poisoned += 1;
                }
            }
        }
        Ok(answered)
    }
}
