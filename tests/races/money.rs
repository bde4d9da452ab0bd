//! Races for money: two terminals pay one order, a gateway's answer comes twice, two managers give
//! the same money back.

use crate::arena::Arena;
use crate::both::on_both;
use crate::command::{Answer, By, Command, GATEWAY, Step};
use crate::crew::{Batch, Crew};
use servery::domain::money::Money;
use servery::domain::order::Status;
use servery::domain::payment::{AttemptStatus, Method};
use servery::service::Caller;
use servery::service::load::captured;
use servery::service::orders::RefundOrder;
use servery::service::payments::{ApplyCharge, ChargeResult, StartPayment};
use servery::service::views::{OrderView, Placed};

fn wins(answers: &[Vec<Answer>]) -> usize {
    answers.iter().filter(|answers| answers.iter().all(Answer::is_done)).count()
}

fn answer(placed: &Placed, result: ChargeResult) -> ApplyCharge {
    let attempt = placed.attempt.as_ref().map(|attempt| attempt.id);
    ApplyCharge { order: placed.order.id, attempt, gateway: GATEWAY.to_owned(), result }
}

fn paid(arena: &Arena) -> OrderView {
    let (placed, _) = arena.placed(Method::Card, true, 2);
    let result = captured(&placed.order, &format!("pay_{}", placed.order.id));
    arena.run(&Caller::Gateway(GATEWAY), answer(&placed, result)).order
}

on_both!(two_terminals_pay_one_order_with_one_attempt, |arena| {
    let mut crew = Crew::new(2);
    for _ in 0..Arena::rounds(10) {
        arena.stock_up(20);
        let (placed, guest) = arena.placed(Method::Card, false, 1);
        let step = Step::new(guest, Command::StartPayment(StartPayment { order: placed.order.id }));
        let batches = (0..2).map(|_| Batch { at: arena.soon(), ..Batch::of(step.clone()) }).collect();
        let answers = crew.run(&arena.ground.url, batches);
        assert_eq!(wins(&answers), 1, "{answers:?}");
        let order = arena.order(placed.order.id);
        assert_eq!((order.attempts.len(), order.status), (1, Status::Pending), "{answers:?}");
        arena.holds();
    }
});

on_both!(one_capture_told_by_three_is_one_payment, |arena| {
    let mut crew = Crew::new(3);
    for _ in 0..Arena::rounds(8) {
        arena.stock_up(20);
        let (on_hand, held) = arena.stock();
        let (placed, _) = arena.placed(Method::Card, true, 1);
        let apply = answer(&placed, captured(&placed.order, &format!("pay_{}", placed.order.id)));
        let step = Step::new(By::Gateway, Command::ApplyCharge(apply));
        let batches = (0..3).map(|_| Batch { at: arena.soon(), ..Batch::of(step.clone()) }).collect();
        let answers = crew.run(&arena.ground.url, batches);
        assert_eq!(wins(&answers), 3, "a repetition is no error: {answers:?}");
        let order = arena.order(placed.order.id);
        assert_eq!((order.attempts.len(), order.refunds.len()), (1, 0));
        assert_eq!(order.attempts[0].status, AttemptStatus::Captured);
        assert_eq!(arena.stock(), (on_hand - 1, held));
        arena.holds();
    }
});

on_both!(a_capture_and_a_decline_of_one_attempt_lose_no_money, |arena| {
    let mut crew = Crew::new(2);
    for _ in 0..Arena::rounds(8) {
        arena.stock_up(20);
        let (on_hand, held) = arena.stock();
        let (placed, _) = arena.placed(Method::Card, true, 1);
        let capture = captured(&placed.order, &format!("pay_{}", placed.order.id));
        let decline =
            ChargeResult::Failed { reason: "declined".to_owned(), unresolved: false, brand: None, last_four: None };
        let mut batches = Vec::new();
        for result in [capture, decline] {
            let step = Step::new(By::Gateway, Command::ApplyCharge(answer(&placed, result)));
            batches.push(Batch { at: arena.soon(), ..Batch::of(step) });
        }
        let answers = crew.run(&arena.ground.url, batches);
        assert_eq!(wins(&answers), 2, "{answers:?}");
        let order = arena.order(placed.order.id);
        let captured: i64 =
            order.attempts.iter().filter(|row| row.status == AttemptStatus::Captured).map(|row| row.amount.0).sum();
        assert_eq!(captured, order.total.0, "the money that came is on the books");
        if order.status == Status::Cancelled {
            // It came too late (T29): all of it goes back.
            let back: i64 = order.refunds.iter().map(|refund| refund.amount.0).sum();
            assert_eq!((back, arena.stock()), (captured, (on_hand, held)));
        } else {
            assert_eq!((order.status, order.refunds.len()), (Status::Confirmed, 0));
            assert_eq!(arena.stock(), (on_hand - 1, held));
        }
        arena.holds();
    }
});

on_both!(two_managers_never_refund_more_than_was_paid, |arena| {
    let mut crew = Crew::new(2);
    for _ in 0..Arena::rounds(8) {
        arena.stock_up(20);
        let order = paid(&arena);
        // Each gives three fifths back, twice: only one of the four fits.
        let amount = Money(order.total.0 * 3 / 5);
        let mut batches = Vec::new();
        for token in arena.managers.clone() {
            let refund = RefundOrder { order: order.id, amount, lines: vec![], reason: "cold".to_owned() };
            let step = Step::new(By::Session(token), Command::Refund(refund));
            batches.push(Batch { at: arena.soon(), steps: vec![step.clone(), step], ..Batch::default() });
        }
        let answers = crew.run(&arena.ground.url, batches);
        let done = answers.iter().flatten().filter(|answer| answer.is_done()).count();
        assert_eq!(done, 1, "{answers:?}");
        let order = arena.order(order.id);
        let back: i64 = order.refunds.iter().map(|refund| refund.amount.0).sum();
        assert_eq!((order.refunds.len(), back), (1, amount.0));
        assert!(back <= order.total.0);
        arena.holds();
    }
});
