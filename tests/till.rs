//! The till through the real door, on both databases: its arithmetic, its refusals, its races.

mod house;
mod support;

use house::{House, code, session};
use servery::domain::error::ErrorCode;
use servery::domain::ids::{OrderId, RefundId, ShiftId, TerminalId};
use servery::service::terminals::TerminalRole;
use servery::service::till::{CashDrop, CashIn, CashPayout, ListShifts, TillClose, TillOpen, TillStatus};
use servery::service::till_reports::{ClosedFilter, ClosedShifts, OpenShifts};
use servery::service::{Caller, staff};
use servery::store::till::{Movement, MovementKind};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn the_drawer_adds_up_and_a_closed_shift_never_changes() {
    for house in House::both().await {
        let door = &house.door;
        let caller = house.caller("ravi").await;
        assert_eq!(door.ask(&caller, TillStatus::default()).await.expect("none"), None);
        let drop = |amount| CashDrop { shift: None, amount, reason: "to the safe".into() };
        assert_eq!(door.execute(&caller, None, drop(1)).await.expect_err("closed").guard, Some("till_open"));
        assert_eq!(code(door.execute(&caller, None, TillOpen { float: -1 }).await), ErrorCode::ValidationError);
        assert_eq!(code(door.execute(&Caller::System, None, TillOpen { float: 1 }).await), ErrorCode::InsufficientRole);
        let shift = door.execute(&caller, None, TillOpen { float: 10_000 }).await.expect("opened");
        assert_eq!((shift.terminal_name.as_str(), shift.opened_by.as_deref()), ("counter", Some("ravi")));
        assert_eq!((shift.float, shift.expected, shift.closed_at), (10_000, 10_000, None));
        assert_eq!(code(door.execute(&caller, None, TillOpen { float: 0 }).await), ErrorCode::Conflict);

        let cash_in = |amount| CashIn { shift: None, amount, reason: "change".into() };
        assert_eq!(door.execute(&caller, None, cash_in(5_000)).await.expect("in").expected, 15_000);
        assert_eq!(door.execute(&caller, None, drop(2_000)).await.expect("out").expected, 13_000);
        let sale = Movement {
            kind: MovementKind::Sale,
            amount: 1_250,
            tendered: Some(2_000),
            order: Some(OrderId(Uuid::from_u128(50))),
            refund: None,
            reason: None,
        };
        assert!(house.order_cash(shift.id, &sale).await);
        let refund = Movement {
            kind: MovementKind::Refund,
            amount: -300,
            tendered: None,
            refund: Some(RefundId(Uuid::from_u128(51))),
            ..sale.clone()
        };
        assert!(house.order_cash(shift.id, &refund).await);
        let refused = door.execute(&caller, None, drop(13_951)).await.expect_err("more than it holds");
        assert_eq!((refused.guard, refused.details["held"].as_i64()), (Some("drawer_holds"), Some(13_950)));
        for wrong in [0, -5, i64::MAX] {
            assert_eq!(code(door.execute(&caller, None, cash_in(wrong)).await), ErrorCode::ValidationError);
        }
        let silent = CashDrop { shift: None, amount: 1, reason: " \u{200b} ".into() };
        assert_eq!(code(door.execute(&caller, None, silent).await), ErrorCode::ValidationError);

        let x = door.ask(&caller, TillStatus::default()).await.expect("X report").expect("open");
        assert_eq!((x.shift.expected, x.sales.amount, x.refunds.amount), (13_950, 1_250, -300));
        assert_eq!((x.cash_in.amount, x.drops.amount, x.payouts.count), (5_000, -2_000, 0));
        let balances: Vec<(i64, i64)> = x.movements.iter().map(|row| (row.number, row.balance_after)).collect();
        assert_eq!(balances, [(1, 15_000), (2, 13_000), (3, 14_250), (4, 13_950)]);

        let close = |counted| TillClose { shift: None, counted, note: Some("quiet\u{7} day".into()), force: None };
        let z = door.execute(&caller, Some("close-1"), close(14_000)).await.expect("closed");
        assert_eq!((z.shift.expected, z.shift.counted, z.shift.over_short), (13_950, Some(14_000), Some(50)));
        assert_eq!((z.shift.closed_by.as_deref(), z.shift.note.as_deref()), (Some("ravi"), Some("quiet day")));
        assert_eq!(door.execute(&caller, Some("close-1"), close(14_000)).await.expect("the same answer"), z);

        assert_eq!(code(door.execute(&caller, None, close(14_000)).await), ErrorCode::Conflict);
        let again = TillClose { shift: Some(shift.id), ..close(1) };
        assert_eq!(code(door.execute(&caller, None, again).await), ErrorCode::Conflict);
        let late = CashIn { shift: Some(shift.id), ..cash_in(1) };
        assert_eq!(code(door.execute(&caller, None, late).await), ErrorCode::Conflict);
        assert!(
            !house
                .order_cash(
                    shift.id,
                    &Movement { kind: MovementKind::CashIn, amount: 1, tendered: None, order: None, ..sale.clone() }
                )
                .await
        );
        let past =
            house.raw(format!("UPDATE till_shifts SET note = 'x' WHERE id = {}", house.literal(shift.id.0))).await;
        assert!(past.expect_err("immutable").to_string().contains("a closed till shift never changes"));
        let reread = door.ask(&caller, TillStatus { shift: Some(shift.id) }).await.expect("read").expect("there");
        assert_eq!(reread, z);
        let gone = TillStatus { shift: Some(ShiftId(Uuid::nil())) };
        assert_eq!(code(door.ask(&caller, gone).await), ErrorCode::NotFound);

        let second = door.execute(&caller, None, TillOpen { float: 500 }).await.expect("a new shift");
        let short = door.execute(&caller, None, close(450)).await.expect("closed");
        assert_eq!((short.shift.id, short.shift.over_short), (second.id, Some(-50)));
        let first_page = door.ask(&caller, ListShifts { before: None, limit: 1 }).await.expect("page");
        assert_eq!(first_page.iter().map(|row| row.id).collect::<Vec<_>>(), [second.id]);
        let before = Some((first_page[0].opened_at, first_page[0].id));
        let next_page = door.ask(&caller, ListShifts { before, limit: 9 }).await.expect("page");
        assert_eq!(next_page.iter().map(|row| row.id).collect::<Vec<_>>(), [shift.id]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_the_money_of_cash_orders_unless_somebody_says_why() {
    for house in House::both().await {
        let door = &house.door;
        let caller = house.caller("ravi").await;
        door.execute(&caller, None, TillOpen { float: 100 }).await.expect("opened");
        house.cash_order(7).await;
        let close =
            |force: Option<&str>| TillClose { shift: None, counted: 100, note: None, force: force.map(str::to_owned) };
        let refused = door.execute(&caller, None, close(None)).await.expect_err("an order waits");
        assert_eq!((refused.code, refused.guard), (ErrorCode::Conflict, Some("cash_orders_open")));
        assert_eq!(refused.details["orders"][0], "ORD-20270115-007");
        let x = door.ask(&caller, TillStatus::default()).await.expect("X report").expect("still open");
        assert_eq!(x.unpaid_cash_orders, ["ORD-20270115-007"]);
        // A reason alone is not enough: it takes a manager, or a manager's PIN on the spot.
        let alone = door.execute(&caller, None, close(Some("fire alarm"))).await.expect_err("a cook");
        assert_eq!((alone.code, &alone.details["permission"]), (ErrorCode::InsufficientRole, &"till:force".into()));
        let pin = staff::verify_override(door, &house.secrets, None, Some("asha"), "271828").await.expect("PIN");
        let ravi = house.enter("ravi").await;
        let with_pin = Caller::Session { token: ravi.token.clone(), terminal: None, override_by: Some(pin) };
        assert_eq!(code(door.execute(&with_pin, None, close(Some("  "))).await), ErrorCode::ValidationError);
        door.execute(&with_pin, None, close(Some("fire alarm"))).await.expect("closed all the same");
        let kept = "SELECT COUNT(*) FROM audit_log a JOIN staff p ON p.site_id = a.site_id AND p.id = a.override_by \
             WHERE a.action = 'CLOSE' AND a.reason = 'fire alarm' AND a.actor_name = 'ravi' AND p.username = 'asha'";
        assert_eq!(house.count(kept).await, 1);
        // A manager's own reason needs nobody else's.
        let asha = house.caller("asha").await;
        door.execute(&asha, None, TillOpen { float: 100 }).await.expect("opened again");
        door.execute(&asha, None, close(Some("the register moves"))).await.expect("closed by the manager");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_opens_at_one_instant_one_succeeds() {
    for house in House::both().await {
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let mut opens = tokio::task::JoinSet::new();
        for (name, terminal) in [("ravi", Some(terminal)), ("asha", Some(terminal)), ("ravi", None), ("asha", None)] {
            let caller = session(&house.enter(name).await, terminal);
            for _ in 0..2 {
                let (door, caller) = (house.door.clone(), caller.clone());
                opens.spawn(async move { (terminal, door.execute(&caller, None, TillOpen { float: 1 }).await) });
            }
        }
        let results = opens.join_all().await;
        for place in [Some(terminal), None] {
            let here: Vec<_> = results.iter().filter(|(at, _)| *at == place).collect();
            assert_eq!(here.iter().filter(|(_, result)| result.is_ok()).count(), 1, "{here:?}");
            for (_, result) in here {
                assert!(result.as_ref().err().is_none_or(|refused| refused.code == ErrorCode::Conflict), "{result:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_till_of_the_terminal_is_meant_else_the_only_one() {
    for house in House::both().await {
        let door = &house.door;
        let (one, two) = (
            house.terminal("kitchen-1", TerminalRole::Kitchen).await,
            house.terminal("kitchen-2", TerminalRole::Kitchen).await,
        );
        let asha = house.enter("asha").await;
        let first = door.execute(&session(&asha, Some(one)), None, TillOpen { float: 1 }).await.expect("opened");
        let meant = async |terminal: Option<TerminalId>| {
            let report = door.ask(&session(&asha, terminal), TillStatus::default()).await.expect("status");
            report.map(|report| report.shift.id)
        };
        assert_eq!((meant(None).await, meant(Some(two)).await), (Some(first.id), Some(first.id)));
        let second = door.execute(&session(&asha, Some(two)), None, TillOpen { float: 2 }).await.expect("opened");
        assert_eq!((meant(None).await, meant(Some(one)).await), (None, Some(first.id)));
        assert_eq!(meant(Some(two)).await, Some(second.id));
        let named = TillClose { shift: Some(first.id), counted: 1, note: None, force: None };
        door.execute(&session(&asha, None), None, named).await.expect("by name");
        let unknown = session(&asha, Some(TerminalId(Uuid::nil())));
        assert_eq!(code(door.execute(&unknown, None, TillOpen { float: 1 }).await), ErrorCode::Forbidden);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reports_of_all_tills_add_up_and_go_on_page_by_page() {
    for house in House::both().await {
        let door = &house.door;
        let asha = house.enter("asha").await;
        let mut callers = Vec::new();
        for name in ["kitchen-1", "kitchen-2", "kitchen-3"] {
            let terminal = house.terminal(name, TerminalRole::Kitchen).await;
            callers.push(session(&asha, Some(terminal)));
        }
        assert!(door.ask(&callers[0], OpenShifts).await.expect("none").is_empty());
        let mut opened = Vec::new();
        for (caller, float) in callers.iter().zip([100, 200, 300]) {
            opened.push(door.execute(caller, None, TillOpen { float }).await.expect("opened").id);
            house.clock.advance(1);
        }
        let payout = |amount| CashPayout { shift: None, amount, reason: "milk".into() };
        assert_eq!(door.execute(&callers[0], None, payout(30)).await.expect("paid").expected, 70);
        assert_eq!(
            door.execute(&callers[0], None, payout(71)).await.expect_err("too much").guard,
            Some("drawer_holds")
        );
        assert_eq!(code(door.execute(&callers[0], None, payout(0)).await), ErrorCode::ValidationError);
        let silent = CashPayout { shift: None, amount: 1, reason: " ".into() };
        assert_eq!(code(door.execute(&callers[0], None, silent).await), ErrorCode::ValidationError);
        let sale = Movement {
            kind: MovementKind::Sale,
            amount: 500,
            tendered: Some(500),
            order: Some(OrderId(Uuid::from_u128(50))),
            refund: None,
            reason: None,
        };
        assert!(house.order_cash(opened[1], &sale).await);

        let open = door.ask(&callers[2], OpenShifts).await.expect("open");
        let sums: Vec<_> = open.iter().map(|sums| (sums.shift.terminal_name.as_str(), sums.shift.expected)).collect();
        assert_eq!(sums, [("kitchen-1", 70), ("kitchen-2", 700), ("kitchen-3", 300)]);
        assert_eq!((open[0].payouts.count, open[0].payouts.amount), (1, -30));
        assert_eq!((open[1].sales.count, open[1].sales.amount), (1, 500));
        let x = door.ask(&callers[1], TillStatus::default()).await.expect("X").expect("open");
        assert_eq!((x.shift.id, x.sales), (opened[1], open[1].sales), "each terminal has its own");

        for (caller, counted) in callers.iter().zip([70, 690, 300]) {
            let close = TillClose { shift: None, counted, note: None, force: None };
            door.execute(caller, None, close).await.expect("closed");
        }
        assert!(door.ask(&callers[0], OpenShifts).await.expect("none").is_empty());
        let page = |after| ClosedShifts { filter: ClosedFilter::default(), after, limit: 2 };
        let first = door.ask(&callers[0], page(None)).await.expect("page");
        let second = door.ask(&callers[0], page(first.next.clone())).await.expect("page");
        let all: Vec<_> = first.items.iter().chain(&second.items).map(|sums| sums.shift.id).collect();
        assert_eq!(all, [opened[2], opened[1], opened[0]], "the newest first, each once");
        assert_eq!((first.total, second.next.as_deref()), (3, None));
        assert_eq!((first.items[1].shift.over_short, first.items[1].sales.amount), (Some(-10), 500));
        // The sums are those of the Z report itself.
        let z = door.ask(&callers[0], TillStatus { shift: Some(opened[1]) }).await.expect("Z").expect("there");
        assert_eq!((&z.shift, z.sales), (&first.items[1].shift, first.items[1].sales));
        // By the drawer, by whoever opened or closed it, and by the day of the closing.
        let closed_at = first.items[1].shift.closed_at.expect("closed");
        let found = async |filter: ClosedFilter| {
            let asked = ClosedShifts { filter, ..ClosedShifts::default() };
            let page = door.ask(&callers[0], asked).await.expect("found");
            assert_eq!(page.total, i64::try_from(page.items.len()).expect("few"));
            page.items.into_iter().map(|sums| sums.shift.id).collect::<Vec<_>>()
        };
        let none = ClosedFilter::default;
        assert_eq!(found(ClosedFilter { terminal: Some("CHEN-2".into()), ..none() }).await, [opened[1]]);
        assert_eq!(found(ClosedFilter { terminal: Some(" ".into()), ..none() }).await.len(), 3);
        let opener = first.items[0].shift.opened_by.clone().expect("somebody");
        assert!(found(ClosedFilter { person: Some(opener), ..none() }).await.contains(&opened[2]));
        assert!(found(ClosedFilter { person: Some("nobody".into()), ..none() }).await.is_empty());
        assert!(found(ClosedFilter { from: Some(closed_at), ..none() }).await.contains(&opened[1]));
        assert!(!found(ClosedFilter { until: Some(closed_at), ..none() }).await.contains(&opened[1]));
        for wrong in [page(Some("x".into())), ClosedShifts { filter: ClosedFilter::default(), after: None, limit: 0 }] {
            assert_eq!(code(door.ask(&callers[0], wrong).await), ErrorCode::ValidationError);
        }
        assert_eq!(code(door.ask(&house.caller("noor").await, page(None)).await), ErrorCode::InsufficientRole);
    }
}
