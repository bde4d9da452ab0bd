//! The menu as its keepers change it piece by piece, through the door, on SQLite and on Postgres: what
//! is written, what is refused and what the audit log says. Whole menus as files are in `goods.rs`.

#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests, which clippy does not know as tests")]

#[expect(dead_code, reason = "shared with other suites, which use all of it")]
mod goods_support;
mod support;

use goods_support::House;
use serde_json::{Value, json};
use servery::domain::cart::Change;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, CustomerId, OrderId};
use servery::domain::menu::Diet;
use servery::domain::money::Money;
use servery::domain::payment::Method;
use servery::service::cart::{CartAdd, CartFulfilment, ShowCart};
use servery::service::menu::{ItemDetail, MenuNow, SetAvailable, SetPrice};
use servery::service::menu_book::{CategoryRecord, ItemRecord, MenuBook, MenuBookView, StationRecord};
use servery::service::menu_categories::{
    AddCategory, AddStation, AddTaxClass, DeleteCategory, EditCategory, MoveCategory, RestoreCategory,
};
use servery::service::menu_edit::{AddItem, DeleteItem, EditItem, ItemPatch, MoveItem, RestoreItem};
use servery::service::menu_import::{FieldChange, MenuExport, MenuImport, MenuPreview};
use servery::service::menu_options::{
    AddOption, AddOptionGroup, DeleteOption, DeleteOptionGroup, EditOption, EditOptionGroup, NewChoice,
};
use servery::service::menu_shelves::{EditStation, EditTaxClass, RetireStation, RetireTaxClass};
use servery::service::orders::{CancelOrder, StaffCancelOrder};
use servery::service::place::PlaceOrder;
use servery::service::{Caller, UseCase};

const SYSTEM: &Caller = &Caller::System;

async fn done<U: UseCase>(house: &House, caller: &Caller, use_case: U) -> U::Output {
    let done = house.door.execute(caller, None, use_case).await;
    done.unwrap_or_else(|refused| panic!("{}: {refused:?}", U::NAME))
}

async fn refused<U: UseCase>(house: &House, use_case: U) -> Refused {
    match house.door.execute(SYSTEM, None, use_case).await {
        Ok(_) => panic!("{} was not refused", U::NAME),
        Err(refused) => refused,
    }
}

async fn book(house: &House) -> MenuBookView {
    house.door.ask(SYSTEM, MenuBook { deleted: true }).await.expect("book")
}

async fn record(house: &House, code: &str) -> ItemRecord {
    let book = book(house).await;
    let live = book.items.into_iter().find(|item| item.code == code && item.deleted_at.is_none());
    live.unwrap_or_else(|| panic!("no {code}"))
}

async fn category(house: &House, name: &str) -> CategoryRecord {
    let book = book(house).await;
    let live = book.categories.into_iter().find(|category| category.name == name && category.deleted_at.is_none());
    live.unwrap_or_else(|| panic!("no {name}"))
}

/// The code of the last item of a category.
fn codes_of_last(book: &MenuBookView, category: &str) -> Option<String> {
    let live = book.items.iter().filter(|item| item.deleted_at.is_none() && item.category == category);
    live.max_by_key(|item| item.position).map(|item| item.code.clone())
}

fn edit(item: &str, seen_version: Option<i64>, change: ItemPatch) -> EditItem {
    EditItem { item: item.to_owned(), seen_version, change }
}

fn price(text: &str) -> ItemPatch {
    ItemPatch { price: Some(text.to_owned()), ..ItemPatch::default() }
}

on_both!(an_item_is_added_edited_moved_deleted_and_restored, |house| {
    let boss = house.signed_in("boss", "admin").await;
    let before = book(&house).await;
    let name = before.categories[0].name.clone();
    let patch = ItemPatch {
        name: Some("Paneer\u{202e} Roll\u{1b}[2J".to_owned()),
        category: Some(name.to_uppercase()),
        diet: Some(Diet::Veg),
        slots: Some(vec!["all day".to_owned()]),
        uses: Some([("paneer".to_owned(), 2)].into()),
        ..price("95.50")
    };
    let added = done(&house, &boss, AddItem { item: patch.clone() }).await;
    assert_eq!((added.code.as_str(), added.name.as_str()), ("paneer-roll-2j", "Paneer Roll[2J"));
    assert_eq!((added.price, added.version, added.category.as_str()), (Money(9550), 1, name.as_str()));
    assert_eq!((added.tax_class.as_deref(), added.station.as_deref()), (None, None), "the defaults");
    assert_eq!(added.uses.iter().map(|used| (used.stock.as_str(), used.units)).collect::<Vec<_>>(), [("paneer", 2)]);
    let twin = done(&house, &boss, AddItem { item: patch.clone() }).await;
    assert_eq!(twin.code, "paneer-roll-2j-2");
    let in_its = |book: &MenuBookView, name: &str| -> Vec<(String, i32)> {
        let live = book.items.iter().filter(|item| item.deleted_at.is_none() && item.category == name);
        live.map(|item| (item.code.clone(), item.position)).collect()
    };
    let old = in_its(&before, &name);
    let last = old.iter().map(|(_, position)| *position).max().expect("a dish");
    assert_eq!((added.position, twin.position), (last + 1, last + 2), "behind those of its category");
    let seen = house.door.ask(SYSTEM, ItemDetail { item: added.code.clone() }).await.expect("customers see it");
    assert!(seen.availability.is_available());

    let change = ItemPatch {
        name: Some("Paneer Roll".to_owned()),
        code: Some("roll".to_owned()),
        station: Some(before.stations[0].name.to_lowercase()),
        allergens: Some(vec![servery::domain::menu::Allergen::Milk]),
        uses: Some([].into()),
        ..price("99.00")
    };
    let edited = done(&house, &boss, edit(&added.code, Some(1), change.clone())).await;
    assert_eq!((edited.code.as_str(), edited.version, edited.left), ("roll", 2, None));
    assert_eq!(edited.station.as_deref(), Some(before.stations[0].name.as_str()));
    let version = book(&house).await.version;
    let same = done(&house, &boss, edit("roll", Some(2), change)).await;
    assert_eq!((same, book(&house).await.version), (edited, version), "what is so already changes nothing");
    let audits = "SELECT COUNT(*) FROM audit_log WHERE use_case = 'menu_edit_item' AND entity = 'MenuItem' \
         AND actor_name = 'boss' AND CAST(before_value AS TEXT) LIKE '%\"95.50\"%' \
         AND CAST(after_value AS TEXT) LIKE '%\"99.00\"%'";
    assert_eq!(house.number(audits, vec![]).await, 1, "before and after");

    let moved = done(&house, &boss, MoveItem { item: "roll".to_owned(), place: 1, category: None }).await;
    assert_eq!(moved.position, 1);
    let codes = |book: &MenuBookView| -> Vec<String> {
        let live = book.items.iter().filter(|item| item.deleted_at.is_none() && item.category == name);
        live.map(|item| item.code.clone()).collect()
    };
    // The others keep their order, and every place is taken once.
    let mut wanted = vec!["roll".to_owned()];
    wanted.extend(old.iter().map(|(code, _)| code.clone()));
    wanted.push(twin.code.clone());
    let now = in_its(&book(&house).await, &name);
    assert_eq!(codes(&book(&house).await), wanted);
    assert_eq!(
        now.iter().map(|(_, position)| *position).collect::<Vec<_>>(),
        (1..).take(now.len()).collect::<Vec<_>>()
    );
    let other = before.categories[1].name.clone();
    let far = MoveItem { item: "roll".to_owned(), place: 99, category: Some(other.clone()) };
    assert_eq!(done(&house, &boss, far).await.category, other);
    assert_eq!(codes_of_last(&book(&house).await, &other).as_deref(), Some("roll"), "at its end");
    assert!(!codes(&book(&house).await).contains(&"roll".to_owned()));

    let silent = DeleteItem { item: "roll".to_owned(), seen_version: None, reason: " \u{200b}".to_owned() };
    assert_eq!(refused(&house, silent).await.code, ErrorCode::ValidationError);
    let delete =
        |item: &str| DeleteItem { item: item.to_owned(), seen_version: None, reason: "no more paneer".to_owned() };
    assert!(done(&house, &boss, delete("roll")).await.deleted_at.is_some());
    let gone = house.door.ask(SYSTEM, ItemDetail { item: "roll".to_owned() }).await.expect_err("gone");
    assert_eq!(gone.code, ErrorCode::NotFound);
    assert_eq!(refused(&house, delete("roll")).await.code, ErrorCode::NotFound);
    let kept = "SELECT COUNT(*) FROM audit_log WHERE use_case = 'menu_delete_item' AND reason = 'no more paneer'";
    assert_eq!(house.number(kept, vec![]).await, 1);
    let without = house.door.ask(SYSTEM, MenuBook { deleted: false }).await.expect("book");
    assert!(without.items.iter().all(|item| item.deleted_at.is_none()));
    assert_eq!(
        book(&house).await.items.last().map(|item| item.code.clone()).as_deref(),
        Some("roll"),
        "deleted come last"
    );

    // Its code may be taken meanwhile; then it cannot come back under it.
    done(&house, &boss, edit(&twin.code, None, ItemPatch { code: Some("roll".to_owned()), ..ItemPatch::default() }))
        .await;
    let restore = || RestoreItem { item: "roll".to_owned() };
    assert_eq!(refused(&house, restore()).await.code, ErrorCode::Conflict);
    done(&house, &boss, edit("roll", None, ItemPatch { code: Some("twin".to_owned()), ..ItemPatch::default() })).await;
    assert_eq!(done(&house, &boss, restore()).await.deleted_at, None);
    assert_eq!(refused(&house, restore()).await.code, ErrorCode::NotFound);
});

on_both!(what_makes_no_sense_is_refused_and_changes_nothing, |house| {
    let version = book(&house).await.version;
    let patch = ItemPatch::default;
    let text = |text: &str| Some(text.to_owned());
    for (change, field) in [
        (ItemPatch { name: text(" \u{200b} "), ..patch() }, "name"),
        (price("0"), "price"),
        (price("1,50"), "price"),
        (ItemPatch { code: text("No Code"), ..patch() }, "code"),
        (ItemPatch { code: text("samosa"), ..patch() }, "code"),
        (ItemPatch { category: text("Nowhere"), ..patch() }, "category"),
        (ItemPatch { tax_class: text("Nothing"), ..patch() }, "tax_class"),
        (ItemPatch { station: text("Moon"), ..patch() }, "station"),
        (ItemPatch { slots: Some(vec!["midnight".to_owned()]), ..patch() }, "slots"),
        (ItemPatch { spicy: Some(4), ..patch() }, "spicy"),
        (ItemPatch { prep_minutes: Some(1_441), ..patch() }, "prep_minutes"),
        (ItemPatch { glyph: text("ab"), ..patch() }, "glyph"),
        (ItemPatch { uses: Some([("gold".to_owned(), 1)].into()), ..patch() }, "uses"),
        (ItemPatch { uses: Some([("paneer".to_owned(), 0)].into()), ..patch() }, "uses"),
        (ItemPatch { uses: Some([("paneer".to_owned(), i64::MAX)].into()), ..patch() }, "uses"),
    ] {
        let refused = refused(&house, edit("masala-dosa", None, change)).await;
        assert_eq!(refused.details["field"], field, "{refused:?}");
    }
    for (item, field) in [
        (ItemPatch { name: text("X"), category: text("Drinks"), ..patch() }, "price"),
        (ItemPatch { name: text("X"), ..price("1.00") }, "category"),
        (ItemPatch { category: text("Drinks"), ..price("1.00") }, "name"),
        (ItemPatch { name: text("X"), category: text("Drinks"), ..price("1.00") }, "diet"),
    ] {
        assert_eq!(refused(&house, AddItem { item }).await.details["field"], field);
    }
    let unknown = refused(&house, edit("no\u{1b}[31m", None, price("1.00"))).await;
    assert_eq!(unknown.code, ErrorCode::NotFound);
    assert!(!unknown.message.contains('\u{1b}'));
    assert_eq!(book(&house).await.version, version);
    let audits = "SELECT COUNT(*) FROM audit_log WHERE entity = 'MenuItem'";
    assert_eq!(house.number(audits, vec![]).await, 0);
});

on_both!(a_form_that_saw_an_older_item_is_told_what_has_changed, |house| {
    let boss = house.signed_in("boss", "admin").await;
    let cook = house.signed_in("cook", "kitchen").await;
    let seen = record(&house, "samosa").await.version;
    let off = SetAvailable { item: "samosa".to_owned(), option: None, available: false };
    done(&house, &cook, off).await;
    done(&house, &boss, SetPrice { item: "samosa".to_owned(), price: "65.00".to_owned() }).await;
    let late = refused(&house, edit("samosa", Some(seen), price("70.00"))).await;
    assert_eq!((late.code, late.guard), (ErrorCode::Conflict, Some("seen_version")));
    assert_eq!((&late.details["seen"], &late.details["now"]), (&json!(seen), &json!(seen + 2)));
    let changes: Vec<(&str, &Value)> = late.details["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| (change["by"].as_str().expect("by"), &change["after"]))
        .collect();
    assert_eq!(changes[0].0, "boss", "the newest first");
    assert_eq!((changes[0].1["price"].as_str(), changes[1].0), (Some("65.00"), "cook"));
    assert_eq!(changes[1].1["available"], false);
    assert!(late.message.contains("switched off"), "{}", late.message);
    let delete = DeleteItem { item: "samosa".to_owned(), seen_version: Some(seen), reason: "x".to_owned() };
    assert_eq!(refused(&house, delete).await.guard, Some("seen_version"));
    let now = record(&house, "samosa").await;
    assert_eq!((now.price, now.version), (Money(6500), seen + 2));
    let edited = done(&house, &boss, edit("samosa", Some(now.version), price("70.00"))).await;
    assert_eq!((edited.price, edited.available), (Money(7000), false), "what the form did not touch stays");

    // A choice that was switched off counts as well: it is part of the item.
    let dosa = record(&house, "masala-dosa").await.version;
    let choice =
        SetAvailable { item: "masala-dosa".to_owned(), option: Some("Ghee roast".to_owned()), available: false };
    done(&house, &cook, choice).await;
    assert_eq!(refused(&house, edit("masala-dosa", Some(dosa), price("1.00"))).await.guard, Some("seen_version"));
});

on_both!(of_many_edits_of_one_version_one_wins, |house| {
    let seen = record(&house, "samosa").await.version;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let door = house.door.clone();
            tokio::spawn(async move {
                let change = ItemPatch { description: Some(format!("take {number}")), ..ItemPatch::default() };
                door.execute(SYSTEM, None, edit("samosa", Some(seen), change)).await
            })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.expect("task") {
            Ok(item) => won.push(item),
            Err(refused) => assert_eq!(refused.guard, Some("seen_version"), "{refused:?}"),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(record(&house, "samosa").await, won[0]);
});

on_both!(options_are_changed_one_by_one_and_checked_with_their_item, |house| {
    let (item, group) = (|| "samosa".to_owned(), || "Size".to_owned());
    let choice = |name: &str, price: Option<&str>| NewChoice {
        name: name.to_owned(),
        price: price.map(str::to_owned),
        uses: [].into(),
    };
    let rows = "SELECT COUNT(*) FROM consumption WHERE subject_kind = 'choice'";
    let used = house.number(rows, vec![]).await;
    let seen = record(&house, "samosa").await.version;
    let add = |max| AddOptionGroup {
        item: item(),
        seen_version: Some(seen),
        name: group(),
        min: 1,
        max,
        choices: vec![choice("Two", None), choice("Four", Some("55.00"))],
    };
    assert_eq!(refused(&house, add(0)).await.details["field"], "option_group.max");
    let with = done(&house, SYSTEM, add(1)).await;
    let names = |item: &ItemRecord| -> Vec<String> {
        let groups = item.option_groups.iter();
        groups
            .flat_map(|group| group.choices.iter().map(move |choice| format!("{}/{}", group.name, choice.name)))
            .collect()
    };
    assert_eq!(names(&with), ["Size/Two", "Size/Four"]);
    assert_eq!(with.version, seen + 1);
    assert_eq!(refused(&house, add(1)).await.guard, Some("seen_version"));

    let six = NewChoice { uses: [("paneer".to_owned(), 1)].into(), ..choice("Six", Some("100")) };
    let add = AddOption { item: item(), seen_version: None, group: group(), option: six };
    let with = done(&house, SYSTEM, add).await;
    assert_eq!(with.option_groups[0].choices[2].uses[0].stock, "paneer");
    assert_eq!(house.number(rows, vec![]).await, used + 1);
    let change = EditOption {
        item: item(),
        seen_version: None,
        group: "size".to_owned(),
        option: "six".to_owned(),
        name: Some("Half a dozen".to_owned()),
        price: Some("-10.00".to_owned()),
        available: Some(false),
        place: Some(1),
        uses: None,
    };
    let with = done(&house, SYSTEM, change.clone()).await;
    assert_eq!(names(&with), ["Size/Half a dozen", "Size/Two", "Size/Four"]);
    let half = &with.option_groups[0].choices[0];
    assert_eq!((half.price_delta, half.available, half.uses.len()), (Money(-1_000), false, 1));
    // An option must not take the price below zero, nor carry the name of another.
    let free = EditOption { option: "Two".to_owned(), name: None, price: Some("-60.01".to_owned()), ..change.clone() };
    assert_eq!(refused(&house, free).await.details["field"], "option.price_delta");
    let twice = EditOption { option: "Two".to_owned(), name: Some("four".to_owned()), ..change };
    assert_eq!(refused(&house, twice).await.details["field"], "option.name");

    let wide = EditOptionGroup {
        item: item(),
        seen_version: None,
        group: group(),
        name: Some("Portion".to_owned()),
        min: Some(0),
        max: Some(2),
        place: None,
    };
    let with = done(&house, SYSTEM, wide).await;
    assert_eq!((with.option_groups[0].name.as_str(), with.option_groups[0].max), ("Portion", 2));
    let remove = |option: &str| DeleteOption {
        item: item(),
        seen_version: None,
        group: "Portion".to_owned(),
        option: option.to_owned(),
        reason: "nobody takes it".to_owned(),
    };
    let with = done(&house, SYSTEM, remove("Half a dozen")).await;
    assert_eq!(names(&with), ["Portion/Two", "Portion/Four"]);
    assert_eq!(house.number(rows, vec![]).await, used, "what is gone uses nothing");
    done(&house, SYSTEM, remove("Two")).await;
    assert_eq!(refused(&house, remove("Four")).await.details["field"], "option_group.choices", "a group has a choice");
    let group = |reason: &str| DeleteOptionGroup {
        item: item(),
        seen_version: None,
        group: "Portion".to_owned(),
        reason: reason.to_owned(),
    };
    assert_eq!(refused(&house, group("")).await.details["field"], "reason");
    let without = done(&house, SYSTEM, group("too fine")).await;
    assert!(without.option_groups.is_empty());
    assert_eq!(refused(&house, group("again")).await.code, ErrorCode::NotFound);
    let kept = "SELECT COUNT(*) FROM option_choices WHERE deleted_at IS NOT NULL AND name IN ('Two', 'Half a dozen')";
    assert_eq!(house.number(kept, vec![]).await, 2, "marked, not deleted");
    let why = "SELECT COUNT(*) FROM audit_log WHERE entity = 'MenuItem' AND reason IN ('nobody takes it', 'too fine')";
    assert_eq!(house.number(why, vec![]).await, 3);
});

on_both!(categories_are_added_renamed_moved_deleted_and_restored, |house| {
    let add = |name: &str| AddCategory { name: name.to_owned(), active: true };
    let sweets = done(&house, SYSTEM, add("  Sweets\u{7} ")).await;
    assert_eq!((sweets.name.as_str(), sweets.items), ("Sweets", 0));
    assert_eq!(refused(&house, add("sweets")).await.code, ErrorCode::Conflict);
    assert_eq!(refused(&house, add(" ")).await.code, ErrorCode::ValidationError);
    let rename = |seen_version, name: &str| EditCategory {
        category: "Sweets".to_owned(),
        seen_version,
        name: Some(name.to_owned()),
        active: None,
    };
    assert_eq!(refused(&house, rename(None, "Drinks")).await.code, ErrorCode::Conflict);
    let hidden = EditCategory { name: None, active: Some(false), ..rename(Some(sweets.version), "") };
    let hidden = done(&house, SYSTEM, hidden).await;
    assert!(hidden.version > sweets.version && !hidden.active);
    let late = refused(&house, rename(Some(sweets.version), "Candy")).await;
    assert_eq!((late.guard, late.details["changes"].as_array().map(Vec::len)), (Some("seen_version"), Some(1)));
    let moved = MoveCategory { category: "Sweets".to_owned(), place: 1 };
    assert_eq!(done(&house, SYSTEM, moved).await.position, 1);
    assert_eq!(book(&house).await.categories[0].name, "Sweets");

    let delete =
        |name: &str| DeleteCategory { category: name.to_owned(), seen_version: None, reason: "merged".to_owned() };
    let full = refused(&house, delete("Drinks")).await;
    assert_eq!(full.guard, Some("category_empty"));
    assert!(full.details["items"].as_array().is_some_and(|items| items.len() >= 4));
    let roll = ItemPatch { name: Some("Barfi".to_owned()), category: Some("Sweets".to_owned()), ..price("40.00") };
    let roll = ItemPatch { diet: Some(Diet::Veg), ..roll };
    done(&house, SYSTEM, AddItem { item: roll }).await;
    assert_eq!(refused(&house, delete("Sweets")).await.guard, Some("category_empty"));
    let gone = DeleteItem { item: "barfi".to_owned(), seen_version: None, reason: "x".to_owned() };
    done(&house, SYSTEM, gone).await;
    assert!(done(&house, SYSTEM, delete("Sweets")).await.deleted_at.is_some());
    // An item cannot come back into a category that is not there.
    let back = RestoreItem { item: "barfi".to_owned() };
    assert_eq!(refused(&house, back.clone()).await.guard, Some("category_there"));
    done(&house, SYSTEM, RestoreCategory { category: "sweets".to_owned() }).await;
    done(&house, SYSTEM, back).await;
    assert_eq!(category(&house, "Sweets").await.items, 1);
    assert_eq!(refused(&house, RestoreCategory { category: "Sweets".to_owned() }).await.code, ErrorCode::NotFound);
    let audits = "SELECT COUNT(*) FROM audit_log WHERE entity = 'Category' AND after_value IS NOT NULL";
    assert_eq!(house.number(audits, vec![]).await, 5, "added, hidden, moved, deleted, restored");
});

on_both!(stations_and_tax_classes_are_added, |house| {
    let station = done(&house, SYSTEM, AddStation { name: "Tandoor".to_owned(), default: true }).await;
    assert!(station.is_default && station.active);
    let defaults = "SELECT COUNT(*) FROM stations WHERE is_default";
    assert_eq!(house.number(defaults, vec![]).await, 1);
    let twin = AddStation { name: "tandoor".to_owned(), default: false };
    assert_eq!(refused(&house, twin).await.code, ErrorCode::Conflict);
    let class = AddTaxClass { name: "Sweets".to_owned(), rate: "12.5".to_owned(), default: false };
    assert_eq!(done(&house, SYSTEM, class.clone()).await.rate.0, 125_000);
    assert_eq!(refused(&house, class).await.code, ErrorCode::Conflict);
    for rate in ["-1", "101", "x"] {
        let class = AddTaxClass { name: "Other".to_owned(), rate: rate.to_owned(), default: false };
        assert_eq!(refused(&house, class).await.code, ErrorCode::ValidationError, "{rate}");
    }
    let change = ItemPatch { tax_class: Some("sweets".to_owned()), ..ItemPatch::default() };
    assert_eq!(
        done(&house, SYSTEM, edit("pistachio-kulfi", None, change.clone())).await.tax_class.as_deref(),
        Some("Sweets")
    );
});

/// What was ordered, and by whom.
struct Ordered {
    id: OrderId,
    number: String,
    customer: CustomerId,
    tax: Money,
}

/// Somebody orders one of an item, and pays later.
async fn order(house: &House, code: &str, method: Method) -> Ordered {
    let (customer, cart) = (CustomerId(house.id()), CartId(house.id()));
    let guest = Caller::Guest { customer, terminal: None };
    let item = house.door.ask(&guest, ItemDetail { item: code.to_owned() }).await.expect("the item").id;
    done(house, &guest, CartFulfilment { cart, fulfilment: Fulfilment::Pickup }).await;
    done(house, &guest, CartAdd { cart, item, options: vec![], quantity: 1, note: String::new() }).await;
    let place = PlaceOrder {
        cart,
        method,
        called_name: None,
        pay_now: false,
        delivery_address: None,
        retry_of: None,
        expected_total: None,
    };
    let placed = done(house, &guest, place).await.order;
    Ordered { id: placed.id, number: placed.order_number, customer, tax: placed.tax }
}

on_both!(stations_are_renamed_and_go_out_of_use_when_nothing_is_made_there, |house| {
    done(&house, SYSTEM, AddStation { name: "Tandoor".to_owned(), default: false }).await;
    let seen = done(&house, SYSTEM, AddStation { name: "Bar".to_owned(), default: false }).await;
    let rename = |seen: Option<StationRecord>, name: &str| EditStation {
        station: "bar".to_owned(),
        seen,
        name: Some(name.to_owned()),
        default: false,
    };
    assert_eq!(refused(&house, rename(None, "TANDOOR")).await.code, ErrorCode::Conflict);
    assert_eq!(refused(&house, rename(None, " ")).await.code, ErrorCode::ValidationError);
    assert_eq!(done(&house, SYSTEM, rename(Some(seen.clone()), "Drinks bar")).await.name, "Drinks bar");
    let late = EditStation { station: seen.id.to_string(), ..rename(Some(seen.clone()), "Other") };
    let late = refused(&house, late).await;
    assert_eq!((late.guard, &late.details["now"]["name"]), (Some("seen"), &json!("Drinks bar")), "somebody was faster");
    assert!(late.message.contains("Drinks bar"), "{}", late.message);

    let made_there = ItemPatch { station: Some("drinks bar".to_owned()), ..ItemPatch::default() };
    done(&house, SYSTEM, edit("pistachio-kulfi", None, made_there.clone())).await;
    let go = |station: &str| RetireStation { station: station.to_owned(), seen: None, reason: "sold".to_owned() };
    let used = refused(&house, go("Drinks bar")).await;
    assert_eq!((used.guard, used.details["items"][0].as_str()), (Some("not_in_use"), Some("Pistachio Kulfi")));
    let usual = book(&house).await.stations.into_iter().find(|one| one.is_default).expect("the usual one");
    assert_eq!(refused(&house, go(&usual.name)).await.guard, Some("not_default"));
    let nowhere = ItemPatch { station: Some(String::new()), ..ItemPatch::default() };
    done(&house, SYSTEM, edit("pistachio-kulfi", None, nowhere.clone())).await;
    // What is ordered already is made there still, paid or not.
    done(&house, SYSTEM, edit("cola", None, made_there.clone())).await;
    let mut placed = Vec::new();
    for method in [Method::Cash, Method::Card] {
        placed.push(order(&house, "cola", method).await);
    }
    done(&house, SYSTEM, edit("cola", None, nowhere.clone())).await;
    for order in placed {
        let waits = refused(&house, go("Drinks bar")).await;
        let numbers = waits.details["orders"].as_array().cloned().unwrap_or_default();
        assert!(waits.guard == Some("not_in_use") && numbers.contains(&json!(order.number)), "{waits:?}");
        let guest = Caller::Guest { customer: order.customer, terminal: None };
        done(&house, &guest, CancelOrder { order: order.id, reason: String::new() }).await;
    }
    // What is deleted does not keep it: it comes back to the usual station.
    done(&house, SYSTEM, edit("cola", None, made_there)).await;
    let gone = DeleteItem { item: "cola".to_owned(), seen_version: None, reason: "no more".to_owned() };
    done(&house, SYSTEM, gone).await;
    let silent = RetireStation { reason: " ".to_owned(), ..go("Drinks bar") };
    assert_eq!(refused(&house, silent).await.code, ErrorCode::ValidationError);
    assert!(!done(&house, SYSTEM, go("Drinks bar")).await.active);
    assert_eq!(refused(&house, go("Drinks bar")).await.code, ErrorCode::NotFound, "it is out of use already");
    let back = done(&house, SYSTEM, RestoreItem { item: "cola".to_owned() }).await;
    assert_eq!(back.station, None, "at the usual one");
    let back = done(&house, SYSTEM, AddStation { name: "drinks bar".to_owned(), default: false }).await;
    assert_eq!((back.id, back.active), (seen.id, true), "the same one is back");
    let audits = "SELECT COUNT(*) FROM audit_log WHERE entity = 'Station' AND action = 'RETIRE' AND reason = 'sold'";
    assert_eq!(house.number(audits, vec![]).await, 1);
});

on_both!(a_tax_rate_changes_for_what_is_ordered_from_now_on, |house| {
    let class =
        done(&house, SYSTEM, AddTaxClass { name: "Sweets".to_owned(), rate: "10".to_owned(), default: false }).await;
    let taxed = ItemPatch { tax_class: Some("sweets".to_owned()), ..ItemPatch::default() };
    done(&house, SYSTEM, edit("cola", None, taxed)).await;
    let before = order(&house, "cola", Method::Cash).await;
    let edit_class = EditTaxClass {
        tax_class: "Sweets".to_owned(),
        seen: Some(class.clone()),
        name: None,
        rate: Some("20".to_owned()),
        default: false,
    };
    assert_eq!(done(&house, SYSTEM, edit_class.clone()).await.rate.0, 200_000);
    assert_eq!(refused(&house, edit_class.clone()).await.guard, Some("seen"));
    let after = order(&house, "cola", Method::Cash).await;
    assert_eq!(after.tax.0, before.tax.0 * 2, "twice the rate for what comes after");
    let kept = house.number("SELECT CAST(SUM(tax_share) AS BIGINT) FROM order_lines", vec![]).await;
    assert_eq!(kept, before.tax.0 + after.tax.0, "what was placed keeps its tax");

    let go = |reason: &str| RetireTaxClass { tax_class: "sweets".to_owned(), seen: None, reason: reason.to_owned() };
    let used = refused(&house, go("old")).await;
    assert_eq!((used.guard, used.details["items"][0].as_str()), (Some("not_in_use"), Some("Cola (300 ml can)")));
    let usual = ItemPatch { tax_class: Some(String::new()), ..ItemPatch::default() };
    done(&house, SYSTEM, edit("cola", None, usual)).await;
    let default = book(&house).await.tax_classes.into_iter().find(|class| class.is_default).expect("a usual one");
    let go_default = RetireTaxClass { tax_class: default.name.clone(), ..go("old") };
    assert_eq!(refused(&house, go_default).await.guard, Some("not_default"));
    let rename = EditTaxClass { name: Some(default.name.to_uppercase()), rate: None, seen: None, ..edit_class };
    assert_eq!(refused(&house, rename).await.details["field"], json!("tax_class.name"));
    assert!(!done(&house, SYSTEM, go("old")).await.active);
    let row = "SELECT COUNT(*) FROM audit_log WHERE entity = 'TaxClass' AND action = 'UPDATE' \
         AND CAST(before_value AS TEXT) LIKE '%10%' AND CAST(after_value AS TEXT) LIKE '%20%'";
    assert_eq!(house.number(row, vec![]).await, 1, "before and after");
    let back = AddTaxClass { name: "Sweets".to_owned(), rate: "20".to_owned(), default: false };
    let back = done(&house, SYSTEM, back).await;
    assert_eq!((back.id, back.active), (class.id, true), "the same one is back");
});

on_both!(a_new_price_asks_the_cart_and_leaves_the_order, |house| {
    let guest = Caller::Guest { customer: CustomerId(house.id()), terminal: None };
    let item = house.door.ask(&guest, ItemDetail { item: "cola".to_owned() }).await.expect("cola");
    let (mut carts, mut total) = (Vec::new(), Money::ZERO);
    for _ in 0..2 {
        let cart = CartId(house.id());
        done(&house, &guest, CartFulfilment { cart, fulfilment: Fulfilment::Pickup }).await;
        let add = CartAdd { cart, item: item.id, options: vec![], quantity: 2, note: String::new() };
        total = done(&house, &guest, add).await.total;
        carts.push(cart);
    }
    let place_at = |cart, expected_total: Option<Money>| PlaceOrder {
        cart,
        method: Method::Cash,
        called_name: None,
        pay_now: false,
        delivery_address: None,
        retry_of: None,
        expected_total: expected_total.map(|total| total.0),
    };
    let place = |cart| place_at(cart, Some(total));
    let placed = done(&house, &guest, place(carts[0])).await.order;
    let dearer = item.price.checked_add(Money(500)).expect("a price");
    let change = ItemPatch { name: Some("Cola, cold".to_owned()), ..price(&dearer.plain(placed.currency)) };
    done(&house, SYSTEM, edit("cola", None, change)).await;

    let cart = house.door.ask(&guest, ShowCart { cart: carts[1] }).await.expect("cart");
    let told: Vec<&Change> = cart.changes.iter().map(|change| &change.change).collect();
    assert!(told.contains(&&Change::Repriced { was: item.price, now: dearer }), "{told:?}");
    assert!(told.iter().any(|change| matches!(change, Change::Renamed { now, .. } if now == "Cola, cold")));
    let asked = refused_as(&house, &guest, place(carts[1])).await;
    assert_eq!(asked.guard, Some("total_seen"), "nobody pays what they did not see: {asked:?}");
    let asked = refused_as(&house, &guest, place_at(carts[1], None)).await;
    assert_eq!(asked.guard, Some("price_seen"), "nor who does not say what they saw: {asked:?}");

    let delete = DeleteItem { item: "cola".to_owned(), seen_version: None, reason: "no more".to_owned() };
    done(&house, SYSTEM, delete).await;
    let cart = house.door.ask(&guest, ShowCart { cart: carts[1] }).await.expect("cart");
    assert!(cart.changes.iter().any(|change| change.change == Change::Gone));
    let lines =
        "SELECT COUNT(*) FROM order_lines WHERE item_code = 'cola' AND item_name NOT LIKE '%cold' AND unit_price = $1";
    assert_eq!(
        house.number(lines, vec![goods_support::Bind::Int(item.price.0)]).await,
        1,
        "I13: the order keeps its copy"
    );
    // What is off the menu is still owed to the guest, and goes back to the store room when the order ends.
    let boss = house.signed_in("boss", "admin").await;
    let cancel = StaffCancelOrder { order: placed.id, reason: "test".to_owned() };
    let ended = house.door.execute(&boss, None, cancel).await;
    assert!(ended.is_ok() || ended.is_err_and(|refused| refused.code == ErrorCode::IllegalTransition));
});

async fn refused_as<U: UseCase>(house: &House, caller: &Caller, use_case: U) -> Refused {
    match house.door.execute(caller, None, use_case).await {
        Ok(_) => panic!("{} was not refused", U::NAME),
        Err(refused) => refused,
    }
}

on_both!(a_dry_run_says_what_the_import_will_do_field_by_field, |house| {
    let mut file = house.door.ask(SYSTEM, MenuExport).await.expect("export");
    file.item.retain(|item| item.code != "curd-rice");
    for item in &mut file.item {
        if item.code == "samosa" {
            (item.price, item.station) = ("70.00".to_owned(), Some("Grill".to_owned()));
            item.uses = [("samosa".to_owned(), 3)].into();
        }
    }
    let version = book(&house).await.version;
    let told = house.door.ask(SYSTEM, MenuPreview { file: file.clone() }).await.expect("preview");
    assert!(told.dry_run);
    assert_eq!(book(&house).await.version, version, "nothing is changed");
    let audits = "SELECT COUNT(*) FROM audit_log WHERE use_case = 'menu_import'";
    assert_eq!(house.number(audits, vec![]).await, 0);
    let samosa = told.changed.iter().find(|entry| entry.key == "samosa").expect("changed");
    let change = |field: &str, before: &str, after: &str| FieldChange {
        field: field.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    };
    assert_eq!(samosa.changes[0], change("price", "60.00", "70.00"));
    assert_eq!(samosa.changes[1].field, "station");
    assert_eq!(samosa.changes.last(), Some(&change("uses", "samosa 2", "samosa 3")));
    assert_eq!(told.removed.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["curd-rice"]);
    let mut real = done(&house, SYSTEM, MenuImport { file, dry_run: false, reason: Some("a test".to_owned()) }).await;
    real.dry_run = true;
    assert_eq!(real, told);
});

on_both!(the_book_shows_what_customers_do_not_see, |house| {
    let off = ItemPatch { available: Some(false), ..ItemPatch::default() };
    done(&house, SYSTEM, edit("samosa", None, off)).await;
    let hidden = ItemPatch { active: Some(false), ..ItemPatch::default() };
    done(&house, SYSTEM, edit("pistachio-kulfi", None, hidden)).await;
    let book = house.door.ask(SYSTEM, MenuBook::default()).await.expect("book");
    let of = |code: &str| book.items.iter().find(|item| item.code == code).expect("there");
    assert!(!of("samosa").available && !of("pistachio-kulfi").active);
    let seen = house.door.ask(SYSTEM, MenuNow::default()).await.expect("menu");
    assert!(seen.items.iter().all(|item| item.code != "pistachio-kulfi"));
    assert_eq!(book.slots, ["all day"]);
    assert!(
        !book.stock.is_empty() && !book.stations.is_empty() && book.tax_classes.iter().any(|class| class.is_default)
    );
    let cook = house.signed_in("cook", "kitchen").await;
    let denied = house.door.ask(&cook, MenuBook::default()).await.expect_err("not a cook's");
    assert_eq!(denied.code, ErrorCode::InsufficientRole);
});
