//! What the house tells the person at the console: the mark beside the name, the list, and that closing it
//! marks what was listed as read.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::deliveries::{assign, ready};
use super::house::House;
use super::keep;
use servery::domain::payment::Method;
use servery::payment::Gateways;
use servery::service::Caller;
use servery::service::notices::ListNotices;
use servery::store::notifications::{self, NotificationRow};
use servery::worker::{Options, Worker};

/// Lets the worker tell what has happened.
fn tell(house: &House) {
    let worker = Worker::new(house.opened().door.clone(), Gateways::none(), Options::default());
    house.run(async {
        let held = worker.take_lease().await.expect("asked").held.expect("the lease");
        worker.deliver_events(&held).await.expect("told");
        worker.give_back(&held).await.expect("given back");
    });
}

fn unread(house: &House, who: &Caller) -> i64 {
    let asked =
        house.run(house.opened().door.ask(who, ListNotices { filter: Default::default(), after: None, limit: 9 }));
    asked.expect("the notices").unread
}

#[test]
fn notices_in_pictures() {
    keep("notices_none", "noor", |_| {}, &["!"]).showing("Nothing was told to you yet.");
    let two = |house: &House| {
        for (number, name) in [(1, "Mira"), (2, "Ada")] {
            let order = ready(house, number, Method::Card, name);
            assign(house, &order, "noor");
        }
        tell(house);
    };
    keep("notices_new", "noor", two, &[]).showing("● 4 new");
    keep("notices_list", "noor", two, &["!"]).showing("Yours to Deliver");
}

/// Noor was told this many things, one after the other.
fn told(house: &House, count: i64) {
    house.run(async {
        let mut tx = house.opened().door.store().write().await.expect("a transaction");
        for number in 1..=count {
            let row = NotificationRow {
                id: uuid::Uuid::from_u128(u128::try_from(number).expect("a number")),
                outbox_seq: number,
                channel: "in_app".to_owned(),
                recipient_kind: "delivery".to_owned(),
                recipient_id: None,
                order_id: None,
                event: "order.confirmed".to_owned(),
                title: format!("Notice {number}."),
                body: "Somebody waits.".to_owned(),
                created_at: house.now().0,
                read_at: None,
            };
            assert!(notifications::insert(&mut tx, "main", &row).await.expect("written"));
        }
        tx.commit().await.expect("kept");
    });
}

#[test]
fn what_was_told_long_ago_comes_when_it_is_scrolled_to() {
    let many = |house: &House| told(house, 150);
    keep("notices_many", "noor", many, &["!", "end", "end", "end"]).showing("Notice 1.");
    let house = House::demo();
    many(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("noor");
    assert!(desk.screen().contains("● 100+ new"), "{}", desk.screen());
    desk.press("! end end end");
    // It is read again where something changes, and the place is kept.
    desk.changed();
    assert!(desk.screen().contains("Notice 1."), "{}", desk.screen());
    desk.press("home");
    assert!(desk.screen().contains("Notice 150."), "{}", desk.screen());
}

#[test]
fn news_are_said_and_what_was_listed_is_read() {
    let house = House::demo();
    let noor = house.person("noor");
    let mut desk = house.console(80, 24);
    desk.sign_in("noor");
    assert!(!desk.screen().contains("new"), "{}", desk.screen());
    let order = ready(&house, 1, Method::Card, "Mira");
    assign(&house, &order, "noor");
    tell(&house);
    desk.changed();
    let seen = desk.screen();
    assert!(seen.contains("● 2 new") && seen.contains("Yours to Deliver Order #"), "{seen}");
    desk.press("!");
    assert_eq!(unread(&house, &noor), 2, "it is still open");
    desk.press("esc");
    desk.settle();
    assert_eq!(unread(&house, &noor), 0);
    let seen = desk.screen();
    assert!(!seen.contains("new"), "{seen}");
    // Opened and closed again, there is nothing more to mark, and the keys are the tab's again.
    desk.press("! esc ?");
    assert!(desk.screen().contains("Notices"), "the help names the key: {}", desk.screen());
}

#[test]
fn notices_are_narrowed_to_what_is_new_and_to_words() {
    let house = House::demo();
    told(&house, 5);
    let noor = house.person("noor");
    let up_to = |seq| servery::service::notices::ReadNotices { up_to: seq };
    house.run(house.opened().door.execute(&noor, None, up_to(3))).expect("read");
    let mut desk = house.console(80, 24);
    desk.sign_in("noor");
    desk.press("!");
    assert!(desk.screen().contains("Notice 1.") && desk.screen().contains("2 new"), "{}", desk.screen());
    desk.press("f");
    let seen = desk.screen();
    assert!(seen.contains("only new") && seen.contains("Notice 5.") && !seen.contains("Notice 3."), "{seen}");
    desk.press("/");
    desk.type_text("notice 4");
    desk.press("enter");
    let seen = desk.screen();
    assert!(seen.contains("\"notice 4\"") && seen.contains("Notice 4.") && !seen.contains("Notice 5."), "{seen}");
    super::picture("notices_narrowed_80x24", &seen);
    // The first Esc shows all again, the next closes, and only then is it read.
    desk.press("esc");
    assert!(desk.screen().contains("Notice 1."), "{}", desk.screen());
    assert_eq!(unread(&house, &noor), 2);
    desk.press("/");
    desk.type_text("nothing like it");
    desk.press("enter");
    assert!(desk.screen().contains("Nothing fits"), "{}", desk.screen());
    desk.press("esc esc");
    desk.settle();
    assert_eq!(unread(&house, &noor), 0);
}
