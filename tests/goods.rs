//! The menu, the store room, the settings and the set-up of a site, through the door, on SQLite and on
//! Postgres. Orders and payments have suites of their own.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know as tests"
)]

mod goods_support;
mod support;

use goods_support::*;
use servery::domain::menu::DietFilter;
use servery::service::menu::MenuNow;
use servery::service::{Caller, setup};

on_both!(the_demo_opens_with_a_menu, |house| {
    let menu = house.door.ask(&Caller::System, MenuNow::default()).await.expect("menu");
    assert!(menu.demo && menu.open);
    assert_eq!(menu.slot.as_deref(), Some("all day"));
    assert_eq!(menu.categories.len(), 6);
    assert!(menu.items.len() >= 28, "{}", menu.items.len());
    assert!(menu.items.iter().any(|item| !item.availability.is_available()), "one is sold out");
    let vegan = MenuNow { diet: Some(DietFilter::Vegan), ..MenuNow::default() };
    let vegan = house.door.ask(&Caller::System, vegan).await.expect("menu");
    assert!(!vegan.items.is_empty() && vegan.items.len() < menu.items.len());
});

on_both!(setting_up_twice_finds_the_first, |house| {
    let again = setup::init(house.door.store(), &*house.clock, &*house.ids, &setup::InitSite::demo("main")).await;
    assert!(!again.expect("init"));
});
