//! Money that waits for a gateway: processes that died before and after their call, answers that come
//! late, gateways that are away, and refunds.

use crate::house::House;
use crate::on_both;
use futures::FutureExt;
use futures::future::BoxFuture;
use servery::domain::error::ErrorCode;
use servery::domain::ids::OrderId;
use servery::domain::money::Money;
use servery::domain::payment::{AttemptStatus, Method, PaymentStatus};
use servery::payment::card::{CardGateway, TIMEOUT_THEN_CAPTURED};
use servery::payment::upi::SimulatedMessage;
use servery::payment::{
    CardDetails, ChargeAnswer, ChargeRequest, ChargeState, Gateway, GatewayError, Gateways, Instrument, RefundAnswer,
    RefundRequest, VoidAnswer,
};
use servery::service::payments::pay;
use servery::service::views::Placed;
use servery::service::webhooks::take_webhook;
use servery::worker::{Report, Worker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const GOOD_CARD: &str = "4242424242424242";

fn card(number: &str) -> Instrument {
    Instrument::Card(CardDetails::parse(number, "12/30", "123").expect("a card"))
}

/// The demo's cards, behind a network that can be away.
struct Line {
    cards: CardGateway,
    away: AtomicBool,
}

impl Line {
    fn to(house: &House) -> Arc<Self> {
        Arc::new(Self { cards: house.cards(), away: AtomicBool::new(false) })
    }

    fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), GatewayError> {
        if self.away.load(Ordering::SeqCst) { Err(GatewayError::Unreachable("away".to_owned())) } else { Ok(()) }
    }
}

impl Gateway for Line {
    fn name(&self) -> &'static str {
        self.cards.name()
    }

    fn method(&self) -> Method {
        self.cards.method()
    }

    fn create(&self, request: ChargeRequest) -> BoxFuture<'_, Result<ChargeAnswer, GatewayError>> {
        async move {
            self.check()?;
            self.cards.create(request).await
        }
        .boxed()
    }

    fn query<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<ChargeState, GatewayError>> {
        async move {
            self.check()?;
            self.cards.query(key).await
        }
        .boxed()
    }

    fn void<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<VoidAnswer, GatewayError>> {
        async move {
            self.check()?;
            self.cards.void(key).await
        }
        .boxed()
    }

    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, Result<RefundAnswer, GatewayError>> {
        async move {
            self.check()?;
            self.cards.refund(request).await
        }
        .boxed()
    }
}

fn request(placed: &Placed, number: &str) -> ChargeRequest {
    let attempt = placed.attempt.as_ref().expect("paid at once");
    ChargeRequest {
        key: attempt.key.clone(),
        order_number: placed.order.order_number.clone(),
        amount: attempt.amount,
        currency: placed.order.currency,
        instrument: card(number),
    }
}

async fn round(worker: &Worker) -> Report {
    let report = worker.run_once().await.expect("a round");
    assert!(report.led);
    report
}

async fn refunded(house: &House, order: OrderId) -> Money {
    let order = house.order(order).await;
    order
        .refunds
        .iter()
        .filter(|refund| refund.status.as_str() == "settled")
        .map(|refund| refund.amount)
        .fold(Money::ZERO, |sum, amount| Money(sum.0 + amount.0))
}

on_both!(a_process_that_died_after_its_call_leaves_a_paid_order, |house| {
    let line = Line::to(&house);
    let worker = house.worker(Gateways::none().with(line.clone()));
    let placed = house.place(Method::Card, true).await;
    // The money is taken; nobody lived to hear it.
    let answer = line.create(request(&placed, GOOD_CARD)).await.expect("an answer");
    assert!(matches!(answer, ChargeAnswer::Captured(_)));
    assert_eq!(round(&worker).await.attempts, 0, "not before its time: the process may still live");
    house.pass_seconds(16).await;
    assert_eq!(round(&worker).await.attempts, 1);
    let order = house.order(placed.order.id).await;
    assert_eq!(order.payment_status, PaymentStatus::Paid);
    assert_eq!(order.status.as_str(), "confirmed");
    house.pass_seconds(120).await;
    assert_eq!(round(&worker).await.attempts, 0, "settled once");
});

on_both!(a_process_that_died_before_its_call_charges_nobody, |house| {
    let line = Line::to(&house);
    let worker = house.worker(Gateways::none().with(line.clone()));
    let placed = house.place(Method::Card, true).await;
    house.pass_seconds(16).await;
    assert_eq!(round(&worker).await.attempts, 1);
    assert_eq!(house.order(placed.order.id).await.status.as_str(), "pending", "its request may still be on its way");
    house.pass_seconds(900).await;
    round(&worker).await;
    let order = house.order(placed.order.id).await;
    assert_eq!(order.status.as_str(), "cancelled");
    assert_eq!(order.reason.expect("a reason").as_str(), "payment_failed");
    assert_eq!(order.attempts[0].status, AttemptStatus::Failed);
    // The request that comes all the same finds its key ended.
    let late = line.create(request(&placed, GOOD_CARD)).await.expect("an answer");
    assert!(!matches!(late, ChargeAnswer::Captured(_)), "{late:?}");
});

on_both!(an_answer_that_was_lost_is_asked_for, |house| {
    let line = Line::to(&house);
    let gateways = Gateways::none().with(line.clone());
    let worker = house.worker(gateways.clone());
    let placed = house.place(Method::Card, true).await;
    let attempt = placed.attempt.clone().expect("paid at once");
    let paid =
        pay(&house.door, &gateways, &placed.order, &attempt, card(TIMEOUT_THEN_CAPTURED)).await.expect("unknown");
    assert_eq!(paid.outcome.order.payment_status, PaymentStatus::Pending);
    // The gateway is away, then back.
    line.set_away(true);
    house.pass_seconds(16).await;
    round(&worker).await;
    assert_eq!(house.order(placed.order.id).await.status.as_str(), "pending");
    line.set_away(false);
    house.pass_seconds(70).await;
    round(&worker).await;
    let order = house.order(placed.order.id).await;
    assert_eq!(order.payment_status, PaymentStatus::Paid);
    assert_eq!(order.attempts.len(), 1, "charged once");
});

on_both!(a_capture_after_giving_up_goes_back_to_the_customer, |house| {
    let line = Line::to(&house);
    let worker = house.worker(Gateways::none().with(line.clone()));
    let placed = house.place(Method::Card, true).await;
    line.create(request(&placed, GOOD_CARD)).await.expect("an answer");
    // Away all the while: given up, and the stock goes to others.
    line.set_away(true);
    house.pass_seconds(901).await;
    round(&worker).await;
    let order = house.order(placed.order.id).await;
    assert_eq!(order.status.as_str(), "cancelled");
    assert_eq!(house.number("SELECT COUNT(*) FROM payment_attempts WHERE unresolved").await, 1);
    round(&worker).await;
    house.pass_seconds(601).await;
    round(&worker).await;
    assert!(house.order(placed.order.id).await.refunds.is_empty(), "nothing is known yet");
    // It is back, and tells that it was captured: T29, and the money goes back.
    line.set_away(false);
    house.pass_seconds(601).await;
    round(&worker).await;
    round(&worker).await;
    let order = house.order(placed.order.id).await;
    assert_eq!(order.attempts.iter().filter(|attempt| attempt.stray).count(), 1);
    assert_eq!(refunded(&house, placed.order.id).await, placed.order.total);
    // A stray capture never pays: the order's own attempt has failed.
    assert_eq!(order.payment_status, PaymentStatus::Failed);
    assert_eq!(house.number("SELECT CAST(SUM(refunded) AS BIGINT) FROM simulated_charges").await, placed.order.total.0);
    house.pass_seconds(3_600).await;
    assert_eq!(round(&worker).await.attempts, 0, "never asked again");
    assert_eq!(house.number("SELECT COUNT(*) FROM refunds").await, 1);
});

on_both!(refunds_wait_for_a_gateway_that_is_away, |house| {
    let line = Line::to(&house);
    let gateways = Gateways::none().with(line.clone());
    let worker = house.worker(gateways.clone());
    let placed = house.place(Method::Card, true).await;
    let attempt = placed.attempt.clone().expect("paid at once");
    pay(&house.door, &gateways, &placed.order, &attempt, card(GOOD_CARD)).await.expect("paid");
    // A refund as an admin starts it (T27), of a part.
    let order = house.uuid(placed.order.id.0);
    // The trigger that keeps the sum sleeps there.
    let summed = if house.postgres { "UPDATE payment_attempts SET refunded = 100" } else { "" };
    house
        .raw(&format!(
            "INSERT INTO refunds (site_id, order_id, id, attempt_id, method, amount, currency, transition, idempotency_key, \
             actor_role, created_at, updated_at) SELECT 'main', order_id, id, id, 'card', 100, currency, 'T27', 'refund-1', \
             'admin', created_at, created_at FROM payment_attempts WHERE order_id = {order}; \
             {summed}"
        ))
        .await;
    line.set_away(true);
    assert_eq!(round(&worker).await.refunds, 1);
    assert_eq!(refunded(&house, placed.order.id).await, Money::ZERO);
    assert_eq!(house.number("SELECT tries FROM refunds").await, 1);
    assert_eq!(round(&worker).await.refunds, 0, "not at once again");
    line.set_away(false);
    house.pass_seconds(3).await;
    assert_eq!(round(&worker).await.refunds, 1);
    assert_eq!(refunded(&house, placed.order.id).await, Money(100));
    assert_eq!(house.order(placed.order.id).await.payment_status, PaymentStatus::PartiallyRefunded);
    house.pass_seconds(3_600).await;
    assert_eq!(round(&worker).await.refunds, 0, "once");
    assert_eq!(house.number("SELECT COUNT(*) FROM simulated_refunds").await, 1);
});

on_both!(a_payment_without_a_gateway_here_blocks_no_other, |house| {
    // This process serves cards only; the oldest attempt is of another kind.
    let line = Line::to(&house);
    let worker = house.worker(Gateways::none().with(line.clone()));
    let upi = house.place(Method::Upi, true).await;
    house.pass_seconds(1).await;
    let cards = house.place(Method::Card, true).await;
    line.create(request(&cards, GOOD_CARD)).await.expect("an answer");
    house.pass_seconds(16).await;
    let report = round(&worker).await;
    assert_eq!((report.attempts, report.poisoned), (1, 1));
    assert_eq!(house.order(cards.order.id).await.payment_status, PaymentStatus::Paid);
    assert_eq!(house.order(upi.order.id).await.status.as_str(), "pending");
});

on_both!(a_message_about_a_charge_that_the_house_does_not_know_yet_comes_again, |house| {
    let placed = house.place(Method::Upi, true).await;
    let attempt = placed.attempt.as_ref().expect("paid at once");
    // The charge was made, and the process that asked for it died with the answer.
    let upi = Arc::new(house.upi());
    upi.create(ChargeRequest { instrument: Instrument::UpiIntent, ..request(&placed, GOOD_CARD) })
        .await
        .expect("asked");
    let late = upi.simulate(&attempt.key, SimulatedMessage::Late).await.expect("a message");
    let take = || take_webhook(&house.door, upi.secret(), &late.signature, late.body.as_bytes());
    assert_eq!(take().await.expect_err("of no charge that is known").code, ErrorCode::NotFound);
    assert_eq!(house.number("SELECT COUNT(*) FROM webhook_events").await, 0, "it was not taken");
    // Nobody asked, until the first question is the last one.
    house.pass_seconds(1_000).await;
    let worker = house.worker(Gateways::none().with(Arc::clone(&upi) as Arc<dyn Gateway>));
    round(&worker).await;
    let order = house.order(placed.order.id).await;
    assert_eq!(order.attempts[0].status, AttemptStatus::Failed);
    assert!(order.attempts[0].gateway_order_id.is_some(), "what was given up is still known by the gateway's id");
    // The provider sends it again: the money goes back.
    let taken = take().await.expect("known by now");
    assert!(taken.new && taken.order.attempts.iter().any(|attempt| attempt.stray));
    house.pass_seconds(60).await;
    round(&worker).await;
    assert_eq!(refunded(&house, placed.order.id).await, attempt.amount);
});

on_both!(a_payment_begun_under_a_clock_that_was_set_back_is_asked_about, |house| {
    let line = Line::to(&house);
    let worker = house.worker(Gateways::none().with(line.clone()));
    let placed = house.place(Method::Card, true).await;
    line.create(request(&placed, GOOD_CARD)).await.expect("an answer");
    // A day ahead, as the clock then said.
    house.raw("UPDATE payment_attempts SET next_check_at = next_check_at + 86400000000").await;
    assert_eq!(round(&worker).await.attempts, 1, "nobody waits a day for the answer");
    assert!(house.order(placed.order.id).await.paid);
});
