//! What the worker asks: which timers, attempts and refunds are due, and when the next one will be.
//! The settings are read here, so that every process judges by those in force. Nothing is written.

use super::door::{Query, Site, View};
use super::orders::Timer;
use super::payments::RefundDue;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::{AttemptId, OrderId, RefundId};
use crate::domain::money::{Currency, Money};
use crate::domain::time::{MICROS, Timestamp, business_day_start};
use crate::service::order_view::attempt_view;
use crate::service::views::AttemptView;
use crate::store::due::{self, Key, Waits};
use crate::store::{StoreError, Tx, lease, money, outbox};

/// A page of what is due. `after` of the next page is `next`; none: there is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins.
    pub next: Option<Key>,
}

impl<T> Page<T> {
    fn of<R>(rows: Vec<R>, limit: i64, key: impl Fn(&R) -> Key, row: impl FnMut(R) -> T) -> Self {
        let full = i64::try_from(rows.len()).is_ok_and(|count| count >= limit);
        let next = rows.last().map(key).filter(|_| full);
        Self { rows: rows.into_iter().map(row).collect(), next }
    }
}

/// The orders on which a timer is due.
#[derive(Debug, Clone)]
pub struct DueOrders {
    /// Which timer.
    pub timer: Timer,
    /// After this place in the list.
    pub after: Key,
    /// At most so many.
    pub limit: i64,
}

impl Query for DueOrders {
    type Output = Page<OrderId>;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<Page<OrderId>, Refused> {
        let Some(timer) = list_of(self.timer, &view.site, view.now) else {
            return Ok(Page { rows: Vec::new(), next: None });
        };
        let site = view.site.id.clone();
        let rows = due::orders(view.tx, &site, &timer, self.after, self.limit).await?;
        Ok(Page::of(rows, self.limit, |row| Key::from(*row), |row| OrderId(row.id)))
    }
}

/// The list of a timer at `now`; none where a setting says never, or the site is closed (T12).
fn list_of(timer: Timer, site: &Site, now: Timestamp) -> Option<due::Timer> {
    let settings = &site.settings;
    let before = |seconds: i64| (seconds > 0).then(|| now.plus_seconds(-seconds));
    match timer {
        Timer::Expire => Some(due::Timer::Expired(now)),
        Timer::AcceptTimeout => {
            let open = settings.restaurant_open && settings.time_slots.slot_now(now, site.zone).is_some();
            before(settings.accept_timeout_seconds).filter(|_| open).map(due::Timer::NotAccepted)
        }
        Timer::CashTimeout => before(settings.cash_wait_seconds).map(due::Timer::CashAwaited),
        Timer::NoShow => before(settings.no_show_minutes.saturating_mul(60)).map(due::Timer::NotCollectedUnpaid),
        Timer::ReleaseHold => Some(due::Timer::HoldOver(now)),
        Timer::CloseUncollected => {
            let today = now.business_date(site.zone, settings.business_day_cutoff);
            Some(due::Timer::NotCollectedBefore(today.format("%Y-%m-%d").to_string()))
        }
        Timer::AutoReady => settings.auto_ready.then_some(due::Timer::AllDone(now)),
        Timer::AutoAssign => settings.auto_assign.then_some(due::Timer::WithoutCourier(now)),
    }
}

/// An attempt about which its gateway is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAttempt {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptView,
    /// For how long it has waited, in seconds.
    pub age_seconds: i64,
    /// Whether that is `attempt_give_up_seconds` or longer.
    pub give_up: bool,
}

/// The open attempts whose gateways are to be asked now.
#[derive(Debug, Clone)]
pub struct DueAttempts {
    /// After this place in the list.
    pub after: Key,
    /// At most so many.
    pub limit: i64,
    /// Instead of open ones, those that were given up without an answer.
    pub given_up: bool,
}

impl Query for DueAttempts {
    type Output = Page<DueAttempt>;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<Page<DueAttempt>, Refused> {
        let site = view.site.id.clone();
        let give_up = view.site.settings.attempt_give_up_seconds;
        let rows = if self.given_up {
            due::unresolved(view.tx, &site, view.now, self.after, self.limit).await?
        } else {
            due::attempts(view.tx, &site, view.now, self.after, self.limit).await?
        };
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let (order, id) = (OrderId(row.order_id), AttemptId(row.id));
            let attempts = money::attempts(view.tx, &site, order).await?;
            let Some(attempt) = attempts.iter().find(|attempt| attempt.id == id.0) else { continue };
            found.push(DueAttempt {
                order,
                attempt: attempt_view(attempt)?,
                age_seconds: view.now.seconds_since(Timestamp(row.created_at)),
                give_up: view.now >= Timestamp(row.created_at).plus_seconds(give_up),
            });
        }
        let next = Page::of(rows, self.limit, |row| Key { at: row.at, id: row.id }, drop).next;
        Ok(Page { rows: found, next })
    }
}

/// The refunds that gateways are to be asked for now.
#[derive(Debug, Clone)]
pub struct DueRefunds {
    /// After this place in the list.
    pub after: Key,
    /// At most so many.
    pub limit: i64,
}

impl Query for DueRefunds {
    type Output = Page<RefundDue>;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<Page<RefundDue>, Refused> {
        let site = view.site.id.clone();
        let rows = due::refunds(view.tx, &site, view.now, self.after, self.limit).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            // A stray capture was never asked for under the key of its row: the gateway's own id tells it.
            let charge_key = match &row.gateway_payment_id {
                Some(payment) if row.stray => payment.clone(),
                _ => row.attempt_key.clone(),
            };
            found.push(RefundDue {
                order: OrderId(row.order_id),
                refund: RefundId(row.id),
                key: row.idempotency_key.clone(),
                charge_key,
                method: row.method.parse()?,
                amount: Money(row.amount),
                currency: Currency::parse(&row.currency)?,
                tries: row.tries,
            });
        }
        let next = Page::of(rows, self.limit, |row| Key { at: row.at, id: row.id }, drop).next;
        Ok(Page { rows: found, next })
    }
}

/// What of the housekeeping is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Housekeeping {
    /// Carts last touched before this instant are to go.
    pub carts_before: Option<Timestamp>,
    /// Idempotency keys stored before this instant are to go.
    pub keys_before: Option<Timestamp>,
    /// The next instant at which something of the house waits for the worker.
    pub next: Option<Timestamp>,
    /// The instant of the answer, on the clock of the store.
    pub now: Timestamp,
}

/// How long the outcome of a command answers a repetition of it, in seconds: 7 days.
pub const KEEP_KEYS_SECONDS: i64 = 7 * 24 * 3_600;

/// What of the housekeeping is due, and when the next timer will be.
#[derive(Debug, Clone, Copy)]
pub struct DueHousekeeping;

impl Query for DueHousekeeping {
    type Output = Housekeeping;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<Housekeeping, Refused> {
        let (site, now) = (std::sync::Arc::clone(&view.site), view.now);
        let settings = &site.settings;
        let ttl = settings.cart_ttl_minutes.saturating_mul(60);
        let cart = due::oldest_cart(view.tx, &site.id).await?.filter(|_| ttl > 0);
        let carts_before = now.plus_seconds(-ttl);
        let key = due::oldest_idempotency_key(view.tx, &site.id).await?;
        let keys_before = now.plus_seconds(-KEEP_KEYS_SECONDS);
        let micros = |seconds: i64| (seconds > 0).then(|| seconds.saturating_mul(MICROS));
        let waits = Waits {
            accept: micros(settings.accept_timeout_seconds),
            cash: micros(settings.cash_wait_seconds),
            no_show: micros(settings.no_show_minutes.saturating_mul(60)),
        };
        let today = now.business_date(site.zone, settings.business_day_cutoff);
        let day_end = today.succ_opt().map(|next| business_day_start(next, site.zone, settings.business_day_cutoff));
        let next = [
            due::next(view.tx, &site.id, now, waits).await?,
            // One microsecond after its time: carts and keys go when they are older.
            cart.map(|at| Timestamp(at.plus_seconds(ttl).0.saturating_add(1))),
            key.map(|at| Timestamp(at.plus_seconds(KEEP_KEYS_SECONDS).0.saturating_add(1))),
            day_end,
        ];
        Ok(Housekeeping {
            carts_before: cart.filter(|at| *at < carts_before).map(|_| carts_before),
            keys_before: key.filter(|at| *at < keys_before).map(|_| keys_before),
            next: next.into_iter().flatten().filter(|at| *at > now).min(),
            now,
        })
    }
}

/// How the worker is: for Health and the launcher.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkerStatus {
    /// Who leads now; none: no worker runs.
    pub holder: Option<String>,
    /// Rises with every new holder.
    pub fence: Option<i64>,
    /// Until when the lease lasts without renewal, also where it is over.
    pub expires_at: Option<Timestamp>,
    /// Events that wait to be delivered.
    pub backlog: i64,
    /// Events that were given up after their tries and wait for a person.
    pub parked: i64,
}

/// How the worker is.
#[derive(Debug, Clone, Copy)]
pub struct ShowWorker;

impl Query for ShowWorker {
    type Output = WorkerStatus;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<WorkerStatus, Refused> {
        let site = view.site.id.clone();
        Ok(worker_status(view.tx, &site, view.now).await?)
    }
}

/// How the worker is, within a transaction: for [`ShowWorker`] and for Health.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn worker_status(tx: &mut Tx, site: &str, now: Timestamp) -> Result<WorkerStatus, StoreError> {
    let lease = lease::find(tx, site, lease::WORKER).await?;
    Ok(WorkerStatus {
        holder: lease.as_ref().filter(|row| row.expires_at > now.0).map(|row| row.holder.clone()),
        fence: lease.as_ref().map(|row| row.fence),
        expires_at: lease.as_ref().map(|row| Timestamp(row.expires_at)),
        backlog: outbox::backlog(tx, site).await?,
        parked: outbox::parked(tx, site).await?,
    })
}
