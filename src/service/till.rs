//! The till: opening a shift with its float, cash in and drops, the report at any time (X) and the
//! closing count (Z). Sales and cash refunds move the drawer through the order machine, not here.
//!
//! A drawer stands at a terminal; one shift is open there at a time. A caller without a terminal uses
//! the terminal "counter". Amounts are minor units of the site's currency.

use super::door::{Context, Query, UseCase, View};
use super::report_views::{MethodSales, SalesFigures};
use super::staff::reason;
use super::terminals::{self, TerminalRole};
use crate::domain::access::Permission;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{OrderId, RefundId, ShiftId, StaffId, TerminalId};
use crate::domain::money::{Currency, Money};
use crate::domain::order::Guard;
use crate::domain::payment::AttemptMethod;
use crate::domain::report::SalesSums;
use crate::domain::text::clean;
use crate::domain::time::Timestamp;
use crate::store::records::AuditRow;
use crate::store::till::{self, KindTotal, Movement, MovementRow, NewShift, ShiftRow};
use crate::store::{StoreError, Tx, people, reports, till_takings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub use crate::store::till::MovementKind;

/// The most that one movement, float or count may be: far from where sums overflow.
const MAX_AMOUNT: i64 = 1_000_000_000_000;
/// The longest note on a closing, in user-perceived characters.
const MAX_NOTE: usize = 200;
/// Open cash orders that a refusal names.
const NAMED_ORDERS: i64 = 20;
/// Movements that a report carries.
const REPORTED_MOVEMENTS: i64 = 500;
/// The most rows of a page.
const MAX_PAGE: i64 = 500;

/// A till shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftView {
    /// Its identity.
    pub id: ShiftId,
    /// The terminal at which the drawer stands.
    pub terminal: TerminalId,
    /// Its name.
    pub terminal_name: String,
    /// Who opened it.
    pub opened_by: Option<String>,
    /// When.
    pub opened_at: Timestamp,
    /// The cash laid in at the start.
    pub float: i64,
    /// What the drawer should hold: now, or when it was closed.
    pub expected: i64,
    /// What was counted at the end.
    pub counted: Option<i64>,
    /// Counted less expected: positive is over, negative is short.
    pub over_short: Option<i64>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// When.
    pub closed_at: Option<Timestamp>,
    /// What was written at the end.
    pub note: Option<String>,
}

impl From<ShiftRow> for ShiftView {
    fn from(row: ShiftRow) -> Self {
        Self {
            id: row.shift_id(),
            terminal: TerminalId(row.terminal_id),
            terminal_name: row.terminal_name,
            opened_by: row.opened_by_name,
            opened_at: Timestamp(row.opened_at),
            float: row.opening_float,
            expected: row.expected.unwrap_or(row.balance),
            counted: row.counted,
            over_short: row.over_short,
            closed_by: row.closed_by_name,
            closed_at: row.closed_at.map(Timestamp),
            note: row.note,
        }
    }
}

/// The movements of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Total {
    /// How many.
    pub count: i64,
    /// Their sum; negative where cash went out.
    pub amount: i64,
}

/// One movement of the drawer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementView {
    /// Its number within the shift.
    pub number: i64,
    /// Why.
    pub kind: MovementKind,
    /// Positive in, negative out.
    pub amount: i64,
    /// What the drawer held afterwards.
    pub balance_after: i64,
    /// What the customer handed over.
    pub tendered: Option<i64>,
    /// The order.
    pub order: Option<OrderId>,
    /// The refund.
    pub refund: Option<RefundId>,
    /// The role of whoever moved it.
    pub actor_role: String,
    /// Who moved it.
    pub actor: Option<StaffId>,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl MovementView {
    fn of(row: MovementRow) -> Result<Self, Refused> {
        let kind =
            MovementKind::parse(&row.kind).ok_or_else(|| Refused::internal("a drawer movement has an unknown kind"))?;
        Ok(Self {
            number: row.seq,
            kind,
            amount: row.amount,
            balance_after: row.balance_after,
            tendered: row.tendered,
            order: row.order_id.map(OrderId),
            refund: row.refund_id.map(RefundId),
            actor_role: row.actor_role,
            actor: row.actor_id.map(StaffId),
            reason: row.reason,
            at: Timestamp(row.at),
        })
    }
}

/// What the whole site took while a till was open, whichever drawer, kiosk or gateway took it: a card that
/// was paid at a kiosk belongs to no drawer. By the instants of captures and of refunds that settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takings {
    /// Everything together.
    pub whole: SalesFigures,
    /// Methods that were used.
    pub by_method: Vec<MethodSales>,
}

impl Takings {
    /// From the opening of a shift to its end, or to now. `None` where orders of that time are archived:
    /// what is left of them would be less than what was taken.
    async fn of(tx: &mut Tx, site: &str, shift: &ShiftRow) -> Result<Option<Self>, Refused> {
        let from = Timestamp(shift.opened_at);
        if reports::archived_before(tx, site).await?.is_some_and(|before| from < before) {
            return Ok(None);
        }
        let until = shift.closed_at.map_or(Timestamp(i64::MAX), Timestamp);
        let (taken, back) = till_takings::between(tx, site, from, until).await?;
        let method = |word: &str| {
            AttemptMethod::parse(word).ok_or_else(|| Refused::internal("an attempt has an unknown method"))
        };
        let mut methods: BTreeMap<AttemptMethod, SalesSums> = BTreeMap::new();
        for row in taken {
            let sums = SalesSums {
                orders: row.orders,
                gross: row.gross,
                discounts: row.discounts,
                tax: row.tax,
                tax_added: row.tax_added,
                delivery_fees: row.delivery_fees,
                collected: row.collected,
                ..SalesSums::default()
            };
            methods.entry(method(&row.method)?).or_default().add(&sums);
        }
        for row in back {
            let sums = SalesSums { refunds: row.refunds, refunded: row.refunded, ..SalesSums::default() };
            methods.entry(method(&row.method)?).or_default().add(&sums);
        }
        let mut whole = SalesSums::default();
        methods.values().for_each(|sums| whole.add(sums));
        let by_method =
            methods.into_iter().map(|(method, sums)| MethodSales { method, figures: sums.into() }).collect();
        Ok(Some(Self { whole: whole.into(), by_method }))
    }
}

/// What happened in a shift: the X report while it is open, the Z report when it is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillReport {
    /// The shift.
    pub shift: ShiftView,
    /// What the whole site took meanwhile; `None` where those orders are archived.
    #[serde(default)]
    pub takings: Option<Takings>,
    /// Cash orders paid into this drawer.
    pub sales: Total,
    /// Cash given back.
    pub refunds: Total,
    /// Cash brought.
    pub cash_in: Total,
    /// Cash taken to the safe.
    pub drops: Total,
    /// Paid from the drawer.
    pub payouts: Total,
    /// Cash orders of the site under way that still wait for their money; at most 20 are named.
    pub unpaid_cash_orders: Vec<String>,
    /// Cash refunds of the site that wait to be paid out; the amount is positive.
    pub pending_cash_refunds: Total,
    /// The first 500 movements.
    pub movements: Vec<MovementView>,
}

pub(super) fn total(totals: &[KindTotal], kind: MovementKind) -> Total {
    totals
        .iter()
        .find(|total| total.kind == kind.as_str())
        .map_or_else(Total::default, |total| Total { count: total.count, amount: total.amount })
}

async fn report(tx: &mut Tx, site: &str, shift: ShiftRow) -> Result<TillReport, Refused> {
    let id = shift.shift_id();
    let totals = till::totals(tx, site, id).await?;
    let movements = till::movements(tx, site, id, 0, REPORTED_MOVEMENTS).await?;
    let unpaid = till::unpaid_cash_orders(tx, site, NAMED_ORDERS).await?;
    let (count, amount) = till::pending_cash_refunds(tx, site).await?;
    let takings = Takings::of(tx, site, &shift).await?;
    Ok(TillReport {
        shift: shift.into(),
        takings,
        sales: total(&totals, MovementKind::Sale),
        refunds: total(&totals, MovementKind::Refund),
        cash_in: total(&totals, MovementKind::CashIn),
        drops: total(&totals, MovementKind::Drop),
        payouts: total(&totals, MovementKind::Payout),
        unpaid_cash_orders: unpaid.into_iter().map(|order| order.order_number).collect(),
        pending_cash_refunds: Total { count, amount },
        movements: movements.into_iter().map(MovementView::of).collect::<Result<_, _>>()?,
    })
}

fn closed() -> Refused {
    Refused::conflict("The till is closed.").by_guard("till_open").help("Open the till with its float first.")
}

/// The refusal of taking more out of a drawer than it holds.
pub(super) fn drawer_short(held: Money, currency: Currency, help: &str) -> Refused {
    Refused::conflict(format!("The drawer holds {} only.", held.display(currency)))
        .by_guard(Guard::DrawerHolds.as_str())
        .with("held", held.0)
        .help(help)
}

/// The shift that a caller means: the one named, else the open one of the caller's terminal, else the
/// only open one of the site.
async fn meant(
    tx: &mut Tx,
    site: &str,
    shift: Option<ShiftId>,
    terminal: Option<TerminalId>,
) -> Result<Option<ShiftRow>, StoreError> {
    match shift {
        Some(id) => till::find(tx, site, id).await,
        None => till::open_shift_at(tx, site, terminal).await,
    }
}

fn check_amount(field: &str, amount: i64, least: i64) -> Result<(), Refused> {
    if (least..=MAX_AMOUNT).contains(&amount) {
        return Ok(());
    }
    let message = if least == 0 { "The amount cannot be negative." } else { "The amount must be more than nothing." };
    let message = if amount > MAX_AMOUNT { "The amount is too large." } else { message };
    Err(Refused::invalid(field, message).with("amount", amount))
}

fn person(context: &Context<'_>) -> Result<StaffId, Refused> {
    context.actor.staff.ok_or_else(|| {
        Refused::new(ErrorCode::InsufficientRole, "The till needs a person: sign in first.")
            .by_guard("role")
            .help("Sign in with your name and password.")
    })
}

fn money(context: &Context<'_>, amount: i64) -> String {
    Money(amount).display(context.site.currency)
}

fn audit(action: &'static str, id: ShiftId, details: String, before: Option<Value>, after: Option<Value>) -> AuditRow {
    AuditRow { action, entity: "TillShift", entity_id: id.to_string(), details, before, after, reason: None }
}

/// Opens the till at the caller's terminal, or at the counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillOpen {
    /// The cash laid in (minor units, 0 or more).
    pub float: i64,
}

impl UseCase for TillOpen {
    type Output = ShiftView;
    const NAME: &'static str = "till_open";
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, context: &mut Context<'_>) -> Result<ShiftView, Refused> {
        check_amount("float", self.float, 0)?;
        let opened_by = person(context)?;
        let (site, now) = (context.site.id.clone(), context.now);
        let terminal = match context.actor.terminal {
            Some(terminal) => {
                let row = people::terminal(context.tx, &site, terminal).await?;
                if row.is_none_or(|row| row.revoked_at.is_some()) {
                    return Err(Refused::new(ErrorCode::Forbidden, "This terminal is not registered.")
                        .by_guard("terminal")
                        .help("Ask a manager to register it."));
                }
                terminal
            }
            None => terminals::find_or_register(context, terminals::COUNTER, TerminalRole::Console, None).await?,
        };
        let id = ShiftId(context.new_id());
        let new = NewShift { id, terminal, opened_by, opening_float: self.float };
        if !till::open(context.tx, &site, &new, now).await? {
            return Err(Refused::conflict("The till is open already at this terminal.")
                .by_guard("till_closed")
                .help("Go on with it, or close it first."));
        }
        let details = format!("till opened with a float of {}", money(context, self.float));
        context.audit(audit("CREATE", id, details, None, Some(json!({ "float": self.float }))));
        let row = till::find(context.tx, &site, id).await?;
        Ok(row.ok_or_else(|| Refused::internal("a shift that was just opened is gone"))?.into())
    }
}

/// Closes a shift with what was counted. Refused while cash orders under way wait for their money,
/// unless a manager says in `force` why they are left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillClose {
    /// The shift; else that of the caller's terminal, else the only open one.
    #[serde(default)]
    pub shift: Option<ShiftId>,
    /// What was counted (minor units, 0 or more).
    pub counted: i64,
    /// What is to be remembered.
    #[serde(default)]
    pub note: Option<String>,
    /// Why it is closed although cash orders are open; needs `till:force`.
    #[serde(default)]
    pub force: Option<String>,
}

impl UseCase for TillClose {
    type Output = TillReport;
    const NAME: &'static str = "till_close";
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, context: &mut Context<'_>) -> Result<TillReport, Refused> {
        check_amount("counted", self.counted, 0)?;
        let closed_by = person(context)?;
        if self.force.is_some() {
            context.actor.require(Permission::TillForce)?;
        }
        let force = self.force.as_deref().map(reason).transpose()?;
        let note = self.note.as_deref().map(|note| clean(note, MAX_NOTE, false)).filter(|note| !note.is_empty());
        let (site, now) = (context.site.id.clone(), context.now);
        let shift = meant(context.tx, &site, self.shift, context.actor.terminal).await?.ok_or_else(closed)?;
        let id = shift.shift_id();
        let unpaid = till::unpaid_cash_orders(context.tx, &site, NAMED_ORDERS).await?;
        if force.is_none() && shift.closed_at.is_none() && !unpaid.is_empty() {
            let numbers: Vec<&str> = unpaid.iter().map(|order| order.order_number.as_str()).collect();
            return Err(Refused::conflict("Cash orders still wait for their money.")
                .by_guard("cash_orders_open")
                .with("orders", numbers)
                .help("Take the money or end these orders first, or let a manager close it with a reason."));
        }
        let closing = till::close(context.tx, &site, id, closed_by, self.counted, note.as_deref(), now).await?;
        let (expected, over_short) = closing.ok_or_else(closed)?;
        let state = match over_short {
            0 => "exact".to_owned(),
            over if over > 0 => format!("{} over", money(context, over)),
            short => format!("{} short", money(context, short.saturating_neg())),
        };
        let counted = money(context, self.counted);
        let details = format!("till closed: {counted} counted, {} expected, {state}", money(context, expected));
        let after = json!({ "counted": self.counted, "expected": expected, "over_short": over_short });
        let mut row = audit("CLOSE", id, details, Some(json!({ "float": shift.opening_float })), Some(after));
        row.reason = force;
        context.audit(row);
        let row = till::find(context.tx, &site, id).await?;
        report(context.tx, &site, row.ok_or_else(|| Refused::internal("a closed shift is gone"))?).await
    }
}

/// Moves cash that belongs to no order.
async fn move_cash(
    context: &mut Context<'_>,
    shift: Option<ShiftId>,
    kind: MovementKind,
    amount: i64,
    why: &str,
) -> Result<ShiftView, Refused> {
    person(context)?;
    check_amount("amount", amount, 1)?;
    let why = reason(why)?;
    let (site, now) = (context.site.id.clone(), context.now);
    let shift = meant(context.tx, &site, shift, context.actor.terminal).await?.ok_or_else(closed)?;
    let id = shift.shift_id();
    let signed = if kind == MovementKind::CashIn { amount } else { -amount };
    let movement = Movement { kind, amount: signed, tendered: None, order: None, refund: None, reason: Some(&why) };
    let holds = till::move_cash(context.tx, &site, id, &movement, &context.actor, now).await?.ok_or_else(closed)?;
    // Judged after the move: nobody else can move this drawer any more before this transaction ends.
    if signed < 0 && holds < 0 {
        let held = Money(holds.saturating_sub(signed));
        return Err(drawer_short(held, context.site.currency, "Take less, or count the drawer."));
    }
    let after = till::find(context.tx, &site, id).await?.ok_or_else(|| Refused::internal("an open shift is gone"))?;
    let what = match kind {
        MovementKind::CashIn => "laid in",
        MovementKind::Payout => "paid from the drawer",
        _ => "taken to the safe",
    };
    let details = format!("{} {what}", money(context, amount));
    let (old, new) = (json!({ "balance": shift.balance }), json!({ "balance": after.balance }));
    let mut row = audit("UPDATE", id, details, Some(old), Some(new));
    row.reason = Some(why);
    context.audit(row);
    Ok(after.into())
}

/// Lays cash into the drawer: change that was brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashIn {
    /// The shift; else that of the caller's terminal, else the only open one.
    #[serde(default)]
    pub shift: Option<ShiftId>,
    /// How much (minor units, more than 0).
    pub amount: i64,
    /// Why.
    pub reason: String,
}

impl UseCase for CashIn {
    type Output = ShiftView;
    const NAME: &'static str = "till_cash_in";
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, context: &mut Context<'_>) -> Result<ShiftView, Refused> {
        move_cash(context, self.shift, MovementKind::CashIn, self.amount, &self.reason).await
    }
}

/// Takes cash from the drawer to the safe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashDrop {
    /// The shift; else that of the caller's terminal, else the only open one.
    #[serde(default)]
    pub shift: Option<ShiftId>,
    /// How much (minor units, more than 0, at most what the drawer holds).
    pub amount: i64,
    /// Why.
    pub reason: String,
}

impl UseCase for CashDrop {
    type Output = ShiftView;
    const NAME: &'static str = "till_cash_drop";
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, context: &mut Context<'_>) -> Result<ShiftView, Refused> {
        move_cash(context, self.shift, MovementKind::Drop, self.amount, &self.reason).await
    }
}

/// Pays something from the drawer: milk from the shop next door. A customer's refund is paid by
/// `pay_out_refund`, which knows its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashPayout {
    /// The shift; else that of the caller's terminal, else the only open one.
    #[serde(default)]
    pub shift: Option<ShiftId>,
    /// How much (minor units, more than 0, at most what the drawer holds).
    pub amount: i64,
    /// What for.
    pub reason: String,
}

impl UseCase for CashPayout {
    type Output = ShiftView;
    const NAME: &'static str = "till_payout";
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, context: &mut Context<'_>) -> Result<ShiftView, Refused> {
        move_cash(context, self.shift, MovementKind::Payout, self.amount, &self.reason).await
    }
}

/// The report of a shift; `None` where none is named and none is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TillStatus {
    /// The shift; else the open one of the caller's terminal, else the only open one.
    pub shift: Option<ShiftId>,
}

impl Query for TillStatus {
    type Output = Option<TillReport>;
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        let site = view.site.id.clone();
        match (meant(view.tx, &site, self.shift, view.actor.terminal).await?, self.shift) {
            (Some(shift), _) => Ok(Some(report(view.tx, &site, shift).await?)),
            (None, Some(id)) => Err(Refused::not_found("till shift", id)),
            (None, None) => Ok(None),
        }
    }
}

/// Shifts, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListShifts {
    /// The last of the page before: when it was opened, and its identity.
    pub before: Option<(Timestamp, ShiftId)>,
    /// The most rows, 1 to 500.
    pub limit: i64,
}

impl Default for ListShifts {
    fn default() -> Self {
        Self { before: None, limit: 100 }
    }
}

impl Query for ListShifts {
    type Output = Vec<ShiftView>;
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        let site = view.site.id.clone();
        let rows = till::shifts_before(view.tx, &site, self.before, self.limit.clamp(1, MAX_PAGE)).await?;
        Ok(rows.into_iter().map(ShiftView::from).collect())
    }
}
