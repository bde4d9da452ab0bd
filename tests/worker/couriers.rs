//! Who carries a delivery when the house picks the courier: only then, by load, then by history, never
//! at once whoever gave the same order up, and no noise where nobody could be named.

use crate::house::House;
use crate::on_both;
use crate::timers::pay;
use serde_json::json;
use servery::domain::access::Role;
use servery::domain::ids::{OrderId, StaffId};
use servery::domain::payment::Method;
use servery::service::Caller;
use servery::service::deliveries::ListCouriers;
use servery::service::notices::{ListNotices, NoticePage, OrderNotices, ReadNotices};
use servery::service::order_queries::OrderName;
use servery::service::orders::{
    AssignCourier, Bump, CancelAssignment, Deliver, PickUp, ReturnToStore, RunTimer, StartOrder, Timer,
};
use servery::service::secrets::Secrets;
use servery::service::staff::{self, NewStaff, SetStaffActive};
use servery::service::{UseCase, sign_in};
use servery::worker::{Report, Worker};

/// Two couriers and an admin.
struct Crew {
    noor: StaffId,
    omar: StaffId,
    admin: Caller,
    secrets: Secrets,
}

async fn crew(house: &House) -> Crew {
    let secrets = Secrets::with_pepper(b"pepper-of-the-test-of-32-bytes!!", [9; 32]);
    staff::insert_demo(&house.door, &secrets).await.expect("the demo's staff");
    let new = NewStaff { username: "omar", name: "Omar", role: Role::Delivery, password: "omar-brings-it", pin: None };
    let omar = staff::add_staff(&house.door, &secrets, &Caller::System, None, &new).await.expect("Omar").id;
    let all = house.door.ask(&Caller::System, staff::ListStaff::default()).await.expect("the staff").items;
    let noor = all.iter().find(|one| one.username == "noor").expect("Noor").id;
    let signed = sign_in::login(&house.door, &secrets, None, "asha", "demo-asha-2026").await.expect("signed in");
    let admin = Caller::Session { token: signed.token, terminal: None, override_by: None };
    Crew { noor, omar, admin, secrets }
}

async fn does<U: UseCase>(house: &House, caller: &Caller, command: U) -> U::Output {
    house.door.execute(caller, None, command).await.unwrap_or_else(|refused| panic!("{}: {refused:?}", U::NAME))
}

/// A paid delivery, confirmed by itself.
async fn delivery(house: &House) -> OrderId {
    let placed = house.place_delivery(Method::Card, true).await;
    pay(house, &placed).await;
    assert_eq!(house.order(placed.order.id).await.status.as_str(), "confirmed");
    placed.order.id
}

async fn round(worker: &Worker) -> Report {
    let held = worker.take_lease().await.expect("asked").held.expect("the lease");
    worker.run_timer(&held, Timer::AutoAssign).await.expect("a round")
}

/// Whom people are shown first when they choose a courier for this order.
async fn first_shown(house: &House, crew: &Crew, order: OrderId) -> StaffId {
    let asked = house.door.ask(&crew.admin, ListCouriers { order: Some(order) }).await.expect("the couriers");
    asked.first().expect("a courier").id
}

/// Whether this courier has the order now.
async fn has(house: &House, courier: StaffId, order: OrderId) -> bool {
    let (courier, order) = (house.uuid(courier.0), house.uuid(order.0));
    let active = format!(
        "SELECT COUNT(*) FROM delivery_assignments WHERE staff_id = {courier} AND order_id = {order} \
         AND status IN ('assigned', 'picked_up')"
    );
    house.number(&active).await == 1
}

async fn let_in(house: &House, staff: StaffId, active: bool) {
    does(house, &Caller::System, SetStaffActive { staff, active, reason: "for this test".to_owned() }).await;
}

/// Cooks an order and carries it to the door.
async fn bring(house: &House, crew: &Crew, order: OrderId) {
    let cooking = house.cook(StartOrder { order }).await;
    house.cook(Bump { order, station: None, seen_version: cooking.version }).await;
    does(house, &crew.admin, PickUp { order }).await;
    does(house, &crew.admin, Deliver { order }).await;
}

on_both!(nothing_is_assigned_unless_the_house_picks_and_somebody_is_there, |house| {
    let crew = crew(&house).await;
    let (worker, _) = house.leading().await;
    let order = delivery(&house).await;
    let pickup = house.place(Method::Card, true).await;
    pay(&house, &pickup).await;
    assert_eq!(round(&worker).await, Report::default(), "a manager assigns");
    let by_hand = RunTimer { order, timer: Timer::AutoAssign };
    let refused = house.door.execute(&Caller::System, None, by_hand.clone()).await.expect_err("the setting says no");
    assert_eq!(refused.guard, Some("auto_assign_on"));

    house.set("auto_assign", json!(true)).await;
    for courier in [crew.noor, crew.omar] {
        let_in(&house, courier, false).await;
    }
    assert_eq!(round(&worker).await, Report::default(), "nobody is there: nothing is due, nothing is noted");
    let refused = house.door.execute(&Caller::System, None, by_hand).await.expect_err("nobody is there");
    assert_eq!(refused.guard, Some("courier_active"));

    let_in(&house, crew.omar, true).await;
    assert_eq!(round(&worker).await, Report { timers: 1, ..Report::default() }, "the delivery and not the pickup");
    assert!(has(&house, crew.omar, order).await);
    assert_eq!(round(&worker).await, Report::default(), "once");
    let told = house.number("SELECT COUNT(*) FROM outbox WHERE event = 'driver_assigned'").await;
    assert_eq!(told, 1);
});

on_both!(the_least_to_carry_is_first_then_the_fewest_delivered_then_the_longest_wait, |house| {
    let crew = crew(&house).await;
    let (worker, _) = house.leading().await;
    house.set("auto_assign", json!(true)).await;
    // Load: Noor carries one already, so that the next goes to Omar.
    let first = delivery(&house).await;
    does(&house, &crew.admin, AssignCourier { order: first, staff: crew.noor }).await;
    let second = delivery(&house).await;
    assert_eq!(round(&worker).await.timers, 1);
    assert!(has(&house, crew.omar, second).await);
    // History: nobody carries anything, and Omar alone has delivered today.
    bring(&house, &crew, second).await;
    does(&house, &crew.admin, CancelAssignment { order: first, no_pickup: false }).await;
    does(&house, &crew.admin, AssignCourier { order: first, staff: crew.omar }).await;
    bring(&house, &crew, first).await;
    let third = delivery(&house).await;
    assert_eq!(first_shown(&house, &crew, third).await, crew.noor, "people see the house's own ranking");
    assert_eq!(round(&worker).await.timers, 1);
    assert!(has(&house, crew.noor, third).await);
    // As many each: whoever was named longer ago. Noor's last naming is the later one.
    bring(&house, &crew, third).await;
    house.pass_seconds(1).await;
    let fourth = delivery(&house).await;
    does(&house, &crew.admin, AssignCourier { order: fourth, staff: crew.noor }).await;
    bring(&house, &crew, fourth).await;
    house.pass_seconds(1).await;
    let (fifth, sixth) = (delivery(&house).await, delivery(&house).await);
    assert_eq!(round(&worker).await.timers, 2);
    assert!(has(&house, crew.omar, fifth).await, "two each, and Omar waits longer");
    assert!(has(&house, crew.noor, sixth).await, "and each of the two gets one of them");
});

on_both!(who_did_not_come_is_named_again_only_where_nobody_else_is_and_not_for_ever, |house| {
    let crew = crew(&house).await;
    let (worker, _) = house.leading().await;
    house.set("auto_assign", json!(true)).await;
    let_in(&house, crew.omar, false).await;
    let order = delivery(&house).await;
    assert_eq!(round(&worker).await.timers, 1);
    assert!(has(&house, crew.noor, order).await);
    let did_not_come = || CancelAssignment { order, no_pickup: true };
    does(&house, &Caller::System, did_not_come()).await;
    assert_eq!(round(&worker).await.timers, 1, "Noor is the only one there");
    assert!(has(&house, crew.noor, order).await);

    does(&house, &Caller::System, did_not_come()).await;
    let_in(&house, crew.omar, true).await;
    // Omar carries another one; it is his all the same.
    let other = delivery(&house).await;
    does(&house, &crew.admin, AssignCourier { order: other, staff: crew.omar }).await;
    assert_eq!(first_shown(&house, &crew, order).await, crew.omar, "who gave it up is the last");
    assert_eq!(round(&worker).await.timers, 1);
    assert!(has(&house, crew.omar, order).await, "somebody else is there");

    // The third that comes to nothing calls an admin: from here on a person decides.
    does(&house, &Caller::System, did_not_come()).await;
    assert_eq!(round(&worker).await, Report::default());
    does(&house, &crew.admin, AssignCourier { order, staff: crew.noor }).await;
    assert!(has(&house, crew.noor, order).await);
});

on_both!(what_came_back_to_the_store_goes_out_again_with_somebody_else, |house| {
    let crew = crew(&house).await;
    let (worker, _) = house.leading().await;
    house.set("auto_assign", json!(true)).await;
    let order = delivery(&house).await;
    assert_eq!(round(&worker).await.timers, 1);
    let (one, another) =
        if has(&house, crew.noor, order).await { (crew.noor, crew.omar) } else { (crew.omar, crew.noor) };
    let cooking = house.cook(StartOrder { order }).await;
    house.cook(Bump { order, station: None, seen_version: cooking.version }).await;
    does(&house, &crew.admin, PickUp { order }).await;
    does(&house, &crew.admin, ReturnToStore { order, reason: "nobody opened".to_owned() }).await;
    assert_eq!(round(&worker).await.timers, 1);
    assert!(has(&house, another, order).await && !has(&house, one, order).await);
});

async fn told(house: &House, who: &Caller) -> NoticePage {
    house.door.ask(who, ListNotices { filter: Default::default(), after: None, limit: 20 }).await.expect("the notices")
}

fn titles(page: &NoticePage) -> Vec<&str> {
    page.items.iter().map(|notice| notice.title.as_str()).collect()
}

on_both!(customer_couriers_and_admin_are_told_what_concerns_them, |house| {
    let crew = crew(&house).await;
    let (worker, held) = house.leading().await;
    house.set("pickup_retry_max", json!(1)).await;
    let order = delivery(&house).await;
    does(&house, &crew.admin, AssignCourier { order, staff: crew.noor }).await;
    house.pass_seconds(1).await;
    does(&house, &Caller::System, CancelAssignment { order, no_pickup: true }).await;
    does(&house, &crew.admin, AssignCourier { order, staff: crew.omar }).await;
    bring(&house, &crew, order).await;
    worker.deliver_events(&held).await.expect("told");

    let about = house.door.ask(&crew.admin, OrderNotices { order: OrderName::Id(order) }).await.expect("notices");
    let told_to = |who: &str| -> Vec<&str> {
        about.iter().filter(|notice| notice.to == who).map(|notice| notice.title.as_str()).collect()
    };
    assert_eq!(
        told_to("customer"),
        [
            "Order Confirmed!",
            "Order Accepted",
            "Your Courier",
            "A Moment Longer",
            "Your Delivery Is Late",
            "A New Courier",
            "Being Prepared",
            "Order Ready!",
            "On the Way! 🚚",
            "Delivered",
        ]
    );
    assert!(about.iter().any(|notice| notice.title == "A New Courier" && notice.body.starts_with("Omar brings")));
    assert_eq!(told_to("admin"), ["No Courier"]);

    // Each courier is told their own, and what is for all of them.
    let omar = sign_in::login(&house.door, &crew.secrets, None, "omar", "omar-brings-it").await.expect("signed in");
    let omar = Caller::Session { token: omar.token, terminal: None, override_by: None };
    let noor = sign_in::login(&house.door, &crew.secrets, None, "noor", "demo-noor-2026").await.expect("signed in");
    let noor = Caller::Session { token: noor.token, terminal: None, override_by: None };
    let (hers, his) = (told(&house, &noor).await, told(&house, &omar).await);
    assert_eq!(titles(&hers), ["Taken Off", "Yours to Deliver", "Delivery Coming Up"]);
    assert_eq!(titles(&his), ["Yours to Deliver", "Delivery Coming Up"]);
    assert_eq!((hers.unread, his.unread), (3, 2));
    // What is read by one of them is read where it is for all, and where it is theirs.
    let up_to = his.items[0].seq;
    assert_eq!(does(&house, &omar, ReadNotices { up_to }).await, 2);
    assert_eq!(told(&house, &omar).await.unread, 0);
    assert_eq!(told(&house, &noor).await.unread, 2);
    // Page by page.
    let first =
        house.door.ask(&noor, ListNotices { filter: Default::default(), after: None, limit: 2 }).await.expect("a page");
    let rest = house
        .door
        .ask(&noor, ListNotices { filter: Default::default(), after: first.next.clone(), limit: 2 })
        .await
        .expect("a page");
    assert_eq!((titles(&first).len(), titles(&rest)), (2, vec!["Delivery Coming Up"]));
    assert_eq!(rest.next, None);
    // A guest reads nothing of another one's order.
    let stranger = Caller::Guest { customer: servery::domain::ids::CustomerId(house.door.new_id()), terminal: None };
    assert!(house.door.ask(&stranger, OrderNotices { order: OrderName::Id(order) }).await.is_err());
    assert_eq!(titles(&told(&house, &stranger).await), Vec::<&str>::new());
});
