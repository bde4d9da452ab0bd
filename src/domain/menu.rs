//! The menu of a site: categories, items, option groups and their choices; their validation, the
//! choosing of options, and the search.
//!
//! Whether something can be ordered now is in `consumption`, the time slots are in `slot`. Names and
//! descriptions must be clean text before they get here; this file refuses, it never repairs.

use crate::domain::consumption::{self, Availability, Consumption, StockView, Subject};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{CategoryId, ItemId, OptionGroupId, OptionId, SiteId, StationId, TaxClassId};
use crate::domain::money::{Currency, Money, out_of_range};
use crate::domain::tax::TaxClass;
use crate::domain::text;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The longest name of an item. Lengths are in code points, as the store counts them.
pub const MAX_NAME: usize = 200;
/// The longest name of an option group or choice.
pub const MAX_OPTION_NAME: usize = 100;
/// The longest description of an item.
pub const MAX_DESCRIPTION: usize = 1000;
/// The longest name of a category.
pub const MAX_CATEGORY_NAME: usize = 100;
/// The longest code of an item.
pub const MAX_CODE: usize = 40;
/// The longest preparation time, in minutes: a day.
pub const MAX_PREP_MINUTES: u16 = 1440;
/// The dearest price, option delta included, in minor units: far above any menu and far below overflow.
pub const MAX_PRICE: Money = Money(1_000_000_000_000);

/// A category of the menu ("Starters").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Identity.
    pub id: CategoryId,
    /// Name, unique in the site.
    pub name: String,
    /// Place among the categories.
    pub position: i32,
    /// Whether it is shown.
    pub active: bool,
    /// When it was taken off the menu for good; history keeps it.
    pub deleted_at: Option<Timestamp>,
}

/// What kind of food it is, for the mark beside the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diet {
    /// No meat, fish or egg.
    Veg,
    /// Nothing of an animal.
    Vegan,
    /// Vegetarian but for egg.
    Egg,
    /// With meat or fish.
    NonVeg,
}

impl Diet {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Veg, Self::Vegan, Self::Egg, Self::NonVeg];

    /// The word in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Veg => "veg",
            Self::Vegan => "vegan",
            Self::Egg => "egg",
            Self::NonVeg => "non_veg",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `diet` for any other word.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Self::ALL
            .into_iter()
            .find(|diet| diet.as_str() == text)
            .ok_or_else(|| Refused::invalid("diet", "Say veg, vegan, egg or non_veg."))
    }
}

/// Which diets a guest wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DietFilter {
    /// Everything.
    #[default]
    Any,
    /// Vegetarian and vegan.
    Veg,
    /// Vegan only.
    Vegan,
    /// Vegetarian, vegan and egg.
    Egg,
    /// With meat or fish only.
    NonVeg,
}

impl DietFilter {
    /// Every filter, in the order in which a screen goes through them.
    pub const ALL: [Self; 5] = [Self::Any, Self::Veg, Self::Vegan, Self::Egg, Self::NonVeg];

    /// The word in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Veg => "veg",
            Self::Vegan => "vegan",
            Self::Egg => "egg",
            Self::NonVeg => "non_veg",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `diet` for any other word.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Self::ALL
            .into_iter()
            .find(|filter| filter.as_str() == text)
            .ok_or_else(|| Refused::invalid("diet", "Say any, veg, vegan, egg or non_veg."))
    }

    /// Whether food of this diet passes.
    #[must_use]
    pub const fn accepts(self, diet: Diet) -> bool {
        match self {
            Self::Any => true,
            Self::Veg => matches!(diet, Diet::Veg | Diet::Vegan),
            Self::Vegan => matches!(diet, Diet::Vegan),
            Self::Egg => matches!(diet, Diet::Veg | Diet::Vegan | Diet::Egg),
            Self::NonVeg => matches!(diet, Diet::NonVeg),
        }
    }
}

macro_rules! allergens {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $letter:literal;)*) => {
        /// The fourteen allergens that EU law (Regulation 1169/2011, Annex II) has named on menus.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Allergen {
            $($(#[$doc])* $name,)*
        }

        impl Allergen {
            /// All fourteen, in the order of their letters.
            pub const ALL: [Self; 14] = [$(Self::$name),*];

            /// The word in JSON and in the store.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// The letter on printed menus (the code in use in Austria).
            #[must_use]
            pub const fn letter(self) -> char {
                match self { $(Self::$name => $letter),* }
            }
        }
    };
}

allergens! {
    /// Cereals containing gluten.
    Gluten, "gluten", 'A';
    /// Crustaceans.
    Crustaceans, "crustaceans", 'B';
    /// Eggs.
    Eggs, "eggs", 'C';
    /// Fish.
    Fish, "fish", 'D';
    /// Peanuts.
    Peanuts, "peanuts", 'E';
    /// Soybeans.
    Soybeans, "soybeans", 'F';
    /// Milk, lactose included.
    Milk, "milk", 'G';
    /// Tree nuts.
    Nuts, "nuts", 'H';
    /// Celery.
    Celery, "celery", 'L';
    /// Mustard.
    Mustard, "mustard", 'M';
    /// Sesame seeds.
    Sesame, "sesame", 'N';
    /// Sulphur dioxide and sulphites.
    Sulphites, "sulphites", 'O';
    /// Lupin.
    Lupin, "lupin", 'P';
    /// Molluscs.
    Molluscs, "molluscs", 'R';
}

impl Allergen {
    /// Reads the word or the letter.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `allergens` for anything else.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Self::ALL
            .into_iter()
            .find(|allergen| allergen.as_str() == text || text.chars().eq([allergen.letter()]))
            .ok_or_else(|| {
                let words = Self::ALL.map(Self::as_str).join(", ");
                Refused::invalid("allergens", format!("Known allergens: {words}."))
            })
    }
}

/// One choice of an option group ("Large").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Identity.
    pub id: OptionId,
    /// Name, unique in the group.
    pub name: String,
    /// What it adds to the unit price; may be negative.
    pub price_delta: Money,
    /// Whether it can be chosen now.
    pub available: bool,
    /// Place in the group.
    pub position: i32,
}

/// A group of choices ("Size"): at least `min` and at most `max` are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionGroup {
    /// Identity.
    pub id: OptionGroupId,
    /// Name, unique in the item.
    pub name: String,
    /// The fewest choices.
    pub min: u32,
    /// The most choices.
    pub max: u32,
    /// Place in the item.
    pub position: i32,
    /// The choices.
    pub choices: Vec<Choice>,
}

/// Something that can be ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Identity.
    pub id: ItemId,
    /// The category under which it stands.
    pub category_id: CategoryId,
    /// A short ASCII name for people and files (`masala-dosa`), unique among the site's items that are not
    /// deleted.
    pub code: String,
    /// Name.
    pub name: String,
    /// Description; may be empty.
    pub description: String,
    /// Price of one, without options; above zero.
    pub price: Money,
    /// The tax class; `None` is untaxed.
    pub tax_class: Option<TaxClassId>,
    /// Kind of food.
    pub diet: Diet,
    /// What it contains.
    pub allergens: Vec<Allergen>,
    /// How hot it is, 0 to 3.
    pub spicy: u8,
    /// How long the kitchen needs, in minutes.
    pub prep_minutes: u16,
    /// The kitchen station that makes it; `None` is the first.
    pub station: Option<StationId>,
    /// Whether it can be ordered today (the kitchen's "86" clears it).
    pub available: bool,
    /// Whether it is on the menu.
    pub active: bool,
    /// When it was taken off the menu for good (C22); old orders keep their copy.
    pub deleted_at: Option<Timestamp>,
    /// The time slots in which it is served; empty means all.
    pub slots: Vec<String>,
    /// Place in the category.
    pub position: i32,
    /// Where a picture is, for other front ends.
    pub image_url: Option<String>,
    /// One character that stands for the dish.
    pub glyph: Option<String>,
    /// What can be chosen with it.
    pub option_groups: Vec<OptionGroup>,
}

/// A choice as it was taken: the copy that a line keeps (I13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenOption {
    /// Name of the group.
    pub group: String,
    /// Identity of the choice.
    pub choice_id: OptionId,
    /// Name of the choice.
    pub name: String,
    /// What it adds to the unit price.
    pub price_delta: Money,
}

/// Refuses text that is empty, too long, or not clean.
fn check_text(field: &str, value: &str, max: usize, may_be_empty: bool) -> Result<(), Refused> {
    if !may_be_empty && value.trim().is_empty() {
        return Err(Refused::invalid(field, "This cannot be empty."));
    }
    let length = value.chars().count();
    if length > max {
        return Err(Refused::invalid(field, format!("At most {max} characters; this has {length}.")));
    }
    if !text::is_clean(value) {
        return Err(Refused::invalid(field, "Remove control characters, invisible characters and extra spaces."));
    }
    Ok(())
}

/// Refuses a name with a line break in it, besides what [`check_text`] refuses.
fn check_name(field: &str, value: &str, max: usize) -> Result<(), Refused> {
    check_text(field, value, max, false)?;
    if value.contains('\n') { Err(Refused::invalid(field, "Write it on one line.")) } else { Ok(()) }
}

/// Refuses a value that occurs twice.
fn check_unique<T: Ord>(field: &str, values: impl IntoIterator<Item = T>) -> Result<(), Refused> {
    let mut seen = BTreeSet::new();
    if values.into_iter().all(|value| seen.insert(value)) {
        Ok(())
    } else {
        Err(Refused::invalid(field, "The same one stands here twice."))
    }
}

impl Category {
    /// Whether guests see it.
    #[must_use]
    pub const fn is_listed(&self) -> bool {
        self.active && self.deleted_at.is_none()
    }

    /// Checks the category by itself.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the field.
    pub fn validate(&self) -> Result<(), Refused> {
        check_name("category.name", &self.name, MAX_CATEGORY_NAME)
    }
}

impl Choice {
    /// Checks the choice by itself.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the field.
    pub fn validate(&self) -> Result<(), Refused> {
        check_name("option.name", &self.name, MAX_OPTION_NAME)?;
        if self.price_delta.0.checked_abs().is_none_or(|delta| delta > MAX_PRICE.0) {
            return Err(Refused::invalid("option.price_delta", "The price is too large."));
        }
        Ok(())
    }
}

impl OptionGroup {
    /// Checks the group and its choices.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the field.
    pub fn validate(&self) -> Result<(), Refused> {
        check_name("option_group.name", &self.name, MAX_OPTION_NAME)?;
        if self.max < 1 || self.min > self.max {
            return Err(Refused::invalid("option_group.max", "The most is at least 1 and not below the fewest."));
        }
        if usize::try_from(self.min).map_or(true, |min| min > self.choices.len()) || self.choices.is_empty() {
            return Err(Refused::invalid("option_group.choices", "There are fewer choices than must be taken."));
        }
        self.choices.iter().try_for_each(Choice::validate)?;
        check_unique("option.id", self.choices.iter().map(|choice| choice.id))?;
        check_unique("option.name", self.choices.iter().map(|choice| choice.name.to_lowercase()))
    }

    /// The least that the group can add to the price.
    fn least_delta(&self) -> Option<Money> {
        let mut deltas: Vec<Money> = self.choices.iter().map(|choice| choice.price_delta).collect();
        deltas.sort_unstable();
        let taken = |index: usize, delta: Money| {
            u32::try_from(index).is_ok_and(|index| index < self.min || (index < self.max && delta.is_negative()))
        };
        let least = deltas.into_iter().enumerate().filter(|(index, delta)| taken(*index, *delta));
        Money::checked_sum(least.map(|(_, delta)| delta))
    }
}

impl Item {
    /// Whether the item itself is on the menu (its category may still hide it).
    #[must_use]
    pub const fn is_listed(&self) -> bool {
        self.active && self.deleted_at.is_none()
    }

    /// Checks the item and its options by themselves.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the field.
    pub fn validate(&self) -> Result<(), Refused> {
        check_code(&self.code)?;
        check_name("name", &self.name, MAX_NAME)?;
        check_text("description", &self.description, MAX_DESCRIPTION, true)?;
        if self.price <= Money::ZERO || self.price > MAX_PRICE {
            return Err(Refused::invalid("price", "The price is above zero and within reason."));
        }
        if self.spicy > 3 {
            return Err(Refused::invalid("spicy", "From 0 to 3."));
        }
        if self.prep_minutes > MAX_PREP_MINUTES {
            return Err(Refused::invalid("prep_minutes", "At most a day."));
        }
        check_unique("allergens", self.allergens.iter())?;
        for slot in &self.slots {
            check_name("slots", slot, MAX_CODE)?;
        }
        check_unique("slots", self.slots.iter())?;
        if let Some(url) = &self.image_url {
            check_name("image_url", url, 500)?;
        }
        if let Some(glyph) = &self.glyph {
            check_name("glyph", glyph, 8)?;
            if text::graphemes(glyph) != 1 || text::display_width(glyph) > 2 {
                return Err(Refused::invalid("glyph", "One character of at most two columns."));
            }
        }
        self.option_groups.iter().try_for_each(OptionGroup::validate)?;
        check_unique("option_group.id", self.option_groups.iter().map(|group| group.id))?;
        check_unique("option_group.name", self.option_groups.iter().map(|group| group.name.to_lowercase()))?;
        check_unique("option.id", self.option_groups.iter().flat_map(|group| &group.choices).map(|choice| choice.id))?;
        let cheapest = self
            .option_groups
            .iter()
            .try_fold(self.price, |price, group| price.checked_add(group.least_delta()?))
            .ok_or_else(out_of_range)?;
        if cheapest.is_negative() {
            return Err(Refused::invalid("option.price_delta", "With these options the price could fall below zero."));
        }
        Ok(())
    }

    /// Takes choices, in the order of the menu whatever the order of `options`, as copies for a line.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `options` for a choice that is not this item's, one taken twice, too few
    /// or too many of a group; `ITEM_UNAVAILABLE` for a choice that is switched off.
    pub fn choose(&self, options: &[OptionId]) -> Result<Vec<ChosenOption>, Refused> {
        check_unique("options", options.iter())?;
        let mut groups: Vec<&OptionGroup> = self.option_groups.iter().collect();
        groups.sort_by_key(|group| group.position);
        let mut chosen = Vec::with_capacity(options.len());
        for group in groups {
            let mut taken: Vec<&Choice> = group.choices.iter().filter(|choice| options.contains(&choice.id)).collect();
            taken.sort_by_key(|choice| choice.position);
            let count = u32::try_from(taken.len()).unwrap_or(u32::MAX);
            if count < group.min || count > group.max {
                let message = match (count < group.min, group.min, group.max) {
                    (true, min, max) if min == max => format!("Choose {min} of '{}'.", group.name),
                    (true, min, _) => format!("Choose at least {min} of '{}'.", group.name),
                    (false, _, max) => format!("Choose at most {max} of '{}'.", group.name),
                };
                let refused = Refused::invalid("options", message).with("group", group.name.as_str());
                return Err(refused.with("min", group.min).with("max", group.max));
            }
            if let Some(off) = taken.iter().find(|choice| !choice.available) {
                let message = format!("'{}' is not available at the moment.", off.name);
                let refused = Refused::new(ErrorCode::ItemUnavailable, message);
                return Err(refused.with("item", self.name.as_str()).with("option", off.name.as_str()));
            }
            chosen.extend(taken.into_iter().map(|choice| ChosenOption {
                group: group.name.clone(),
                choice_id: choice.id,
                name: choice.name.clone(),
                price_delta: choice.price_delta,
            }));
        }
        if chosen.len() < options.len() {
            return Err(Refused::invalid("options", format!("This option does not belong to '{}'.", self.name)));
        }
        Ok(chosen)
    }

    /// The price of one with these choices.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` when it is below zero or beyond the range.
    pub fn unit_price(&self, chosen: &[ChosenOption]) -> Result<Money, Refused> {
        let deltas = Money::checked_sum(chosen.iter().map(|option| option.price_delta)).ok_or_else(out_of_range)?;
        let price = self.price.checked_add(deltas).ok_or_else(out_of_range)?;
        if price.is_negative() {
            return Err(Refused::invalid("options", "With these options the price falls below zero."));
        }
        Ok(price)
    }
}

/// Refuses a code that is not a short lower-case slug.
fn check_code(code: &str) -> Result<(), Refused> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let shaped = !code.is_empty() && code.len() <= MAX_CODE && code.bytes().all(allowed);
    if !shaped || code.starts_with('-') || code.ends_with('-') {
        let message = format!("Up to {MAX_CODE} of a-z, 0-9 and -, such as masala-dosa.");
        return Err(Refused::invalid("code", message));
    }
    Ok(())
}

/// Everything on the menu of one site, as of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// The site.
    pub site: SiteId,
    /// Rises with every change.
    pub version: i64,
    /// The currency of all prices.
    pub currency: Currency,
    /// The categories.
    pub categories: Vec<Category>,
    /// The items.
    pub items: Vec<Item>,
    /// What sales use of the store room.
    pub consumption: Vec<Consumption>,
    /// The tax classes.
    pub tax_classes: Vec<TaxClass>,
}

impl Menu {
    /// Checks every part and that they fit together.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the field, and the item's code where it concerns one.
    pub fn validate(&self) -> Result<(), Refused> {
        self.categories.iter().try_for_each(Category::validate)?;
        check_unique("category.id", self.categories.iter().map(|category| category.id))?;
        let kept = self.categories.iter().filter(|category| category.deleted_at.is_none());
        check_unique("category.name", kept.map(|category| category.name.to_lowercase()))?;
        self.tax_classes.iter().try_for_each(TaxClass::validate)?;
        check_unique("tax_class.id", self.tax_classes.iter().map(|class| class.id))?;
        check_unique("id", self.items.iter().map(|item| item.id))?;
        let kept = self.items.iter().filter(|item| item.deleted_at.is_none());
        check_unique("code", kept.map(|item| item.code.as_str()))?;
        for item in &self.items {
            let known_class = |id| self.tax_classes.iter().any(|class| class.id == id);
            let checked = item.validate().and_then(|()| {
                if self.category(item.category_id).is_none() {
                    return Err(Refused::invalid("category_id", "There is no such category."));
                }
                if item.tax_class.is_some_and(|id| !known_class(id)) {
                    return Err(Refused::invalid("tax_class", "There is no such tax class."));
                }
                Ok(())
            });
            checked.map_err(|refused| refused.with("item", item.code.as_str()))?;
        }
        let choices: Vec<OptionId> = self
            .items
            .iter()
            .flat_map(|item| &item.option_groups)
            .flat_map(|group| &group.choices)
            .map(|c| c.id)
            .collect();
        check_unique("option.id", choices.iter())?;
        self.consumption.iter().try_for_each(Consumption::validate)?;
        check_unique("consumption", self.consumption.iter().map(|row| (row.subject, row.stock_item_id)))?;
        let items: BTreeSet<ItemId> = self.items.iter().map(|item| item.id).collect();
        let choices: BTreeSet<OptionId> = choices.into_iter().collect();
        let known = |subject| match subject {
            Subject::Item(id) => items.contains(&id),
            Subject::Choice(id) => choices.contains(&id),
        };
        if self.consumption.iter().all(|row| known(row.subject)) {
            Ok(())
        } else {
            Err(Refused::invalid("consumption", "It names an item or an option that is not on the menu."))
        }
    }

    /// The item, whatever its state.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The category, whatever its state.
    #[must_use]
    pub fn category(&self, id: CategoryId) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// Whether an item can be ordered now; as [`consumption::availability`], and inactive when its
    /// category is hidden or the item is unknown.
    #[must_use]
    pub fn availability(&self, id: ItemId, slot_now: Option<&str>, stock: &StockView<'_>) -> Availability {
        match self.item(id) {
            Some(item) if self.category(item.category_id).is_some_and(Category::is_listed) => {
                consumption::availability(item, slot_now, stock)
            }
            _ => Availability::Inactive,
        }
    }

    /// The listed items that pass the filter and hold every word of `text` in their name, description
    /// or category, whatever the case; by category, then by place. Empty text finds all.
    #[must_use]
    pub fn search(&self, text: &str, filter: DietFilter) -> Vec<&Item> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let categories: BTreeMap<CategoryId, &Category> = self
            .categories
            .iter()
            .filter(|category| category.is_listed())
            .map(|category| (category.id, category))
            .collect();
        let mut found: Vec<(&Category, &Item)> = self
            .items
            .iter()
            .filter(|item| item.is_listed() && filter.accepts(item.diet))
            .filter_map(|item| Some((*categories.get(&item.category_id)?, item)))
            .filter(|(category, item)| {
                let haystack = format!("{}\n{}\n{}", item.name, item.description, category.name).to_lowercase();
                words.iter().all(|word| haystack.contains(word.as_str()))
            })
            .collect();
        found.sort_by(|(left_category, left), (right_category, right)| {
            (left_category.position, &left_category.name, left.position, &left.name).cmp(&(
                right_category.position,
                &right_category.name,
                right.position,
                &right.name,
            ))
        });
        found.into_iter().map(|(_, item)| item).collect()
    }
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
