//! Changing the options of an item: groups ("Size") and their choices ("Large"), each added, edited and
//! deleted by itself. An option belongs to its item: every change raises the item's version and is
//! checked with the whole item. The road that all of them take is in `menu_write`.

use super::door::{Context, UseCase};
use super::menu_book::ItemRecord;
use super::menu_file::Uses;
use super::menu_write::{Held, Written, check_seen, hold, shown, write_item};
use super::staff::reason;
use crate::domain::access::Permission;
use crate::domain::consumption::{Consumption, Subject};
use crate::domain::error::Refused;
use crate::domain::ids::{OptionGroupId, OptionId};
use crate::domain::menu::{Choice, Item, MAX_OPTION_NAME, OptionGroup};
use crate::domain::money::{Currency, Money};
use crate::domain::text;
use serde::{Deserialize, Serialize};

/// A choice that is to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewChoice {
    /// Its name.
    pub name: String,
    /// What it adds to the price, as a decimal that may be negative; nothing if left out.
    pub price: Option<String>,
    /// What one sale uses: units by the code of the stock item.
    pub uses: Uses,
}

/// Adds a group of options at the end of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddOptionGroup {
    /// The item's code, or its id.
    pub item: String,
    /// The item's version that the form showed; none: whatever it is now.
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// Its name.
    pub name: String,
    /// The fewest choices.
    pub min: u32,
    /// The most choices; at least 1.
    pub max: u32,
    /// Its choices; at least one.
    pub choices: Vec<NewChoice>,
}

/// Changes a group of options; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditOptionGroup {
    /// The item's code, or its id.
    pub item: String,
    /// As in [`AddOptionGroup`].
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// The group's name, or its id.
    pub group: String,
    /// Its new name.
    #[serde(default)]
    pub name: Option<String>,
    /// The fewest choices.
    #[serde(default)]
    pub min: Option<u32>,
    /// The most choices.
    #[serde(default)]
    pub max: Option<u32>,
    /// Its place among the groups, from 1.
    #[serde(default)]
    pub place: Option<u32>,
}

/// Takes a group of options off an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteOptionGroup {
    /// The item's code, or its id.
    pub item: String,
    /// As in [`AddOptionGroup`].
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// The group's name, or its id.
    pub group: String,
    /// Why.
    pub reason: String,
}

/// Adds a choice at the end of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddOption {
    /// The item's code, or its id.
    pub item: String,
    /// As in [`AddOptionGroup`].
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// The group's name, or its id.
    pub group: String,
    /// The choice.
    pub option: NewChoice,
}

/// Changes a choice; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditOption {
    /// The item's code, or its id.
    pub item: String,
    /// As in [`AddOptionGroup`].
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// The group's name, or its id.
    pub group: String,
    /// The choice's name, or its id.
    pub option: String,
    /// Its new name.
    #[serde(default)]
    pub name: Option<String>,
    /// What it adds to the price, as a decimal that may be negative.
    #[serde(default)]
    pub price: Option<String>,
    /// `false` switches it off for now.
    #[serde(default)]
    pub available: Option<bool>,
    /// Its place in the group, from 1.
    #[serde(default)]
    pub place: Option<u32>,
    /// What one sale uses: units by the code of the stock item.
    #[serde(default)]
    pub uses: Option<Uses>,
}

/// Takes a choice off a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteOption {
    /// The item's code, or its id.
    pub item: String,
    /// As in [`AddOptionGroup`].
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// The group's name, or its id.
    pub group: String,
    /// The choice's name, or its id.
    pub option: String,
    /// Why.
    pub reason: String,
}

fn line(text: &str) -> String {
    text::clean(text, MAX_OPTION_NAME, false)
}

fn delta(price: &str, currency: Currency) -> Result<Money, Refused> {
    Money::parse("option.price", price, currency)
}

fn same(name: &str, wanted: &str) -> bool {
    name.to_lowercase() == line(wanted).to_lowercase()
}

/// The group of this name or id.
fn group_at(item: &Item, name_or_id: &str) -> Result<usize, Refused> {
    let id = name_or_id.parse::<OptionGroupId>().ok();
    let found = item.option_groups.iter().position(|group| same(&group.name, name_or_id) || Some(group.id) == id);
    found.ok_or_else(|| Refused::not_found("option group", shown(name_or_id)))
}

/// The choice of this name or id.
fn choice_at(group: &OptionGroup, name_or_id: &str) -> Result<usize, Refused> {
    let id = name_or_id.parse::<OptionId>().ok();
    let found = group.choices.iter().position(|choice| same(&choice.name, name_or_id) || Some(choice.id) == id);
    found.ok_or_else(|| Refused::not_found("option", shown(name_or_id)))
}

/// A group of the item that is being changed.
fn group_mut<'a>(item: &'a mut Item, name_or_id: &str) -> Result<&'a mut OptionGroup, Refused> {
    let index = group_at(item, name_or_id)?;
    item.option_groups.get_mut(index).ok_or_else(|| Refused::not_found("option group", shown(name_or_id)))
}

/// Moves the entry at `index` to the place `place` (from 1) and numbers all of them anew.
fn put_at<T>(entries: &mut Vec<T>, index: usize, place: u32, number: impl Fn(&mut T, i32)) {
    if index < entries.len() {
        let entry = entries.remove(index);
        let place = usize::try_from(place.max(1)).unwrap_or(usize::MAX).saturating_sub(1).min(entries.len());
        entries.insert(place, entry);
    }
    for (place, entry) in (1_i32..).zip(entries) {
        number(entry, place);
    }
}

/// Adds a choice at the end of a group; what one sale of it uses goes to `uses`.
fn add_choice(
    context: &Context<'_>,
    held: &Held,
    group: &mut OptionGroup,
    new: &NewChoice,
    uses: &mut Vec<Consumption>,
) -> Result<(), Refused> {
    let id = OptionId(context.new_id());
    let price_delta = match &new.price {
        Some(price) => delta(price, context.site.currency)?,
        None => Money::ZERO,
    };
    uses.extend(held.resolve_uses(Subject::Choice(id), &new.uses)?);
    let last = group.choices.iter().map(|choice| choice.position).max().unwrap_or(0);
    group.choices.push(Choice {
        id,
        name: line(&new.name),
        price_delta,
        available: true,
        position: last.saturating_add(1),
    });
    Ok(())
}

/// Changes the options of one item: holds the menu, checks what was seen, lets `change` work on a copy
/// of the item and of what it uses, and writes both.
async fn change_options(
    context: &mut Context<'_>,
    item: &str,
    seen: Option<i64>,
    reason: Option<String>,
    change: impl FnOnce(&Context<'_>, &Held, &mut Item, &mut Vec<Consumption>) -> Result<(), Refused> + Send,
) -> Result<ItemRecord, Refused> {
    let held = hold(context).await?;
    let before = held.item(item)?;
    check_seen(context, ("MenuItem", &before.code), seen, held.version_of(before.id)).await?;
    let (mut after, mut uses) = (before.clone(), held.uses_of(before));
    // In the order in which people see them, so that a place means what it says.
    after.option_groups.sort_by_key(|group| group.position);
    for group in &mut after.option_groups {
        group.choices.sort_by_key(|choice| choice.position);
    }
    change(context, &held, &mut after, &mut uses)?;
    // What is gone uses nothing any more.
    let choices: Vec<OptionId> =
        after.option_groups.iter().flat_map(|group| &group.choices).map(|choice| choice.id).collect();
    uses.retain(|row| !matches!(row.subject, Subject::Choice(id) if !choices.contains(&id)));
    write_item(context, &held, Written { before: Some(before), after, uses, reason }).await
}

impl UseCase for AddOptionGroup {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_add_option_group";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        change_options(context, &self.item, self.seen_version, None, |context, held, item, uses| {
            let last = item.option_groups.iter().map(|group| group.position).max().unwrap_or(0);
            let mut group = OptionGroup {
                id: OptionGroupId(context.new_id()),
                name: line(&self.name),
                min: self.min,
                max: self.max,
                position: last.saturating_add(1),
                choices: Vec::new(),
            };
            for choice in &self.choices {
                add_choice(context, held, &mut group, choice, uses)?;
            }
            item.option_groups.push(group);
            Ok(())
        })
        .await
    }
}

impl UseCase for EditOptionGroup {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_edit_option_group";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        change_options(context, &self.item, self.seen_version, None, |_, _, item, _| {
            let index = group_at(item, &self.group)?;
            let group = group_mut(item, &self.group)?;
            if let Some(name) = &self.name {
                group.name = line(name);
            }
            group.min = self.min.unwrap_or(group.min);
            group.max = self.max.unwrap_or(group.max);
            if let Some(place) = self.place {
                put_at(&mut item.option_groups, index, place, |group, place| group.position = place);
            }
            Ok(())
        })
        .await
    }
}

impl UseCase for DeleteOptionGroup {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_delete_option_group";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        let why = reason(&self.reason)?;
        change_options(context, &self.item, self.seen_version, Some(why), |_, _, item, _| {
            let index = group_at(item, &self.group)?;
            item.option_groups.remove(index);
            Ok(())
        })
        .await
    }
}

impl UseCase for AddOption {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_add_option";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        change_options(context, &self.item, self.seen_version, None, |context, held, item, uses| {
            add_choice(context, held, group_mut(item, &self.group)?, &self.option, uses)
        })
        .await
    }
}

impl UseCase for EditOption {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_edit_option";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        change_options(context, &self.item, self.seen_version, None, |context, held, item, uses| {
            let group = group_mut(item, &self.group)?;
            let index = choice_at(group, &self.option)?;
            let unknown = || Refused::not_found("option", shown(&self.option));
            let choice = group.choices.get_mut(index).ok_or_else(unknown)?;
            if let Some(name) = &self.name {
                choice.name = line(name);
            }
            if let Some(price) = &self.price {
                choice.price_delta = delta(price, context.site.currency)?;
            }
            choice.available = self.available.unwrap_or(choice.available);
            if let Some(own) = &self.uses {
                let subject = Subject::Choice(choice.id);
                let rows = held.resolve_uses(subject, own)?;
                uses.retain(|row| row.subject != subject);
                uses.extend(rows);
            }
            if let Some(place) = self.place {
                put_at(&mut group.choices, index, place, |choice, place| choice.position = place);
            }
            Ok(())
        })
        .await
    }
}

impl UseCase for DeleteOption {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_delete_option";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        let why = reason(&self.reason)?;
        change_options(context, &self.item, self.seen_version, Some(why), |_, _, item, _| {
            let group = group_mut(item, &self.group)?;
            let index = choice_at(group, &self.option)?;
            group.choices.remove(index);
            Ok(())
        })
        .await
    }
}
