//! Watches over a gateway: every answer and every silence of it is noted for Health, beside the payment and
//! never in its way. What an answer means for an order is not judged here.

use crate::domain::payment::Method;
use crate::domain::text::clean;
use crate::domain::time::{Clock, Timestamp};
use crate::payment::{
    ChargeAnswer, ChargeRequest, ChargeState, Gateway, GatewayError, RefundAnswer, RefundRequest, VoidAnswer,
};
use crate::store::{Store, StoreError, health};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The same news is written once in so many seconds.
const AGAIN_SECONDS: i64 = 60;
/// A gateway that has not answered in this time is noted as silent; whoever asked may wait on.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest reason that is kept.
const MAX_REASON: usize = 200;

/// A gateway whose answers are noted.
#[derive(Clone)]
pub struct WatchedGateway {
    gateway: Arc<dyn Gateway>,
    notes: Arc<Notes>,
}

struct Notes {
    store: Store,
    site: String,
    name: &'static str,
    clock: Arc<dyn Clock>,
    /// What was written last: whether it was a failure, and when.
    told: Mutex<Option<(bool, Timestamp)>>,
}

impl WatchedGateway {
    /// Watches over a gateway of this site.
    #[must_use]
    pub fn new(gateway: Arc<dyn Gateway>, store: Store, site: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        let name = gateway.name();
        Self { gateway, notes: Arc::new(Notes { store, site: site.into(), name, clock, told: Mutex::new(None) }) }
    }

    /// Passes a call on; `silent` tells an answer that is none.
    async fn pass<T>(
        &self,
        call: impl Future<Output = Result<T, GatewayError>>,
        silent: impl Fn(&T) -> bool,
    ) -> Result<T, GatewayError> {
        let mut call = std::pin::pin!(call);
        let answer = tokio::select! {
            answer = &mut call => answer,
            () = tokio::time::sleep(PATIENCE) => {
                self.notes.note(Some("no answer in time".to_owned()));
                call.await
            }
        };
        match &answer {
            Ok(answer) if silent(answer) => self.notes.note(Some("no answer".to_owned())),
            Ok(_) => self.notes.note(None),
            Err(GatewayError::Unreachable(why)) => self.notes.note(Some(format!("unreachable: {why}"))),
            // It answered, or was never asked: the request was wrong.
            Err(GatewayError::KeyReused | GatewayError::Invalid(_)) => {}
        }
        answer
    }
}

impl Notes {
    /// Notes an answer (`None`) or a failure, unless the same was noted a moment ago. Does not wait.
    fn note(self: &Arc<Self>, failure: Option<String>) {
        let now = self.clock.now();
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let known = told.is_some_and(|(failed, at)| {
                failed == failure.is_some() && at <= now && now.seconds_since(at) < AGAIN_SECONDS
            });
            if known {
                return;
            }
            *told = Some((failure.is_some(), now));
        }
        let notes = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = notes.write(failure).await {
                tracing::debug!(%error, gateway = notes.name, "the state of a gateway was not noted");
                // The next answer tries again.
                *notes.told.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
        });
    }

    async fn write(&self, failure: Option<String>) -> Result<(), StoreError> {
        let failure = failure.map(|why| clean(&why, MAX_REASON, false));
        // Need not reach the disk at once: it is news, no record of money.
        let mut tx = self.store.write_relaxed().await?;
        let now = tx.now(&*self.clock).await?;
        health::note_gateway(&mut tx, &self.site, self.name, failure.as_deref().map_or(Ok(()), Err), now).await?;
        tx.commit().await
    }
}

impl Gateway for WatchedGateway {
    fn name(&self) -> &'static str {
        self.notes.name
    }

    fn method(&self) -> Method {
        self.gateway.method()
    }

    fn create(&self, request: ChargeRequest) -> BoxFuture<'_, Result<ChargeAnswer, GatewayError>> {
        let silent = |answer: &ChargeAnswer| matches!(answer, ChargeAnswer::NoAnswer);
        self.pass(self.gateway.create(request), silent).boxed()
    }

    fn query<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<ChargeState, GatewayError>> {
        self.pass(self.gateway.query(key), |_| false).boxed()
    }

    fn void<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<VoidAnswer, GatewayError>> {
        self.pass(self.gateway.void(key), |_| false).boxed()
    }

    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, Result<RefundAnswer, GatewayError>> {
        let silent = |answer: &RefundAnswer| matches!(answer, RefundAnswer::NoAnswer);
        self.pass(self.gateway.refund(request), silent).boxed()
    }
}
