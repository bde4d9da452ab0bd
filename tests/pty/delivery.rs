//! An order that is brought: from the kiosk through the kitchen and the courier to the door, and the switch of
//! deliveries in the middle of an order.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use servery::domain::fulfilment::Fulfilment;
use servery::service::SystemClock;
use servery::service::audit::AuditList;
use servery::service::deliveries::ShowDelivery;
use servery::service::order_queries::{OrderName, ShowOrder};
use servery::service::orders::{AssignCourier, Deliver, PickUp};

use crate::house::{self, APPROVED, ATTRACT, House, PATIENCE, on_both_databases};
use crate::office::{self, Office};
use crate::support::pty::{Key, Pty};

const ADDRESS: &str = "Hostel 4, room 12, Campus Road";

on_both_databases!(a_customer_has_it_brought_to_the_door, deliveries_switched_off_and_on_show_at_the_kiosk,);

/// From the attract screen to the checkout of a delivery, where the address is asked for.
fn to_address(kiosk: &Pty) {
    kiosk.key(Key::Enter);
    kiosk.wait_for("Deliver to me", PATIENCE);
    kiosk.send("3");
    kiosk.wait_for("Snacks & starters", PATIENCE);
    house::add_biryani(kiosk);
    kiosk.send("c");
    kiosk.wait_for("Check out", PATIENCE);
    kiosk.wait_for("₹20.00", PATIENCE);
    kiosk.send("p");
    kiosk.wait_for("Where shall we bring it?", PATIENCE);
}

fn a_customer_has_it_brought_to_the_door(house: &House) {
    let (kiosk, kitchen, board) = (house.kiosk(), house.kitchen(), house.board());
    to_address(&kiosk);
    kiosk.wait_for("First tell us where to bring it", PATIENCE);
    kiosk.paste("Hostel 4,\nroom 12\nCampus Road\n");
    kiosk.wait_for(ADDRESS, PATIENCE);
    kiosk.key(Key::Enter);
    kiosk.send("Asha");
    kiosk.wait_for("Asha", PATIENCE);
    kiosk.key(Key::Enter);
    kiosk.send("3");
    kiosk.wait_for("Order now, pay the courier", PATIENCE);
    kiosk.send("1");
    kiosk.wait_for("(●) Card", PATIENCE);
    kiosk.key(Key::Enter);
    house::pay_by_card(&kiosk, APPROVED);
    kiosk.wait_for("We bring it to you.", PATIENCE);
    kiosk.wait_gone(ADDRESS, PATIENCE);

    kitchen.wait_for("▶ 001", PATIENCE);
    for words in ["DELIVERY", "Asha", "WAITING"] {
        kitchen.wait_for(words, PATIENCE);
    }
    house::cook(&kitchen);
    kiosk.wait_for("The courier brings it to you.", PATIENCE);
    // The board calls nobody to the counter for it.
    board.wait_for("Welcome!", PATIENCE);
    assert!(!board.screen().contains("Asha"), "{}", board.framed());

    let [order] = &office::orders(house)[..] else { panic!("one order") };
    assert!(order.paid && order.fulfilment == Fulfilment::Delivery && order.delivery_charge.0 == 2000);
    office::block_on(async {
        let Office { door, admin, courier } = Office::open(house, Arc::new(SystemClock)).await;
        let (order, (staff, courier)) = (order.id, courier);
        door.execute(&admin, None, AssignCourier { order, staff }).await.expect("a courier is named");
        let shown = door.ask(&courier, ShowDelivery { order: OrderName::Id(order) }).await.expect("seen");
        let shown = shown.expect("a delivery");
        assert_eq!(shown.address.as_deref(), Some(ADDRESS), "{:?}", shown.address_problem);
        door.execute(&courier, None, PickUp { order }).await.expect("picked up");
    });
    kiosk.wait_for("Your order is on its way to you!", PATIENCE);
    office::block_on(async {
        let Office { door, courier, .. } = Office::open(house, Arc::new(SystemClock)).await;
        door.execute(&courier.1, None, Deliver { order: order.id }).await.expect("delivered");
    });
    kiosk.wait_for("We have brought it to you.", PATIENCE);
    house::finish(&kiosk);
    kiosk.wait_for(ATTRACT, PATIENCE);
    house::assert_forgotten(&kiosk, &["Asha", "Hostel", "4242", "Biryani"]);
    // Sealed in the store, and in nothing that anybody reads: not in the log, not in the audit.
    office::block_on(async {
        let Office { door, admin, .. } = Office::open(house, Arc::new(SystemClock)).await;
        let list = AuditList { limit: 500, ..AuditList::default() };
        let audit = format!("{:?}", door.ask(&admin, list).await.expect("the audit log").items);
        let shown = format!("{:?}", door.ask(&admin, ShowOrder { order: OrderName::Id(order.id) }).await);
        assert!(audit.contains("place_order") || audit.contains("Order"), "{audit}");
        assert!(!audit.contains("Hostel") && !shown.contains("Hostel"), "{audit}\n{shown}");
    });
    let store = house.servery.environment().get(OsStr::new("SERVERY_STORE")).cloned().unwrap_or_default();
    let store = store.to_string_lossy().into_owned();
    let folder = store.strip_prefix("sqlite:").and_then(|file| Path::new(file).parent());
    let searched: usize = folder.into_iter().chain([house.servery.home()]).map(files_without_the_address).sum();
    assert!(searched > 0, "files are searched");
}

/// Looks into every file under a folder, which must not have the address; how many there were.
fn files_without_the_address(folder: &Path) -> usize {
    let mut searched = 0;
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            searched += files_without_the_address(&path);
        } else if let Ok(bytes) = fs::read(&path) {
            assert!(!bytes.windows(6).any(|part| part == b"Hostel"), "the address is in {}", path.display());
            searched += 1;
        }
    }
    searched
}

fn deliveries_switched_off_and_on_show_at_the_kiosk(house: &House) {
    let kiosk = house.kiosk();
    kiosk.key(Key::Enter);
    kiosk.wait_for("Deliver to me", PATIENCE);
    office::set(house, "delivery_enabled", false);
    kiosk.wait_gone("Deliver to me", PATIENCE);
    kiosk.wait_for("Take away", PATIENCE);
    office::set(house, "delivery_enabled", true);
    kiosk.wait_for("Deliver to me", PATIENCE);
    kiosk.key(Key::Esc);
    kiosk.wait_for(ATTRACT, PATIENCE);

    // In the middle of an order: it is said, and another way costs the customer nothing of what was chosen.
    to_address(&kiosk);
    kiosk.send("Hostel 4");
    kiosk.wait_for("Hostel 4", PATIENCE);
    office::set(house, "delivery_enabled", false);
    kiosk.wait_for("No delivery right now", PATIENCE);
    kiosk.send("2");
    kiosk.wait_gone("Where shall we bring it?", PATIENCE);
    kiosk.wait_for("₹462.00", PATIENCE);
    kiosk.send("3");
    kiosk.wait_for("pay ₹462.00 at the till", PATIENCE);
    kiosk.key(Key::Enter);
    kiosk.wait_for("Your number", PATIENCE);
    let [order] = &office::orders(house)[..] else { panic!("one order") };
    assert_eq!((order.fulfilment, order.delivery_charge.0, order.lines.len()), (Fulfilment::Pickup, 0, 1));
}
