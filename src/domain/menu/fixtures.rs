//! Small valid parts of a menu for the tests of the domain; nothing else lives here.

use super::*;
use uuid::Uuid;

/// A choice without a price of its own.
pub fn choice(number: u128) -> Choice {
    Choice {
        id: OptionId(Uuid::from_u128(number)),
        name: format!("Choice {number}"),
        price_delta: Money::ZERO,
        available: true,
        position: 0,
    }
}

/// A choice that changes the price.
pub fn priced(number: u128, delta: i64) -> Choice {
    Choice { price_delta: Money(delta), ..choice(number) }
}

/// A group of choices.
pub fn group(number: u128, min: u32, max: u32, choices: Vec<Choice>) -> OptionGroup {
    OptionGroup {
        id: OptionGroupId(Uuid::from_u128(number)),
        name: format!("Group {number}"),
        min,
        max,
        position: 0,
        choices,
    }
}

/// A listed category.
pub fn category(number: u128, name: &str) -> Category {
    Category {
        id: CategoryId(Uuid::from_u128(number)),
        name: name.to_owned(),
        position: i32::try_from(number).expect("small"),
        active: true,
        deleted_at: None,
    }
}

/// An item for 10.00 in category 1.
pub fn item(number: u128) -> Item {
    Item {
        id: ItemId(Uuid::from_u128(number)),
        category_id: CategoryId(Uuid::from_u128(1)),
        code: format!("item-{number}"),
        name: format!("Item {number}"),
        description: String::new(),
        price: Money(1000),
        tax_class: None,
        diet: Diet::Veg,
        allergens: vec![Allergen::Milk],
        spicy: 0,
        prep_minutes: 10,
        station: None,
        available: true,
        active: true,
        deleted_at: None,
        slots: vec![],
        position: i32::try_from(number).expect("small"),
        image_url: None,
        glyph: None,
        option_groups: vec![],
    }
}

/// A menu of these items under one category.
pub fn menu(items: Vec<Item>) -> Menu {
    Menu {
        site: SiteId::default(),
        version: 1,
        currency: Currency::EUR,
        categories: vec![category(1, "Mains")],
        items,
        consumption: vec![],
        tax_classes: vec![],
    }
}
