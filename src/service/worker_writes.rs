//! What the worker writes through the door: any command under its lease, and the housekeeping that
//! belongs to no order.

use super::door::{Context, UseCase};
use crate::domain::access::Permission;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{AttemptId, OrderId};
use crate::domain::time::Timestamp;
use crate::store::lease::{self, Held};
use crate::store::{carts, due};
use serde::{Deserialize, Serialize};

/// A command of the worker: kept only while its lease is its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fenced<U> {
    /// The lease.
    pub held: Held,
    /// The command.
    pub command: U,
}

impl<U: UseCase> UseCase for Fenced<U> {
    type Output = U::Output;
    const NAME: &'static str = U::NAME;
    const PERMISSION: Permission = U::PERMISSION;
    const AUDITED: bool = U::AUDITED;

    async fn run(&self, context: &mut Context<'_>) -> Result<U::Output, Refused> {
        let site = context.site.id.clone();
        // The lease's row is the first lock, before the order's; nobody but workers takes it.
        if !lease::hold(context.tx, &site, &self.held).await? {
            return Err(lost(&self.held));
        }
        self.command.run(context).await
    }
}

/// The guard that a refusal names when the lease is another's.
pub const LEASE_GUARD: &str = "worker_lease";

/// The refusal of a worker whose lease is another's by now.
#[must_use]
pub fn lost(held: &Held) -> Refused {
    Refused::new(ErrorCode::Conflict, "Another worker leads by now.").by_guard(LEASE_GUARD).with("fence", held.fence)
}

/// Whether a refusal says that the lease is another's.
#[must_use]
pub fn is_lost(refused: &Refused) -> bool {
    refused.guard == Some(LEASE_GUARD)
}

/// Deletes open carts that nobody touched since an instant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpireCarts {
    /// The instant.
    pub before: Timestamp,
}

impl UseCase for ExpireCarts {
    type Output = u64;
    const NAME: &'static str = "expire_carts";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<u64, Refused> {
        let site = context.site.id.clone();
        Ok(carts::delete_idle(context.tx, &site, self.before).await?)
    }
}

/// Forgets stored outcomes of commands from before an instant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgetKeys {
    /// The instant.
    pub before: Timestamp,
    /// At most so many.
    pub limit: i64,
}

impl UseCase for ForgetKeys {
    type Output = u64;
    const NAME: &'static str = "forget_keys";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<u64, Refused> {
        let site = context.site.id.clone();
        Ok(due::forget_idempotency_keys(context.tx, &site, self.before, self.limit).await?)
    }
}

/// Notes when to ask again whether an attempt that was given up was captured all the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AskAgain {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptId,
    /// Seconds from now; none: never again.
    pub seconds: Option<i64>,
}

impl UseCase for AskAgain {
    type Output = u64;
    const NAME: &'static str = "ask_again";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<u64, Refused> {
        let site = context.site.id.clone();
        let at = self.seconds.map_or(Timestamp(i64::MAX), |seconds| context.now.plus_seconds(seconds));
        Ok(due::ask_again(context.tx, &site, self.order.0, self.attempt.0, at).await?)
    }
}
