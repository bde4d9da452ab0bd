//! The house under test, second part: what is done to orders. An act is resolved into everything that it
//! says, judged by the model, given to the door, and the answer is compared.

use super::command::{Act, Answer, Clocked, Pick, Who};
use super::house::{House, id};
use super::model::{Capture, Doing, Order, Verdict};
use servery::domain::error::ErrorCode;
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{AttemptId, LineId, OrderId, RefundId, StaffId, StationId};
use servery::domain::money::Money;
use servery::domain::order::{Disposal, LinePart, RefundChoice, Status};
use servery::domain::payment::Method;
use servery::domain::time::Timestamp;
use servery::service::orders::*;
use servery::service::payments::{ApplyCharge, ChargeResult, SettleRefund, StartPayment};
use servery::service::views::OrderView;
use servery::service::{Caller, UseCase};

/// What came of an act.
struct Done {
    view: OrderView,
    stock_gone: bool,
}

fn words(reason: bool) -> String {
    if reason { "because".to_owned() } else { " \u{200b} ".to_owned() }
}

fn part(of: &(LineId, i64, bool)) -> LinePart {
    LinePart { line: of.0, quantity: of.1, disposal: if of.2 { Disposal::Restock } else { Disposal::Waste } }
}

impl House {
    fn picked(&self, pick: Pick) -> Option<usize> {
        let orders = &self.model.orders;
        match pick {
            Pick::Garbage => None,
            _ if orders.is_empty() => None,
            Pick::Any(number) => Some(usize::from(number) % orders.len()),
            Pick::Fitting => Some(orders.len() - 1),
            Pick::Recent(back) => {
                let alive: Vec<usize> = (0..orders.len()).rev().filter(|at| !orders[*at].is_over()).collect();
                if alive.is_empty() {
                    return Some(orders.len() - 1);
                }
                Some(alive[usize::from(back) % alive.len()])
            }
        }
    }

    /// The newest order that can take the act from whoever usually gives it.
    fn fitting(&mut self, act: Act) -> Option<usize> {
        (0..self.model.orders.len()).rev().find(|index| {
            let order = self.model.orders[*index].clone();
            match act {
                Act::Advance => !order.is_over(),
                Act::Overdue => !order.is_over() && Self::waited_for(&order) != Clocked::ReleaseHold,
                Act::Answer(_) if order.open_attempt().is_none() => false,
                Act::Settle { .. } | Act::PayOut { .. } if order.refunds.is_empty() => false,
                act => {
                    let doing = self.resolve(*index, &order, act);
                    self.model.verdict(&order, Self::usual(act, &order), &doing) != Verdict::MustNot
                }
            }
        })
    }

    /// The next natural step of an order, and who takes it.
    fn natural(&self, order: &Order) -> (Act, Who) {
        let courier = order.courier.map_or(Who::Admin, |(number, _)| Who::Courier(number));
        let delivery = order.fulfilment == Fulfilment::Delivery;
        match order.status {
            Status::Pending if order.open_attempt().is_some() => (Act::Answer(Answer::Captured), Who::Gateway),
            Status::Pending => (Act::StartPayment, Who::Owner),
            Status::Received => (Act::Accept, Who::Board),
            Status::Confirmed if order.on_hold => (Act::Release, Who::Board),
            Status::Confirmed => (Act::Start, Who::Board),
            Status::Preparing => (Act::Bump { stale: false, station: 0 }, Who::Kitchen),
            Status::Ready if delivery && order.courier.is_none() => (Act::Assign { courier: 0 }, Who::Admin),
            Status::Ready if delivery => (Act::PickUp, courier),
            Status::OutForDelivery if order.paid() => (Act::Deliver, courier),
            Status::OutForDelivery => (Act::DeliverForCash { over: 0 }, courier),
            Status::Ready if !order.paid() => (Act::Cash { over: 0 }, Who::Kitchen),
            Status::Ready => (Act::HandOver, Who::Board),
            _ if order.refunds.iter().any(|row| row.status == "pending" && row.method == "cash") => {
                (Act::PayOut { refund: 0 }, Who::Kitchen)
            }
            _ => (Act::Settle { refund: 0, settled: true }, Who::Gateway),
        }
    }

    /// The timer that ends the waiting of an order.
    fn waited_for(order: &Order) -> Clocked {
        match (order.status, order.paid()) {
            (Status::Pending, _) => Clocked::Expire,
            (Status::Received, true) => Clocked::AcceptTimeout,
            (Status::Ready, true) => Clocked::CloseUncollected,
            (Status::Ready, false) => Clocked::NoShow,
            (Status::Preparing, _) => Clocked::AutoReady,
            (_, false) => Clocked::CashTimeout,
            _ => Clocked::ReleaseHold,
        }
    }

    /// Who usually gives such a command.
    fn usual(act: Act, order: &Order) -> Who {
        let courier = order.courier.map_or(Who::Admin, |(number, _)| Who::Courier(number));
        match act {
            Act::StartPayment | Act::Extend | Act::Cancel { .. } => Who::Owner,
            Act::Answer(_) => Who::Gateway,
            Act::Settle { settled: true, .. } => Who::Gateway,
            Act::Settle { .. } | Act::Timer(_) => Who::System,
            Act::CancelAssignment { .. } | Act::PickUp | Act::Deliver | Act::DeliverForCash { .. } => courier,
            Act::Return { .. } => courier,
            Act::Void { .. } | Act::VoidLine { .. } => Who::KitchenPin,
            Act::NoShow { .. } | Act::Close { .. } | Act::Refund { .. } | Act::Override { .. } | Act::Assign { .. } => {
                Who::Admin
            }
            Act::Reject { .. } | Act::StaffCancel { .. } | Act::Cash { .. } | Act::PayOut { .. } => Who::Kitchen,
            Act::Ready { .. } => Who::Kitchen,
            _ => Who::Board,
        }
    }

    /// One act on one order.
    ///
    /// # Errors
    /// What was wrong.
    pub(super) async fn order_step(&mut self, pick: Pick, who: Option<Who>, act: Act) -> Result<(), String> {
        let fitting = if pick == Pick::Fitting { self.fitting(act) } else { None };
        let Some(index) = fitting.or_else(|| self.picked(pick)) else {
            let caller = self.caller(who.unwrap_or(Who::Admin), 0);
            let nothing = OrderId(id(5_555));
            for taken in [
                self.run(&caller, None, StartOrder { order: nothing }).await?.is_ok(),
                self.run(&caller, None, CancelOrder { order: nothing, reason: String::new() }).await?.is_ok(),
            ] {
                self.judge(Verdict::MustNot, taken)?;
            }
            return Ok(());
        };
        let order = self.model.orders[index].clone();
        let (act, natural) = match act {
            Act::Advance => self.natural(&order),
            Act::Overdue => {
                self.pass(if order.status == Status::Ready && order.paid() { 86_400 } else { 3_700 }).await;
                (Act::Timer(Self::waited_for(&order)), Who::System)
            }
            act => (act, Self::usual(act, &order)),
        };
        let who = who.unwrap_or(natural);
        let doing = self.resolve(index, &order, act);
        let verdict = self.model.verdict(&order, who, &doing);
        let could_retake = self.model.can_retake(&order);
        let caller = self.caller(who, order.guest);
        let result = self.give(&caller, index, act, &doing).await?;
        let verdict = match (act, verdict) {
            // Stock that a recount released is taken again, or the order cannot be paid.
            (Act::Override { paid: true, .. }, Verdict::Must) if !could_retake => Verdict::MustNot,
            (_, verdict) => verdict,
        };
        self.judge(verdict, result.is_some()).map_err(|wrong| {
            format!("{wrong} [{act:?} by {who:?} on {} {}]", order.status, self.views[index].order_number)
        })?;
        let Some(done) = result else {
            return Ok(());
        };
        self.in_time(index, act, &done.view)?;
        if act == Act::StartPayment && done.stock_gone == could_retake {
            return Err(format!("paying began: {}, stock to take again: {could_retake}", !done.stock_gone));
        }
        self.model.apply(index, who, &doing, done.stock_gone);
        self.model.agrees(index, &done.view).map_err(|wrong| format!("{wrong} after {act:?} by {who:?}"))?;
        self.views[index] = done.view;
        Ok(())
    }

    /// A timer that was taken was due.
    fn in_time(&self, index: usize, act: Act, now: &OrderView) -> Result<(), String> {
        let seen = &self.views[index];
        let due = match act {
            // On Postgres the instants were moved back since they were seen: the answer carries them.
            Act::Timer(Clocked::Expire) => now.expires_at.is_some_and(|at| at <= now.updated_at),
            Act::Timer(Clocked::AcceptTimeout) => {
                now.received_at.is_some_and(|at| at.plus_seconds(300) <= now.updated_at)
            }
            Act::Timer(Clocked::CashTimeout) => {
                now.received_at.is_some_and(|at| at.plus_seconds(900) <= now.updated_at)
            }
            Act::Timer(Clocked::NoShow) => now.ready_at.is_some_and(|at| at.plus_seconds(3_600) <= now.updated_at),
            Act::StartPayment if now.status == Status::Pending && self.sqlite => {
                seen.expires_at.is_none_or(|at| now.updated_at < at)
            }
            _ => true,
        };
        if due { Ok(()) } else { Err(format!("{act:?} was taken out of time")) }
    }

    /// Everything that the act says, read from the model and from what was seen of the order.
    fn resolve(&mut self, index: usize, order: &Order, act: Act) -> Doing {
        let line_at = |number: u8| {
            let line = order.lines.get(usize::from(number) % (order.lines.len() + usize::from(number > 250)));
            line.map_or(LineId(id(6_666)), |line| line.id)
        };
        let paying = order.paying().map_or(0, |at| order.refundable(at));
        match act {
            Act::Answer(answer) => self.answer(index, order, answer),
            Act::Done { lines, done } => {
                let chosen = order.lines.iter().enumerate().filter(|(at, _)| lines & (1 << (at % 8)) != 0);
                Doing::Lines { lines: chosen.map(|(_, line)| line.id).collect(), done }
            }
            Act::Bump { stale, station } => {
                let stations: Vec<_> = order.lines.iter().filter_map(|line| line.station).collect();
                let station = if station == 0 { None } else { stations.get(usize::from(station - 1)).copied() };
                Doing::Bump { stale, station }
            }
            Act::Cash { over } => Doing::Cash { tendered: order.due + i64::from(over) },
            Act::DeliverForCash { over } => Doing::CashAtDoor { tendered: order.due + i64::from(over) },
            Act::Void { reason, restock, refund } => {
                let chosen = order
                    .lines
                    .iter()
                    .enumerate()
                    .filter(|(at, line)| restock & (1 << (at % 8)) != 0 && line.open() > 0);
                let parts = chosen.map(|(_, line)| (line.id, 1, true)).collect();
                let refund = match refund {
                    0 => Some(1),
                    1 => Some(paying / 2),
                    2 => Some(paying + 1),
                    _ => None,
                };
                Doing::Parts { parts, refund, reason }
            }
            Act::VoidLine { line, quantity, restock, reason } => {
                Doing::VoidLine { part: (line_at(line), i64::from(quantity), restock), reason }
            }
            Act::Refund { amount, line, quantity, restock } => {
                let most = (0..order.attempts.len()).map(|at| order.refundable(at)).max().unwrap_or(0);
                let amount = [1, most / 2, most, most + 1, 0, 7][usize::from(amount % 6)];
                let parts =
                    if quantity == 0 { Vec::new() } else { vec![(line_at(line), i64::from(quantity), restock)] };
                Doing::Refund { amount, parts }
            }
            Act::Settle { refund, settled } => {
                Doing::Settle { refund: self.refund_at(order, refund), how: if settled { "settled" } else { "failed" } }
            }
            Act::PayOut { refund } => Doing::Settle { refund: self.refund_at(order, refund), how: "drawer" },
            other => Doing::Act(other),
        }
    }

    fn refund_at(&self, order: &Order, number: u8) -> Option<RefundId> {
        let pending: Vec<_> = order.refunds.iter().filter(|row| row.status == "pending" || number > 200).collect();
        if pending.is_empty() { None } else { pending[usize::from(number) % pending.len()].id }
    }

    fn answer(&mut self, index: usize, order: &Order, answer: Answer) -> Doing {
        let last = order.attempts.iter().rev().find(|row| !row.stray).and_then(|row| row.id);
        let attempt = order.open_attempt().and_then(|at| order.attempts[at].id).or(last);
        let not = |what| Doing::NotCaptured { attempt, what };
        let (attempt, amount, currency_matches) = match answer {
            Answer::Captured | Answer::Duplicate(_) => (attempt, order.due, true),
            Answer::CapturedForNone => (None, order.due, true),
            Answer::CapturedForGarbage => (Some(AttemptId(id(4_444))), order.due, true),
            Answer::WrongAmount(more) => (attempt, order.due + i64::from(more), true),
            Answer::CapturedNothing => (attempt, 0, true),
            Answer::WrongCurrency => (attempt, order.due, false),
            Answer::Declined | Answer::GivenUp => return not("failed"),
            Answer::Unknown => return not("unknown"),
            Answer::Pending => return not("pending"),
        };
        let payment = match answer {
            Answer::Duplicate(number) if !self.payments.is_empty() => {
                self.payments[usize::from(number) % self.payments.len()].clone()
            }
            _ => format!("pay_{}_{}", index, self.next_id()),
        };
        // A cash order has no gateway of its own.
        let gateway = if order.method == Method::Upi { "upi" } else { "card" };
        Doing::Captured(Capture { attempt, amount, currency_matches, payment, gateway })
    }

    /// Gives the act to the door; `None`: refused.
    #[expect(clippy::too_many_lines, reason = "one arm a kind of act")]
    async fn give(&mut self, caller: &Caller, index: usize, act: Act, doing: &Doing) -> Result<Option<Done>, String> {
        let order = self.model.orders[index].id;
        let version = self.model.orders[index].version;
        let lines: Vec<LineId> = self.model.orders[index].lines.iter().map(|line| line.id).collect();
        match doing {
            Doing::Captured(capture) => {
                self.payments.push(capture.payment.clone());
                let result = ChargeResult::Captured {
                    gateway_order_id: Some(format!("gw_{}", capture.payment)),
                    gateway_payment_id: capture.payment.clone(),
                    amount: Money(capture.amount),
                    currency: if capture.currency_matches { "INR".into() } else { "EUR".into() },
                    brand: Some("visa".into()),
                    last_four: Some("4242".into()),
                    response: None,
                };
                return self.charge(caller, order, capture.attempt, result).await;
            }
            Doing::NotCaptured { attempt, what } => {
                let result = match *what {
                    "failed" => ChargeResult::Failed {
                        reason: "declined".into(),
                        unresolved: act == Act::Answer(Answer::GivenUp),
                        brand: None,
                        last_four: None,
                    },
                    "unknown" => ChargeResult::Unknown,
                    _ => ChargeResult::Pending { gateway_order_id: format!("gw_{order}_{version}") },
                };
                return self.charge(caller, order, *attempt, result).await;
            }
            _ => {}
        }
        let plain = match doing {
            Doing::Lines { lines, done } => {
                self.plain(caller, SetItemsDone { order, lines: lines.clone(), done: *done }).await?
            }
            Doing::Bump { stale, station } => {
                let seen_version = if *stale { version - 1 } else { version };
                let bump = Bump { order, station: station.map(StationId), seen_version };
                self.run(caller, None, bump).await?.ok().map(|bumped| bumped.order)
            }
            Doing::Cash { tendered } => self.plain(caller, ConfirmCash { order, tendered: Money(*tendered) }).await?,
            Doing::CashAtDoor { tendered } => {
                self.plain(caller, DeliverForCash { order, tendered: Money(*tendered) }).await?
            }
            Doing::Parts { parts, refund, reason } => {
                let refund = refund.map_or(RefundChoice::Full, |amount| RefundChoice::Amount(Money(amount)));
                let lines = parts.iter().map(part).collect();
                self.plain(caller, VoidOrder { order, reason: words(*reason), lines, refund }).await?
            }
            Doing::VoidLine { part: of, reason } => {
                self.plain(caller, VoidOrderLine { order, part: part(of), reason: words(*reason) }).await?
            }
            Doing::Refund { amount, parts } => {
                let lines = parts.iter().map(part).collect();
                let refund = RefundOrder { order, amount: Money(*amount), lines, reason: "sorry".into() };
                self.plain(caller, refund).await?
            }
            Doing::Settle { refund, how } => {
                let refund = refund.unwrap_or(RefundId(id(3_333)));
                if *how == "drawer" {
                    self.plain(caller, PayOutRefund { order, refund }).await?
                } else {
                    let failed = (*how == "failed").then(|| "account closed".to_owned());
                    self.plain(caller, SettleRefund { order, refund, failed }).await?
                }
            }
            Doing::Act(act) => match *act {
                Act::StartPayment => {
                    let result = self.run(caller, None, StartPayment { order }).await?;
                    return Ok(result.ok().map(|outcome| Done {
                        stock_gone: outcome.code == Some(ErrorCode::InsufficientStock),
                        view: outcome.order,
                    }));
                }
                Act::Extend => {
                    if self.views[index].expires_at.is_none() {
                        // A hold without an end is extended by nothing: allowed, and the same.
                        self.last = "a hold without an end".to_owned();
                    }
                    self.plain(caller, ExtendHold { order }).await?
                }
                Act::Cancel { reason } => self.plain(caller, CancelOrder { order, reason: words(reason) }).await?,
                Act::Accept => self.plain(caller, AcceptOrder { order, eta_minutes: Some(9) }).await?,
                Act::Reject { reason } => self.plain(caller, RejectOrder { order, reason: words(reason) }).await?,
                Act::Start => self.plain(caller, StartOrder { order }).await?,
                Act::Ready { forced } => self.plain(caller, MarkReady { order, forced: forced.map(words) }).await?,
                Act::Recall => self.plain(caller, RecallOrder { order }).await?,
                Act::Undo { ready } => {
                    let what = if ready { UndoWhat::MarkReady } else { UndoWhat::ItemsDone };
                    self.plain(caller, Undo { order, lines, what }).await?
                }
                Act::HandOver => self.plain(caller, HandOver { order }).await?,
                Act::StaffCancel { reason } => {
                    self.plain(caller, StaffCancelOrder { order, reason: words(reason) }).await?
                }
                Act::NoShow { reason } => self.plain(caller, NoShow { order, reason: words(reason) }).await?,
                Act::Close { reason } => self.plain(caller, CloseUncollected { order, reason: words(reason) }).await?,
                Act::Override { paid, reason } => {
                    self.plain(caller, OverridePayment { order, paid, reason: words(reason) }).await?
                }
                Act::Hold { until } => {
                    let until = [None, Some(Timestamp(1)), Some(Timestamp(i64::MAX / 2))][usize::from(until % 3)];
                    self.plain(caller, HoldOrder { order, until }).await?
                }
                Act::Release => self.plain(caller, ReleaseHold { order }).await?,
                Act::Priority => self.plain(caller, SetPriority { order, priority: 40 }).await?,
                Act::Note => self.plain(caller, NoteOrder { order, note: "window".into() }).await?,
                Act::Assign { courier } => {
                    let staff = match courier {
                        0 => self.tokens["courier0"].1,
                        1 => self.tokens["courier1"].1,
                        2 => self.tokens["kitchen"].1,
                        _ => StaffId(id(2_222)),
                    };
                    self.plain(caller, AssignCourier { order, staff }).await?
                }
                Act::CancelAssignment { no_pickup } => {
                    self.plain(caller, CancelAssignment { order, no_pickup }).await?
                }
                Act::PickUp => self.plain(caller, PickUp { order }).await?,
                Act::Deliver => self.plain(caller, Deliver { order }).await?,
                Act::Return { reason } => self.plain(caller, ReturnToStore { order, reason: words(reason) }).await?,
                Act::Timer(timer) => {
                    let timer = match timer {
                        Clocked::Expire => Timer::Expire,
                        Clocked::AcceptTimeout => Timer::AcceptTimeout,
                        Clocked::CashTimeout => Timer::CashTimeout,
                        Clocked::NoShow => Timer::NoShow,
                        Clocked::ReleaseHold => Timer::ReleaseHold,
                        Clocked::CloseUncollected => Timer::CloseUncollected,
                        Clocked::AutoReady => Timer::AutoReady,
                    };
                    self.plain(caller, RunTimer { order, timer }).await?
                }
                other => return Err(format!("{other:?} is no act that the door knows")),
            },
            _ => None,
        };
        Ok(plain.map(|view| Done { view, stock_gone: false }))
    }

    async fn plain<U: UseCase<Output = OrderView>>(
        &mut self,
        caller: &Caller,
        act: U,
    ) -> Result<Option<OrderView>, String> {
        Ok(self.run(caller, None, act).await?.ok())
    }

    async fn charge(
        &mut self,
        caller: &Caller,
        order: OrderId,
        attempt: Option<AttemptId>,
        result: ChargeResult,
    ) -> Result<Option<Done>, String> {
        let upi = self.views.iter().any(|view| view.id == order && view.method == Method::Upi);
        let gateway = if upi { Method::Upi } else { Method::Card }.provider_name();
        let apply = ApplyCharge { order, attempt, gateway: gateway.to_owned(), result };
        let result = self.run(caller, None, apply).await?;
        Ok(result.ok().map(|outcome| Done { view: outcome.order, stock_gone: false }))
    }
}
