//! `servery menu` for those who keep it: the whole book, and one change at a time of items, options,
//! categories, stations and tax classes. Whole menus as files are in `menu`.

use super::desk::Counter;
use super::output::{Done, shown, table};
use crate::domain::error::Refused;
use crate::domain::menu::{Allergen, Diet};
use crate::service::menu_book::{CategoryRecord, ItemRecord, MenuBook, MenuBookView};
use crate::service::menu_categories::{
    AddCategory, AddStation, AddTaxClass, DeleteCategory, EditCategory, MoveCategory, RestoreCategory,
};
use crate::service::menu_edit::{AddItem, DeleteItem, EditItem, ItemPatch, MoveItem, RestoreItem};
use crate::service::menu_file::Uses;
use crate::service::menu_narrow::{BookFilter, ItemState};
use crate::service::menu_options::{
    AddOption, AddOptionGroup, DeleteOption, DeleteOptionGroup, EditOption, EditOptionGroup, NewChoice,
};
use crate::service::menu_shelves::{EditStation, EditTaxClass, RetireStation, RetireTaxClass};
use clap::{Args, Subcommand};

/// Which part of the book.
#[derive(Debug, Args)]
pub struct Book {
    /// With what is deleted
    #[arg(long)]
    deleted: bool,
    /// Only items with this part in the name or the code
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    search: String,
    /// Only items in this state: on_sale, sold_out, hidden or deleted
    #[arg(long)]
    state: Option<ItemState>,
    /// Only items of this category
    #[arg(long, value_name = "NAME")]
    category: Option<String>,
    /// Only items that are made at this station
    #[arg(long, value_name = "NAME")]
    station: Option<String>,
}

/// What keepers of the menu do with it.
#[derive(Debug, Subcommand)]
pub enum Keeping {
    /// The whole menu with what is off, hidden or deleted
    Book(Book),
    /// Add an item
    AddItem(NewItem),
    /// Change what is said about an item; what is not named stays
    EditItem(ItemChange),
    /// Take an item off the menu for good
    DeleteItem(Going),
    /// Take a deleted item back
    RestoreItem {
        /// Its code, or its id
        item: String,
    },
    /// Give an item another place, in its category or another one
    MoveItem {
        /// Its code, or its id
        item: String,
        /// Its place, from 1
        place: u32,
        /// Another category
        #[arg(long, value_name = "NAME")]
        category: Option<String>,
    },
    /// Add a category
    AddCategory {
        /// Its name
        name: String,
        /// Guests do not see it yet
        #[arg(long)]
        hidden: bool,
    },
    /// Rename, hide or show a category
    EditCategory {
        /// Its name, or its id
        category: String,
        /// Its new name
        #[arg(long)]
        name: Option<String>,
        /// Whether guests see it
        #[arg(long, value_name = "true|false")]
        active: Option<bool>,
        #[command(flatten)]
        seen: Seen,
    },
    /// Delete a category without items
    DeleteCategory(Going),
    /// Take a deleted category back
    RestoreCategory {
        /// Its name, or its id
        category: String,
    },
    /// Give a category another place
    MoveCategory {
        /// Its name, or its id
        category: String,
        /// Its place, from 1
        place: u32,
    },
    /// Add a group of options to an item
    AddGroup {
        /// The item's code
        item: String,
        /// The group's name
        name: String,
        /// The fewest choices
        #[arg(long, default_value_t = 0)]
        min: u32,
        /// The most choices
        #[arg(long, default_value_t = 1)]
        max: u32,
        /// A choice and what it adds to the price; may be given several times
        #[arg(long, required = true, value_name = "NAME[=PRICE]")]
        choice: Vec<String>,
    },
    /// Change a group of options; what is not named stays
    EditGroup {
        /// The item's code
        item: String,
        /// The group's name
        group: String,
        /// Its new name
        #[arg(long)]
        name: Option<String>,
        /// The fewest choices
        #[arg(long)]
        min: Option<u32>,
        /// The most choices
        #[arg(long)]
        max: Option<u32>,
        /// Its place, from 1
        #[arg(long)]
        place: Option<u32>,
    },
    /// Take a group of options off an item
    DeleteGroup {
        /// The item's code
        item: String,
        /// The group's name
        group: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Add a choice to a group
    AddOption {
        /// The item's code
        item: String,
        /// The group's name
        group: String,
        /// The choice's name
        name: String,
        /// What it adds to the price
        #[arg(long, allow_hyphen_values = true)]
        price: Option<String>,
        #[command(flatten)]
        uses: UsesArgs,
    },
    /// Change a choice; what is not named stays
    EditOption {
        /// The item's code
        item: String,
        /// The group's name
        group: String,
        /// The choice's name
        option: String,
        /// Its new name
        #[arg(long)]
        name: Option<String>,
        /// What it adds to the price
        #[arg(long, allow_hyphen_values = true)]
        price: Option<String>,
        /// Whether it can be chosen now
        #[arg(long, value_name = "true|false")]
        available: Option<bool>,
        /// Its place, from 1
        #[arg(long)]
        place: Option<u32>,
        #[command(flatten)]
        uses: UsesArgs,
    },
    /// Take a choice off a group
    DeleteOption {
        /// The item's code
        item: String,
        /// The group's name
        group: String,
        /// The choice's name
        option: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Add a kitchen station
    AddStation {
        /// Its name
        name: String,
        /// Items that name none are made here
        #[arg(long)]
        default: bool,
    },
    /// Add a tax class
    AddTaxClass {
        /// Its name
        name: String,
        /// Its rate in percent
        rate: String,
        /// Items that name none have this one
        #[arg(long)]
        default: bool,
    },
    /// Change a kitchen station; what is not named stays
    EditStation {
        /// Its name, or its id
        station: String,
        /// Its new name
        #[arg(long)]
        name: Option<String>,
        /// Items that name none are made here
        #[arg(long)]
        default: bool,
    },
    /// Take a kitchen station out of use; adding it again brings it back
    RetireStation {
        /// Its name, or its id
        station: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Change a tax class; what is not named stays, and orders keep the rate that they saw
    EditTaxClass {
        /// Its name, or its id
        tax_class: String,
        /// Its new name
        #[arg(long)]
        name: Option<String>,
        /// Its new rate in percent
        #[arg(long)]
        rate: Option<String>,
        /// Items that name none have this one
        #[arg(long)]
        default: bool,
    },
    /// Take a tax class out of use; adding it again brings it back
    RetireTaxClass {
        /// Its name, or its id
        tax_class: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// The version that was looked at.
#[derive(Debug, Args)]
pub struct Seen {
    /// Refuse where it has changed since this version was looked at
    #[arg(long, value_name = "VERSION")]
    seen_version: Option<i64>,
}

/// Something that goes, and why.
#[derive(Debug, Args)]
pub struct Going {
    /// Its code or name
    name: String,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    seen: Seen,
}

/// What one sale uses.
#[derive(Debug, Args)]
pub struct UsesArgs {
    /// Units of a stock item that one sale uses; may be given several times
    #[arg(long = "use", value_name = "CODE=UNITS")]
    uses: Vec<String>,
    /// A sale uses nothing that is counted
    #[arg(long, conflicts_with = "uses")]
    uses_nothing: bool,
}

/// A new item.
#[derive(Debug, Args)]
pub struct NewItem {
    /// Its name
    name: String,
    /// The name of its category
    #[arg(long, value_name = "NAME")]
    category: String,
    /// Its price, such as 120.00
    #[arg(long)]
    price: String,
    #[command(flatten)]
    fields: Fields,
}

/// What changes about an item.
#[derive(Debug, Args)]
pub struct ItemChange {
    /// Its code, or its id
    item: String,
    /// Its new name
    #[arg(long)]
    name: Option<String>,
    /// The name of its category
    #[arg(long, value_name = "NAME")]
    category: Option<String>,
    /// Its price, such as 120.00
    #[arg(long)]
    price: Option<String>,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    seen: Seen,
}

/// What else is said about an item.
#[derive(Debug, Args)]
pub struct Fields {
    /// Its code; made from the name for a new one
    #[arg(long)]
    code: Option<String>,
    /// What it is
    #[arg(long)]
    description: Option<String>,
    /// The name of its tax class; "" is the default one
    #[arg(long, value_name = "NAME")]
    tax_class: Option<String>,
    /// The name of its station; "" is the default one
    #[arg(long, value_name = "NAME")]
    station: Option<String>,
    /// How many minutes the kitchen needs
    #[arg(long, value_name = "MINUTES")]
    prep_minutes: Option<u16>,
    /// veg, vegan, egg or non_veg
    #[arg(long)]
    diet: Option<String>,
    /// What it contains, as words or letters with commas; "" is nothing
    #[arg(long, value_name = "LIST")]
    allergens: Option<String>,
    /// How hot it is, 0 to 3
    #[arg(long)]
    spicy: Option<u8>,
    /// The time slots in which it is served, with commas; "" is all
    #[arg(long, value_name = "LIST")]
    slots: Option<String>,
    /// Whether it can be ordered now
    #[arg(long, value_name = "true|false")]
    available: Option<bool>,
    /// Whether customers see it
    #[arg(long, value_name = "true|false")]
    active: Option<bool>,
    /// One character that stands for it; "" is none
    #[arg(long)]
    glyph: Option<String>,
    /// Where a picture is; "" is none
    #[arg(long, value_name = "URL")]
    image_url: Option<String>,
    #[command(flatten)]
    uses: UsesArgs,
}

/// The words of a list with commas.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

impl UsesArgs {
    fn read(self) -> Result<Option<Uses>, Refused> {
        if self.uses_nothing {
            return Ok(Some(Uses::new()));
        }
        let pair = |text: &String| {
            let (code, units) = text.split_once('=').unwrap_or((text, "1"));
            let units = units.trim().parse::<i64>();
            let refuse = || Refused::invalid("uses", format!("'{}' is not CODE=UNITS.", shown(text)));
            Ok((code.trim().to_owned(), units.map_err(|_| refuse())?))
        };
        let uses: Uses = self.uses.iter().map(pair).collect::<Result<_, Refused>>()?;
        Ok(Some(uses).filter(|uses| !uses.is_empty()))
    }
}

impl Fields {
    fn patch(self) -> Result<ItemPatch, Refused> {
        let allergens = match &self.allergens {
            None => None,
            Some(text) => Some(list(text).map(Allergen::parse).collect::<Result<_, _>>()?),
        };
        Ok(ItemPatch {
            code: self.code,
            description: self.description,
            tax_class: self.tax_class,
            station: self.station,
            prep_minutes: self.prep_minutes,
            diet: self.diet.as_deref().map(Diet::parse).transpose()?,
            allergens,
            spicy: self.spicy,
            slots: self.slots.as_deref().map(|text| list(text).map(str::to_owned).collect()),
            available: self.available,
            active: self.active,
            glyph: self.glyph,
            image_url: self.image_url,
            uses: self.uses.read()?,
            ..ItemPatch::default()
        })
    }
}

/// A choice as it is named on the command line: `NAME` or `NAME=PRICE`.
fn choice(text: &str) -> NewChoice {
    let (name, price) = match text.split_once('=') {
        Some((name, price)) => (name, Some(price.trim().to_owned())),
        None => (text, None),
    };
    NewChoice { name: name.to_owned(), price, uses: Uses::new() }
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse.
pub async fn run(command: Keeping, counter: &Counter<'_>) -> Done {
    let seen_version = None;
    let item = match command {
        Keeping::Book(Book { deleted, search, state, category, station }) => {
            let filter = BookFilter { text: search, state, category, station };
            let mut book = counter.ask(MenuBook { deleted: deleted || filter.wants_deleted() }).await?;
            let items = std::mem::take(&mut book.items);
            book.items = items.into_iter().filter(|item| filter.fits(item, &book)).collect();
            return counter.answer(&book, || book_words(&book));
        }
        Keeping::AddItem(NewItem { name, category, price, fields }) => {
            let patch = ItemPatch { name: Some(name), category: Some(category), price: Some(price), ..fields.patch()? };
            counter.execute(AddItem { item: patch }).await?
        }
        Keeping::EditItem(ItemChange { item, name, category, price, fields, seen }) => {
            let change = ItemPatch { name, category, price, ..fields.patch()? };
            counter.execute(EditItem { item, seen_version: seen.seen_version, change }).await?
        }
        Keeping::DeleteItem(Going { name: item, reason, seen }) => {
            counter.execute(DeleteItem { item, seen_version: seen.seen_version, reason }).await?
        }
        Keeping::RestoreItem { item } => counter.execute(RestoreItem { item }).await?,
        Keeping::MoveItem { item, place, category } => counter.execute(MoveItem { item, place, category }).await?,
        Keeping::AddGroup { item, name, min, max, choice: choices } => {
            let choices = choices.iter().map(|text| choice(text)).collect();
            counter.execute(AddOptionGroup { item, seen_version, name, min, max, choices }).await?
        }
        Keeping::EditGroup { item, group, name, min, max, place } => {
            counter.execute(EditOptionGroup { item, seen_version, group, name, min, max, place }).await?
        }
        Keeping::DeleteGroup { item, group, reason } => {
            counter.execute(DeleteOptionGroup { item, seen_version, group, reason }).await?
        }
        Keeping::AddOption { item, group, name, price, uses } => {
            let option = NewChoice { name, price, uses: uses.read()?.unwrap_or_default() };
            counter.execute(AddOption { item, seen_version, group, option }).await?
        }
        Keeping::EditOption { item, group, option, name, price, available, place, uses } => {
            let uses = uses.read()?;
            let edit = EditOption { item, seen_version, group, option, name, price, available, place, uses };
            counter.execute(edit).await?
        }
        Keeping::DeleteOption { item, group, option, reason } => {
            counter.execute(DeleteOption { item, seen_version, group, option, reason }).await?
        }
        Keeping::AddStation { name, default } => {
            let station = counter.execute(AddStation { name, default }).await?;
            return counter.answer(&station, || format!("The station {} is there.", shown(&station.name)));
        }
        Keeping::AddTaxClass { name, rate, default } => {
            let class = counter.execute(AddTaxClass { name, rate, default }).await?;
            return counter
                .answer(&class, || format!("The tax class {} at {} is there.", shown(&class.name), class.rate));
        }
        Keeping::EditStation { station, name, default } => {
            let station = counter.execute(EditStation { station, seen: None, name, default }).await?;
            return counter.answer(&station, || format!("The station {} is saved.", shown(&station.name)));
        }
        Keeping::RetireStation { station, reason } => {
            let station = counter.execute(RetireStation { station, seen: None, reason }).await?;
            return counter.answer(&station, || format!("The station {} is out of use.", shown(&station.name)));
        }
        Keeping::EditTaxClass { tax_class, name, rate, default } => {
            let class = counter.execute(EditTaxClass { tax_class, seen: None, name, rate, default }).await?;
            return counter
                .answer(&class, || format!("The tax class {} at {} is saved.", shown(&class.name), class.rate));
        }
        Keeping::RetireTaxClass { tax_class, reason } => {
            let class = counter.execute(RetireTaxClass { tax_class, seen: None, reason }).await?;
            return counter.answer(&class, || format!("The tax class {} is out of use.", shown(&class.name)));
        }
        other => return categories(other, counter).await,
    };
    counter.answer(&item, || item_words(&item, counter))
}

async fn categories(command: Keeping, counter: &Counter<'_>) -> Done {
    let category = match command {
        Keeping::AddCategory { name, hidden } => counter.execute(AddCategory { name, active: !hidden }).await?,
        Keeping::EditCategory { category, name, active, seen } => {
            let seen_version = seen.seen_version;
            counter.execute(EditCategory { category, seen_version, name, active }).await?
        }
        Keeping::DeleteCategory(Going { name: category, reason, seen }) => {
            counter.execute(DeleteCategory { category, seen_version: seen.seen_version, reason }).await?
        }
        Keeping::RestoreCategory { category } => counter.execute(RestoreCategory { category }).await?,
        Keeping::MoveCategory { category, place } => counter.execute(MoveCategory { category, place }).await?,
        _ => return Err(Refused::internal("a command about the menu has no use case").into()),
    };
    counter.answer(&category, || category_words(&category))
}

fn state(deleted: bool, active: bool, available: bool) -> &'static str {
    match (deleted, active, available) {
        (true, ..) => "deleted",
        (_, false, _) => "hidden",
        (.., false) => "off",
        _ => "",
    }
}

fn item_words(item: &ItemRecord, counter: &Counter<'_>) -> String {
    let price = item.price.display(counter.house.site.currency);
    let state = match state(item.deleted_at.is_some(), item.active, item.available) {
        "" => String::new(),
        word => format!(", {word}"),
    };
    format!(
        "{} ({}), {}, {price}{state} (version {})",
        shown(&item.name),
        item.code,
        shown(&item.category),
        item.version
    )
}

fn category_words(category: &CategoryRecord) -> String {
    let state = match state(category.deleted_at.is_some(), category.active, true) {
        "" => String::new(),
        word => format!(", {word}"),
    };
    format!("{}, {} items{state} (version {})", shown(&category.name), category.items, category.version)
}

fn book_words(book: &MenuBookView) -> String {
    let categories: Vec<Vec<String>> = book
        .categories
        .iter()
        .map(|category| {
            vec![
                category.name.clone(),
                category.items.to_string(),
                category.version.to_string(),
                state(category.deleted_at.is_some(), category.active, true).to_owned(),
            ]
        })
        .collect();
    let items: Vec<Vec<String>> = book
        .items
        .iter()
        .map(|item| {
            vec![
                item.code.clone(),
                item.name.clone(),
                item.category.clone(),
                item.price.display(book.currency),
                item.left.map(|left| left.to_string()).unwrap_or_default(),
                item.version.to_string(),
                state(item.deleted_at.is_some(), item.active, item.available).to_owned(),
            ]
        })
        .collect();
    let mut out = table(&["CATEGORY", "ITEMS>", "VERSION>", ""], &categories);
    out.push('\n');
    out.push_str(&table(&["CODE", "NAME", "CATEGORY", "PRICE>", "LEFT>", "VERSION>", ""], &items));
    out
}
