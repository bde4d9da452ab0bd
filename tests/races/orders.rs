//! Races for one cart or one order: Enter pressed twice, expiry against payment against cancellation,
//! two cooks with one ticket.

use crate::arena::{Arena, place};
use crate::both::on_both;
use crate::command::{Answer, By, Command, Step};
use crate::crew::{Batch, Crew};
use servery::domain::order::Status;
use servery::domain::payment::{AttemptStatus, Method};
use servery::domain::time::Clock as _;
use servery::service::SystemClock;
use servery::service::load::captured;
use servery::service::orders::{Bump, CancelOrder, RunTimer, Timer};
use servery::service::payments::{ApplyCharge, StartPayment};

fn winners(answers: &[Vec<Answer>]) -> Vec<usize> {
    (0..answers.len()).filter(|index| answers[*index].iter().all(Answer::is_done)).collect()
}

on_both!(enter_pressed_twice_with_one_key_is_one_order_and_one_answer, |arena| {
    let mut crew = Crew::new(3);
    for round in 0..Arena::rounds(10) {
        arena.stock_up(20);
        let (on_hand, held) = arena.stock();
        let (customer, cart) = arena.guest();
        let by = By::Guest(customer);
        let caller = servery::service::Caller::Guest { customer, terminal: None };
        arena.run(&caller, arena.add(cart, 2));
        let before = arena.number("SELECT COUNT(*) FROM orders");
        let step = Step::new(by, Command::Place(place(cart, Method::Card, true))).keyed(format!("enter-{round}"));
        let batches = (0..3).map(|_| Batch { at: arena.soon(), ..Batch::of(step.clone()) }).collect();
        let answers = crew.run(&arena.ground.url, batches);
        assert_eq!(winners(&answers), [0, 1, 2], "{answers:?}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "the same answer to all: {answers:?}");
        assert_eq!(arena.number("SELECT COUNT(*) FROM orders"), before + 1);
        assert_eq!(arena.stock(), (on_hand, held + 2));
        arena.holds();
    }
});

on_both!(two_enters_with_two_keys_on_one_cart_are_one_order, |arena| {
    let mut crew = Crew::new(2);
    for round in 0..Arena::rounds(10) {
        arena.stock_up(20);
        let (on_hand, held) = arena.stock();
        let (customer, cart) = arena.guest();
        let caller = servery::service::Caller::Guest { customer, terminal: None };
        arena.run(&caller, arena.add(cart, 2));
        let step = Step::new(By::Guest(customer), Command::Place(place(cart, Method::Cash, false)));
        let batches = (0..2)
            .map(|index| Batch { at: arena.soon(), ..Batch::of(step.clone().keyed(format!("enter-{round}-{index}"))) })
            .collect();
        let answers = crew.run(&arena.ground.url, batches);
        assert_eq!(winners(&answers).len(), 1, "{answers:?}");
        assert!(answers.iter().flatten().all(|answer| matches!(answer.code(), "" | "CONFLICT")), "{answers:?}");
        assert_eq!(arena.stock(), (on_hand, held + 2));
        arena.holds();
    }
});

on_both!(one_of_expiry_payment_and_cancellation_wins, |arena| {
    /// From the order's preparation to the instant of the race: time for the processes to be ready.
    const AHEAD: i64 = 60_000;
    let mut crew = Crew::new(3);
    for _ in 0..Arena::rounds(12) {
        arena.stock_up(20);
        let (on_hand, held) = arena.stock();
        let (placed, guest) = arena.placed(Method::Card, false, 2);
        let order = placed.order.id;
        // The hold lapses at the very instant around which all three act.
        let instant = SystemClock.now().0 + AHEAD;
        arena.expires_at(order, instant);
        let steps = [
            Step::new(By::System, Command::RunTimer(RunTimer { order, timer: Timer::Expire })),
            Step::new(guest.clone(), Command::StartPayment(StartPayment { order })),
            Step::new(guest, Command::Cancel(CancelOrder { order, reason: String::new() })),
        ];
        let batches =
            steps.into_iter().map(|step| Batch { at: arena.around(instant - 1_500, 3_000), ..Batch::of(step) });
        let batches = batches.collect();
        let answers = crew.run(&arena.ground.url, batches);
        let won = winners(&answers);
        assert_eq!(won.len(), 1, "{answers:?}");
        let now = arena.order(order);
        let (status, reserved) = match won[0] {
            0 => (Status::Expired, 0),
            1 => (Status::Pending, 2),
            _ => (Status::Cancelled, 0),
        };
        assert_eq!((now.status, arena.stock()), (status, (on_hand, held + reserved)), "{answers:?}");
        assert_eq!(now.attempts.len(), usize::from(won[0] == 1));
        let codes = answers.iter().flatten().map(Answer::code);
        assert!(
            codes
                .into_iter()
                .all(|code| matches!(code, "" | "ILLEGAL_TRANSITION" | "CONFLICT" | "ORDER_EXPIRED" | "CANNOT_CANCEL")),
            "{answers:?}"
        );
        arena.holds();
        // The winner's order is settled, so that the next round begins with nothing held.
        if won[0] == 1 {
            let apply = ApplyCharge {
                order,
                attempt: now.attempts.first().map(|attempt| attempt.id),
                gateway: crate::command::GATEWAY.to_owned(),
                result: captured(&now, &format!("pay_{order}")),
            };
            arena.run(&servery::service::Caller::Gateway(crate::command::GATEWAY), apply);
        }
    }
});

on_both!(two_cooks_bump_one_ticket_one_step, |arena| {
    let mut crew = Crew::new(2);
    for _ in 0..Arena::rounds(8) {
        arena.stock_up(20);
        let (placed, _) = arena.placed(Method::Card, true, 1);
        let apply = ApplyCharge {
            order: placed.order.id,
            attempt: placed.attempt.as_ref().map(|attempt| attempt.id),
            gateway: crate::command::GATEWAY.to_owned(),
            result: captured(&placed.order, &format!("pay_{}", placed.order.id)),
        };
        let paid = arena.run(&servery::service::Caller::Gateway(crate::command::GATEWAY), apply).order;
        assert_eq!(paid.status, Status::Confirmed);
        assert_eq!(paid.attempts[0].status, AttemptStatus::Captured);
        let mut order = paid;
        for expected in [Status::Preparing, Status::Ready] {
            let bump = Bump { order: order.id, station: None, seen_version: order.version };
            let step = Step::new(By::Terminal(arena.kitchen), Command::Bump(bump));
            let batches = (0..2).map(|_| Batch { at: arena.soon(), ..Batch::of(step.clone()) }).collect();
            let answers = crew.run(&arena.ground.url, batches);
            assert_eq!(winners(&answers).len(), 1, "{answers:?}");
            assert!(answers.iter().flatten().all(|answer| matches!(answer.code(), "" | "CONFLICT")), "{answers:?}");
            order = arena.order(order.id);
            assert_eq!(order.status, expected, "one step and no more");
        }
        arena.holds();
    }
});
