//! Tests of the menu: validation, choosing, search.

use super::fixtures::{category, choice, group, item, menu, priced};
use super::*;
use crate::domain::ids::StockItemId;
use proptest::prelude::*;
use uuid::Uuid;

fn field(refused: &Refused) -> &str {
    refused.details["field"].as_str().expect("a field")
}

fn refuses(change: impl FnOnce(&mut Item)) -> String {
    let mut changed = item(1);
    change(&mut changed);
    field(&changed.validate().expect_err("refused")).to_owned()
}

#[test]
fn a_good_item_passes() {
    let mut dosa = item(1);
    dosa.glyph = Some("🍛".to_owned());
    dosa.description = "Crisp.\nWith chutney.".to_owned();
    dosa.option_groups = vec![group(1, 0, 2, vec![priced(11, 150), priced(12, -50)])];
    dosa.validate().expect("valid");
}

#[test]
fn every_bad_field_is_named() {
    assert_eq!(refuses(|item| item.code = "Masala Dosa".to_owned()), "code");
    assert_eq!(refuses(|item| item.code = "-dosa".to_owned()), "code");
    assert_eq!(refuses(|item| item.name = " ".to_owned()), "name");
    assert_eq!(refuses(|item| item.name = "x".repeat(201)), "name");
    assert_eq!(refuses(|item| item.name = "e\u{301}".repeat(101)), "name");
    assert_eq!(refuses(|item| item.name = "a\u{202e}b".to_owned()), "name");
    assert_eq!(refuses(|item| item.name = "a\nb".to_owned()), "name");
    assert_eq!(refuses(|item| item.description = "x".repeat(1001)), "description");
    assert_eq!(refuses(|item| item.price = Money::ZERO), "price");
    assert_eq!(refuses(|item| item.price = Money(i64::MAX)), "price");
    assert_eq!(refuses(|item| item.spicy = 4), "spicy");
    assert_eq!(refuses(|item| item.prep_minutes = 1441), "prep_minutes");
    assert_eq!(refuses(|item| item.allergens = vec![Allergen::Fish, Allergen::Fish]), "allergens");
    assert_eq!(refuses(|item| item.slots = vec!["lunch".to_owned(), "lunch".to_owned()]), "slots");
    assert_eq!(refuses(|item| item.glyph = Some("ab".to_owned())), "glyph");
    assert_eq!(refuses(|item| item.option_groups = vec![group(1, 2, 1, vec![choice(1)])]), "option_group.max");
    assert_eq!(refuses(|item| item.option_groups = vec![group(1, 2, 2, vec![choice(1)])]), "option_group.choices");
    assert_eq!(refuses(|item| item.option_groups = vec![group(1, 0, 1, vec![choice(1), choice(1)])]), "option.id");
    let unpayable = |item: &mut Item| item.option_groups = vec![group(1, 0, 2, vec![priced(1, -600), priced(2, -600)])];
    assert_eq!(refuses(unpayable), "option.price_delta");
    let long = Category { name: "x".repeat(101), ..category(1, "") };
    assert_eq!(field(&long.validate().expect_err("refused")), "category.name");
}

/// What is just within every limit passes, and the next step is refused.
#[test]
fn limits_are_reached_and_not_passed() {
    let passes = |change: &dyn Fn(&mut Item)| {
        let mut changed = item(1);
        change(&mut changed);
        changed.validate().expect("within the limit");
    };
    passes(&|item| item.code = "x".repeat(MAX_CODE));
    assert_eq!(refuses(|item| item.code = "x".repeat(MAX_CODE + 1)), "code");
    for bad in ["", "dosa-", "dosa_1"] {
        assert_eq!(refuses(|item| item.code = bad.to_owned()), "code");
    }
    passes(&|item| item.name = "x".repeat(MAX_NAME));
    passes(&|item| item.description = "x".repeat(MAX_DESCRIPTION));
    passes(&|item| item.price = Money(1));
    passes(&|item| item.price = MAX_PRICE);
    assert_eq!(refuses(|item| item.price = Money(MAX_PRICE.0 + 1)), "price");
    passes(&|item| item.spicy = 3);
    passes(&|item| item.prep_minutes = MAX_PREP_MINUTES);
    passes(&|item| item.slots = vec!["x".repeat(MAX_CODE)]);
    assert_eq!(refuses(|item| item.slots = vec![String::new()]), "slots");
    passes(&|item| item.image_url = Some("x".repeat(500)));
    assert_eq!(refuses(|item| item.image_url = Some("x".repeat(501))), "image_url");
    passes(&|item| item.glyph = Some("日".to_owned()));
    assert_eq!(refuses(|item| item.glyph = Some(String::new())), "glyph");
    assert_eq!(refuses(|item| item.glyph = Some("\u{1100}\u{1100}".to_owned())), "glyph");

    let one = |group: OptionGroup| move |item: &mut Item| item.option_groups = vec![group.clone()];
    passes(&one(group(1, 2, 2, vec![choice(1), choice(2)])));
    passes(&one(group(1, 0, 1, vec![priced(1, MAX_PRICE.0)])));
    passes(&|item| {
        item.price = MAX_PRICE;
        item.option_groups = vec![group(1, 0, 1, vec![priced(1, -MAX_PRICE.0)])];
    });
    for delta in [MAX_PRICE.0 + 1, -MAX_PRICE.0 - 1, i64::MIN] {
        assert_eq!(refuses(one(group(1, 0, 1, vec![priced(1, delta)]))), "option.price_delta");
    }
    assert_eq!(refuses(one(group(1, 0, 0, vec![choice(1)]))), "option_group.max");
    assert_eq!(refuses(one(group(1, 0, 1, vec![]))), "option_group.choices");
    let nameless = |name: &str| vec![Choice { name: name.to_owned(), ..choice(1) }];
    assert_eq!(refuses(one(group(1, 0, 1, nameless("")))), "option.name");
    passes(&one(group(1, 0, 1, nameless(&"x".repeat(MAX_OPTION_NAME)))));
    assert_eq!(refuses(one(group(1, 0, 1, nameless(&"x".repeat(MAX_OPTION_NAME + 1))))), "option.name");
    let alike = vec![Choice { name: "CHOICE 2".to_owned(), ..choice(1) }, choice(2)];
    assert_eq!(refuses(one(group(1, 0, 1, alike))), "option.name");
    let named = |name: &str| OptionGroup { name: name.to_owned(), ..group(1, 0, 1, vec![choice(1)]) };
    assert_eq!(refuses(one(named(" "))), "option_group.name");
    let two = |left: OptionGroup, right: OptionGroup| {
        move |item: &mut Item| item.option_groups = vec![left.clone(), right.clone()]
    };
    passes(&two(group(1, 0, 1, vec![choice(1)]), group(2, 0, 1, vec![choice(2)])));
    assert_eq!(refuses(two(named("One"), OptionGroup { choices: vec![choice(2)], ..named("Two") })), "option_group.id");
    let other = |name: &str| OptionGroup { name: name.to_owned(), ..group(2, 0, 1, vec![choice(2)]) };
    assert_eq!(refuses(two(named("One"), other("ONE"))), "option_group.name");
    assert_eq!(refuses(two(named("One"), group(2, 0, 1, vec![choice(1)]))), "option.id");
}

#[test]
fn only_what_is_switched_on_and_kept_is_listed() {
    for (active, deleted_at, listed) in [
        (true, None, true),
        (false, None, false),
        (true, Some(Timestamp(1)), false),
        (false, Some(Timestamp(1)), false),
    ] {
        assert_eq!(Item { active, deleted_at, ..item(1) }.is_listed(), listed);
        assert_eq!(Category { active, deleted_at, ..category(1, "Mains") }.is_listed(), listed);
    }
    // A deleted category frees its name as a deleted item its code.
    let mut two = menu(vec![item(1)]);
    two.categories.push(Category { deleted_at: Some(Timestamp(1)), ..category(2, "Mains") });
    two.validate().expect("the name is free");
    two.categories.push(category(2, "Sides"));
    assert_eq!(field(&two.validate().expect_err("the same id twice")), "category.id");
}

#[test]
fn search_goes_by_category_then_by_place() {
    let mut items: Vec<Item> = (1..=4).map(item).collect();
    items[0].category_id = category(2, "").id;
    (items[1].position, items[2].position, items[3].position) = (9, 1, 1);
    (items[2].name, items[3].name) = ("Zander".to_owned(), "Aal".to_owned());
    let mut menu = menu(items);
    menu.categories.push(category(2, "Sides"));
    let names: Vec<&str> = menu.search("", DietFilter::Any).into_iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["Aal", "Zander", "Item 2", "Item 1"]);
    assert_eq!(menu.item(item(3).id).map(|item| item.name.as_str()), Some("Zander"));
    assert_eq!(menu.category(category(2, "").id).map(|category| category.name.as_str()), Some("Sides"));
    let view = StockView { consumption: &[], available: &|_| None };
    assert_eq!(menu.availability(item(9).id, None, &view), Availability::Inactive);
}

#[test]
fn a_forced_option_counts_towards_the_least_price() {
    let mut dosa = item(1);
    dosa.option_groups = vec![group(1, 1, 1, vec![priced(1, -1000), priced(2, -1001)])];
    assert!(dosa.validate().is_err());
    dosa.option_groups = vec![group(1, 1, 1, vec![priced(1, -1000), priced(2, 5)])];
    dosa.validate().expect("may be free");
    // As many as must be taken and no more; as many as may be taken and no more.
    dosa.option_groups = vec![group(1, 1, 1, vec![priced(1, -1001), priced(2, 5)])];
    assert!(dosa.validate().is_err());
    dosa.option_groups = vec![group(1, 0, 1, vec![priced(1, -600), priced(2, -600)])];
    dosa.validate().expect("only one of them can be taken");
}

#[test]
fn a_menu_must_fit_together() {
    let good = menu(vec![item(1), item(2)]);
    good.validate().expect("valid");
    let refuses = |change: &dyn Fn(&mut Menu)| {
        let mut changed = good.clone();
        change(&mut changed);
        field(&changed.validate().expect_err("refused")).to_owned()
    };
    assert_eq!(refuses(&|menu| menu.items.iter_mut().for_each(|item| item.code = "same".to_owned())), "code");
    let mut replaced = good.clone();
    replaced.items.iter_mut().for_each(|item| item.code = "same".to_owned());
    replaced.items[0].deleted_at = Some(Timestamp(1));
    replaced.validate().expect("a deleted item frees its code (C22)");
    assert_eq!(refuses(&|menu| menu.categories.clear()), "category_id");
    assert_eq!(refuses(&|menu| menu.categories.push(category(2, "MAINS"))), "category.name");
    let class = TaxClassId(Uuid::from_u128(5));
    assert_eq!(refuses(&|menu| menu.items.iter_mut().for_each(|item| item.tax_class = Some(class))), "tax_class");
    let mut taxed = good.clone();
    let named = |id, name: &str| TaxClass { id, name: name.to_owned(), rate: crate::domain::money::Rate(70_000) };
    taxed.tax_classes = vec![named(class, "Food"), named(TaxClassId(Uuid::from_u128(6)), "Drinks")];
    taxed.items[0].tax_class = Some(class);
    taxed.validate().expect("a class that is there");
    taxed.items[0].tax_class = Some(TaxClassId(Uuid::from_u128(7)));
    assert_eq!(field(&taxed.validate().expect_err("a class that is not there")), "tax_class");
    let row = |units, subject| Consumption { subject, stock_item_id: StockItemId(Uuid::from_u128(1)), units };
    assert_eq!(refuses(&|menu| menu.consumption.push(row(0, Subject::Item(item(1).id)))), "units");
    assert_eq!(refuses(&|menu| menu.consumption.push(row(1, Subject::Item(item(9).id)))), "consumption");
}

#[test]
fn choices_are_copied_in_the_order_of_the_menu() {
    let mut pizza = item(1);
    let (mut size, mut extras) = (group(1, 1, 1, vec![priced(11, 0), priced(12, 200)]), group(2, 0, 2, vec![]));
    (size.position, extras.position) = (2, 1);
    extras.choices = vec![priced(21, 50), priced(22, -30), priced(23, 70)];
    pizza.option_groups = vec![size, extras];
    let id = |number| choice(number).id;

    let chosen = pizza.choose(&[id(12), id(22)]).expect("allowed");
    assert_eq!(chosen.iter().map(|option| option.choice_id).collect::<Vec<_>>(), [id(22), id(12)]);
    assert_eq!(pizza.unit_price(&chosen).expect("price"), Money(1170));

    let message = |options: &[OptionId]| pizza.choose(options).expect_err("refused").message;
    assert_eq!(message(&[]), "Choose 1 of 'Group 1'.");
    assert_eq!(message(&[id(11), id(12)]), "Choose at most 1 of 'Group 1'.");
    assert_eq!(message(&[id(11), id(21), id(22), id(23)]), "Choose at most 2 of 'Group 2'.");
    assert_eq!(message(&[id(11), id(11)]), "The same one stands here twice.");
    assert_eq!(message(&[id(11), id(99)]), "This option does not belong to 'Item 1'.");

    for choice in pizza.option_groups.iter_mut().flat_map(|group| &mut group.choices) {
        choice.available = false;
    }
    assert_eq!(pizza.choose(&[id(11)]).expect_err("off").code, ErrorCode::ItemUnavailable);
}

#[test]
fn search_needs_every_word_and_hides_what_is_off() {
    let mut items: Vec<Item> = (1..=5).map(item).collect();
    for (item, (name, diet)) in items.iter_mut().zip([
        ("Masala Dosa", Diet::Vegan),
        ("Egg Dosa", Diet::Egg),
        ("Käse Dosa", Diet::Veg),
        ("Lamb Dosa", Diet::NonVeg),
        ("Old Dosa", Diet::Veg),
    ]) {
        (item.name, item.diet) = (name.to_owned(), diet);
    }
    items[0].description = "Potato filling".to_owned();
    items[4].deleted_at = Some(Timestamp(1));
    let mut menu = menu(items);
    let names = |menu: &Menu, text: &str, filter| {
        menu.search(text, filter).into_iter().map(|item| item.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&menu, "", DietFilter::Any), ["Masala Dosa", "Egg Dosa", "Käse Dosa", "Lamb Dosa"]);
    assert_eq!(names(&menu, "dosa POTATO mains", DietFilter::Any), ["Masala Dosa"]);
    assert_eq!(names(&menu, "KÄSE", DietFilter::Any), ["Käse Dosa"]);
    assert_eq!(names(&menu, "dosa pizza", DietFilter::Any), [""; 0]);
    assert_eq!(names(&menu, "", DietFilter::Veg), ["Masala Dosa", "Käse Dosa"]);
    assert_eq!(names(&menu, "", DietFilter::Vegan), ["Masala Dosa"]);
    assert_eq!(names(&menu, "", DietFilter::Egg), ["Masala Dosa", "Egg Dosa", "Käse Dosa"]);
    assert_eq!(names(&menu, "", DietFilter::NonVeg), ["Lamb Dosa"]);

    // invariants.md, Order: category hidden between cart and Place.
    let view = StockView { consumption: &[], available: &|_| None };
    assert!(menu.availability(item(1).id, None, &view).is_available());
    menu.categories.iter_mut().for_each(|category| category.active = false);
    assert_eq!(menu.availability(item(1).id, None, &view), Availability::Inactive);
    assert!(menu.search("", DietFilter::Any).is_empty());
}

#[test]
fn words_and_letters_read_back() {
    for allergen in Allergen::ALL {
        assert_eq!(Allergen::parse(allergen.as_str()).expect("word"), allergen);
        assert_eq!(Allergen::parse(&allergen.letter().to_string()).expect("letter"), allergen);
        assert_eq!(serde_json::to_value(allergen).expect("json"), allergen.as_str());
    }
    for diet in Diet::ALL {
        assert_eq!(Diet::parse(diet.as_str()).expect("word"), diet);
        assert_eq!(serde_json::to_value(diet).expect("json"), diet.as_str());
    }
    for filter in DietFilter::ALL {
        assert_eq!(DietFilter::parse(filter.as_str()).expect("word"), filter);
        assert_eq!(serde_json::to_value(filter).expect("json"), filter.as_str());
    }
    assert!(Allergen::parse("").is_err() && Diet::parse("meat").is_err() && DietFilter::parse("x").is_err());
}

proptest! {
    #[test]
    fn a_valid_item_never_costs_less_than_nothing(
        deltas in prop::collection::vec(-1500_i64..500, 1..6), min in 0_u32..3, max in 1_u32..4, taken in any::<u8>()
    ) {
        let choices: Vec<Choice> = (1_u128..).zip(&deltas).map(|(number, delta)| priced(number, *delta)).collect();
        let ids: Vec<OptionId> =
            choices.iter().enumerate().filter(|(bit, _)| taken & (1 << bit) != 0).map(|(_, choice)| choice.id).collect();
        let mut dish = item(1);
        dish.option_groups = vec![group(1, min, max, choices)];
        if dish.validate().is_ok() && let Ok(chosen) = dish.choose(&ids) {
            prop_assert!(dish.unit_price(&chosen).expect("never below zero") >= Money::ZERO);
        }
    }
}
