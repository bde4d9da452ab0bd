//! The simulated provider's memory, kept in the store: joins `payment`, which says what is remembered,
//! and `store`, which has the rows. No rule lives here.

use crate::domain::money::{Currency, Money};
use crate::domain::payment::{AttemptStatus, Method, RefundStatus};
use crate::domain::time::Timestamp;
use crate::payment::memory::{Charge, Decision, Kept, MemoryError, ProviderMemory, RefundKept, RefundRecord};
use crate::store::simulated::{self, ChargeRow, RefundRow};
use crate::store::{Store, StoreError};
use futures::FutureExt;
use futures::future::BoxFuture;

/// How often a write is tried again when another transaction stood in its way.
const TRIES: u32 = 8;

/// The memory of one site's simulated provider, in the tables `simulated_charges` and
/// `simulated_refunds`.
///
/// Its commits do not wait for the disk ([`Store::write_relaxed`] says why that is safe).
#[derive(Debug, Clone)]
pub struct StoredProviderMemory {
    store: Store,
    site: String,
}

impl StoredProviderMemory {
    /// The memory for a site.
    #[must_use]
    pub fn new(store: Store, site: impl Into<String>) -> Self {
        Self { store, site: site.into() }
    }

    async fn try_keep_charge(&self, row: &ChargeRow) -> Result<(bool, Option<ChargeRow>), StoreError> {
        let mut tx = self.store.write_relaxed().await?;
        if simulated::insert_charge(&mut tx, &self.site, row).await? {
            tx.commit().await?;
            return Ok((true, None));
        }
        let found = simulated::charge(&mut tx, &self.site, &row.idempotency_key).await?;
        tx.rollback().await?;
        Ok((false, found))
    }

    async fn try_decide(
        &self,
        key: &str,
        decision: &Decision,
        payment: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<ChargeRow>, StoreError> {
        let mut tx = self.store.write_relaxed().await?;
        let hit = match decision {
            Decision::Voided => simulated::void_charge(&mut tx, &self.site, key, now.0).await?,
            Decision::Captured | Decision::Declined { .. } => {
                let (status, reason) = (decision.status().as_str(), decision.reason());
                simulated::decide_charge(&mut tx, &self.site, key, status, reason, payment, now.0).await?
            }
        };
        let row = simulated::charge(&mut tx, &self.site, key).await?;
        if hit {
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        Ok(row)
    }

    async fn try_keep_refund(&self, record: &RefundRecord) -> Result<RefundKept, StoreError> {
        let row = refund_row(record);
        let mut tx = self.store.write_relaxed().await?;
        if !simulated::insert_refund(&mut tx, &self.site, &row).await? {
            let found = simulated::refund(&mut tx, &self.site, &record.key).await?;
            tx.rollback().await?;
            let found = found.ok_or_else(|| StoreError::Fault("a refund's key is there but not its row".to_owned()))?;
            return Ok(RefundKept::Kept(Kept::Before(read_refund(found)?)));
        }
        if record.status != RefundStatus::Failed {
            let (key, amount, now) = (&record.charge_key, record.amount.0, record.created_at.0);
            if !simulated::take_off_charge(&mut tx, &self.site, key, amount, now).await? {
                tx.rollback().await?;
                return Ok(RefundKept::TooMuch);
            }
        }
        tx.commit().await?;
        Ok(RefundKept::Kept(Kept::New(record.clone())))
    }

    async fn try_find_charge(&self, key: &str) -> Result<Option<ChargeRow>, StoreError> {
        let mut tx = self.store.read().await?;
        let mut found = simulated::charge(&mut tx, &self.site, key).await?;
        if found.is_none() {
            found = simulated::charge_of_payment(&mut tx, &self.site, key).await?;
        }
        tx.rollback().await?;
        Ok(found)
    }

    async fn try_find_refund(&self, key: &str) -> Result<Option<RefundRow>, StoreError> {
        let mut tx = self.store.read().await?;
        let found = simulated::refund(&mut tx, &self.site, key).await?;
        tx.rollback().await?;
        Ok(found)
    }
}

/// Runs an expression that answers a `Result<_, StoreError>` again while another transaction is in
/// its way. After a commit whose answer was lost, the same again finds by key what was kept.
macro_rules! again {
    ($run:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            match $run.await {
                Err(StoreError::Retry(_) | StoreError::CommitUnknown(_)) if tries < TRIES => {}
                Err(error) => break Err(MemoryError(error.to_string())),
                Ok(value) => break Ok(value),
            }
        }
    }};
}

impl ProviderMemory for StoredProviderMemory {
    fn keep_charge<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Kept<Charge>, MemoryError>> {
        async move {
            let row = charge_row(charge);
            match again!(self.try_keep_charge(&row))? {
                (true, _) => Ok(Kept::New(charge.clone())),
                (false, Some(found)) => Ok(Kept::Before(read_charge(found)?)),
                (false, None) => Err(MemoryError("the charge's payment id is taken".to_owned())),
            }
        }
        .boxed()
    }

    fn find_charge<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Charge>, MemoryError>> {
        async move { Ok(again!(self.try_find_charge(key))?.map(read_charge).transpose()?) }.boxed()
    }

    fn decide<'a>(
        &'a self,
        key: &'a str,
        decision: &'a Decision,
        gateway_payment_id: Option<&'a str>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Charge>, MemoryError>> {
        async move {
            Ok(again!(self.try_decide(key, decision, gateway_payment_id, now))?.map(read_charge).transpose()?)
        }
        .boxed()
    }

    fn keep_refund<'a>(&'a self, refund: &'a RefundRecord) -> BoxFuture<'a, Result<RefundKept, MemoryError>> {
        async move { again!(self.try_keep_refund(refund)) }.boxed()
    }

    fn find_refund<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<RefundRecord>, MemoryError>> {
        async move { Ok(again!(self.try_find_refund(key))?.map(read_refund).transpose()?) }.boxed()
    }
}

impl From<StoreError> for MemoryError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

fn unreadable(column: &str) -> StoreError {
    StoreError::Fault(format!("the simulated provider's memory has a {column} that cannot be read"))
}

fn charge_row(charge: &Charge) -> ChargeRow {
    ChargeRow {
        idempotency_key: charge.key.clone(),
        method: charge.method.as_str().to_owned(),
        amount: charge.amount.0,
        currency: charge.currency.code().to_owned(),
        status: charge.status.as_str().to_owned(),
        reason: charge.reason.clone(),
        gateway_order_id: charge.gateway_order_id.clone(),
        gateway_payment_id: charge.gateway_payment_id.clone(),
        brand: charge.brand.clone(),
        last_four: charge.last_four.clone(),
        refunded: charge.refunded.0,
        known_from: charge.known_from.map(|from| from.0),
        created_at: charge.created_at.0,
    }
}

fn read_charge(row: ChargeRow) -> Result<Charge, StoreError> {
    Ok(Charge {
        key: row.idempotency_key,
        method: Method::parse(&row.method).ok_or_else(|| unreadable("method"))?,
        amount: Money(row.amount),
        currency: Currency::parse(&row.currency).map_err(|_| unreadable("currency"))?,
        status: AttemptStatus::parse(&row.status).ok_or_else(|| unreadable("status"))?,
        reason: row.reason,
        gateway_order_id: row.gateway_order_id,
        gateway_payment_id: row.gateway_payment_id,
        brand: row.brand,
        last_four: row.last_four,
        refunded: Money(row.refunded),
        known_from: row.known_from.map(Timestamp),
        created_at: Timestamp(row.created_at),
    })
}

fn refund_row(record: &RefundRecord) -> RefundRow {
    RefundRow {
        idempotency_key: record.key.clone(),
        charge_key: record.charge_key.clone(),
        gateway_refund_id: record.gateway_refund_id.clone(),
        amount: record.amount.0,
        status: record.status.as_str().to_owned(),
        created_at: record.created_at.0,
    }
}

fn read_refund(row: RefundRow) -> Result<RefundRecord, StoreError> {
    Ok(RefundRecord {
        key: row.idempotency_key,
        charge_key: row.charge_key,
        gateway_refund_id: row.gateway_refund_id,
        amount: Money(row.amount),
        status: RefundStatus::parse(&row.status).ok_or_else(|| unreadable("status"))?,
        created_at: Timestamp(row.created_at),
    })
}
