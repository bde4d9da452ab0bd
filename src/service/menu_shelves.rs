//! Changing the kitchen's stations and the tax classes that are there: name, rate, which one is the
//! default, and taking one out of use. Adding them, and bringing one back, is in `menu_categories`. What is
//! placed keeps the station and the rate that it saw: the lines of an order have their own copy.

use super::door::{Context, UseCase};
use super::menu_book::{StationRecord, TaxClassRecord};
use super::menu_categories::{MAX_STATION_NAME, MAX_TAX_NAME};
use super::menu_diff::{FieldChange, as_json, differ, sentences, yes_no};
use super::menu_write::{Held, hold, shown};
use super::staff::reason;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::{StationId, TaxClassId};
use crate::domain::menu::Item;
use crate::domain::money::Rate;
use crate::domain::text;
use crate::store::menu::{Station, StoredTaxClass};
use crate::store::records::AuditRow;
use crate::store::{menu as rows, menu_edit, sites, tickets};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Items that the details of a refusal name.
const NAMED: usize = 20;
/// Orders that they name.
const NAMED_ORDERS: i64 = 20;
/// Items or orders that its sentence names.
const SAID: usize = 5;

/// Changes a station; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditStation {
    /// Its name, or its id.
    pub station: String,
    /// The station as the form showed it; another one now refuses the edit. None: whatever it is now.
    #[serde(default)]
    pub seen: Option<StationRecord>,
    /// Its new name.
    #[serde(default)]
    pub name: Option<String>,
    /// Items that name none are made here from now on.
    #[serde(default)]
    pub default: bool,
}

/// Takes a station out of use; adding it again brings it back. Refused while items are made there, while
/// open orders need it, and for the default one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetireStation {
    /// Its name, or its id.
    pub station: String,
    /// As in [`EditStation`].
    #[serde(default)]
    pub seen: Option<StationRecord>,
    /// Why.
    pub reason: String,
}

/// Changes a tax class; what is left out stays. Orders that are placed keep their rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditTaxClass {
    /// Its name, or its id.
    pub tax_class: String,
    /// The class as the form showed it; another one now refuses the edit. None: whatever it is now.
    #[serde(default)]
    pub seen: Option<TaxClassRecord>,
    /// Its new name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its new rate in percent ("5", "10.75").
    #[serde(default)]
    pub rate: Option<String>,
    /// Items that name none have this one from now on.
    #[serde(default)]
    pub default: bool,
}

/// Takes a tax class out of use; adding it again brings it back. Refused while items have it, and for
/// the default one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetireTaxClass {
    /// Its name, or its id.
    pub tax_class: String,
    /// As in [`EditTaxClass`].
    #[serde(default)]
    pub seen: Option<TaxClassRecord>,
    /// Why.
    pub reason: String,
}

/// Refuses where the form showed something else than what is there now, and says what differs.
fn check_seen<R: Serialize>(
    seen: Option<&R>,
    now: &R,
    differences: fn(&R, &R) -> Vec<FieldChange>,
) -> Result<(), Refused> {
    let changes = seen.map_or_else(Vec::new, |seen| differences(seen, now));
    if changes.is_empty() {
        return Ok(());
    }
    let changes = sentences(&changes);
    Err(Refused::conflict(format!("Somebody else changed this first: {}.", changes.join("; ")))
        .by_guard("seen")
        .with("now", serde_json::to_value(now).map_err(Refused::internal)?)
        .with("changes", changes)
        .help("Look at it as it is now, then repeat what still makes sense."))
}

/// What differs between two states of a station; its place is of no form.
fn station_changes(before: &StationRecord, after: &StationRecord) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    differ(&mut changes, "name", &before.name, &after.name);
    differ(&mut changes, "default", yes_no(before.is_default), yes_no(after.is_default));
    differ(&mut changes, "active", yes_no(before.active), yes_no(after.active));
    changes
}

/// What differs between two states of a tax class.
fn tax_class_changes(before: &TaxClassRecord, after: &TaxClassRecord) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    differ(&mut changes, "name", &before.name, &after.name);
    differ(&mut changes, "rate", &before.rate.to_string(), &after.rate.to_string());
    differ(&mut changes, "default", yes_no(before.is_default), yes_no(after.is_default));
    differ(&mut changes, "active", yes_no(before.active), yes_no(after.active));
    changes
}

/// The refusal of a name that another one has; one that is out of use keeps its own, for its return.
fn taken(field: &str, what: &str, name: &str, active: bool) -> Refused {
    let message = match active {
        true => format!("There is a {what} '{name}' already."),
        false => format!("There is a {what} '{name}' already, which is out of use."),
    };
    Refused::conflict(message).with("field", field).help("Choose another name.")
}

fn is_default(what: &str, name: &str) -> Refused {
    Refused::conflict(format!("'{name}' is what items have that name no {what}."))
        .by_guard("not_default")
        .help(format!("Make another {what} the default one first."))
}

/// The refusal that names what stands in the way: `used` of the kind `of`, by their names.
fn in_use(message: &str, used: &[String], of: &str) -> Refused {
    let said: Vec<&str> = used.iter().take(SAID).map(String::as_str).collect();
    let more = if used.len() > SAID { ", and more" } else { "" };
    Refused::conflict(format!("{message}: {}{more}.", said.join(", "))).by_guard("not_in_use").with(of, used)
}

impl Held {
    fn station(&self, name_or_id: &str) -> Result<&Station, Refused> {
        let wanted = text::clean(name_or_id, MAX_STATION_NAME, false).to_lowercase();
        let id = name_or_id.parse::<StationId>().ok();
        let mut active = self.loaded.stations.iter().filter(|station| station.active);
        active
            .find(|station| station.name.to_lowercase() == wanted || Some(station.id) == id)
            .ok_or_else(|| Refused::not_found("station", shown(name_or_id)))
    }

    fn tax_class_named(&self, name_or_id: &str) -> Result<&StoredTaxClass, Refused> {
        let wanted = text::clean(name_or_id, MAX_TAX_NAME, false).to_lowercase();
        let id = name_or_id.parse::<TaxClassId>().ok();
        let mut active = self.loaded.tax_classes.values().filter(|stored| stored.active);
        active
            .find(|stored| stored.class.name.to_lowercase() == wanted || Some(stored.class.id) == id)
            .ok_or_else(|| Refused::not_found("tax class", shown(name_or_id)))
    }

    /// The names of the items that are not deleted and of which this holds.
    fn users(&self, uses: impl Fn(&Item) -> bool) -> Vec<String> {
        let live = self.loaded.menu.items.iter().filter(|item| item.deleted_at.is_none() && uses(item));
        live.map(|item| item.name.clone()).take(NAMED).collect()
    }
}

/// Notes a change for the audit log and for those who show the menu.
async fn written(
    context: &mut Context<'_>,
    (entity, id): (&'static str, String),
    (action, name): (&'static str, &str),
    changes: &[FieldChange],
    reason: Option<String>,
) -> Result<(), Refused> {
    let site = context.site.id.clone();
    sites::menu_changed(context.tx, &site).await?;
    let (before, after) = as_json(changes);
    let words = if action == "RETIRE" { "was taken out of use".to_owned() } else { sentences(changes).join("; ") };
    context.audit(AuditRow {
        action,
        entity,
        entity_id: id,
        details: format!("{name}: {words}"),
        before: Some(Value::Object(before)),
        after: Some(Value::Object(after)),
        reason,
    });
    Ok(())
}

/// What taking something out of use changes.
fn retired() -> Vec<FieldChange> {
    let mut changes = Vec::new();
    differ(&mut changes, "active", yes_no(true), yes_no(false));
    changes
}

impl UseCase for EditStation {
    type Output = StationRecord;
    const NAME: &'static str = "menu_edit_station";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<StationRecord, Refused> {
        let site = context.site.id.clone();
        let held = hold(context).await?;
        let before = held.station(&self.station)?;
        let record = StationRecord::from(before);
        check_seen(self.seen.as_ref(), &record, station_changes)?;
        let mut after = before.clone();
        if let Some(name) = &self.name {
            after.name = text::clean(name, MAX_STATION_NAME, false);
            if after.name.is_empty() {
                return Err(Refused::invalid("station.name", "This cannot be empty."));
            }
        }
        after.is_default |= self.default;
        let name = after.name.to_lowercase();
        let mut others = held.loaded.stations.iter().filter(|other| other.id != after.id);
        if let Some(other) = others.find(|other| other.name.to_lowercase() == name) {
            return Err(taken("station.name", "station", &other.name, other.active));
        }
        let changes = station_changes(&record, &StationRecord::from(&after));
        if !changes.is_empty() {
            rows::put_stations(context.tx, &site, std::slice::from_ref(&after)).await?;
            written(context, ("Station", after.id.to_string()), ("UPDATE", &after.name), &changes, None).await?;
        }
        Ok(StationRecord::from(&after))
    }
}

impl UseCase for RetireStation {
    type Output = StationRecord;
    const NAME: &'static str = "menu_retire_station";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<StationRecord, Refused> {
        let why = reason(&self.reason)?;
        let (site, now) = (context.site.id.clone(), context.now);
        let held = hold(context).await?;
        let station = held.station(&self.station)?;
        check_seen(self.seen.as_ref(), &StationRecord::from(station), station_changes)?;
        if held.loaded.default_station() == Some(station.id) {
            return Err(is_default("station", &station.name));
        }
        let items = held.users(|item| item.station == Some(station.id));
        if !items.is_empty() {
            let message = format!("Items are made at '{}'", station.name);
            return Err(in_use(&message, &items, "items").help("Give them another station first."));
        }
        let orders = tickets::needing(context.tx, &site, station.id, NAMED_ORDERS).await?;
        if !orders.is_empty() {
            let message = format!("Open orders need '{}'", station.name);
            return Err(in_use(&message, &orders, "orders").help("Finish them first."));
        }
        let after = Station { is_default: false, active: false, ..station.clone() };
        rows::put_stations(context.tx, &site, std::slice::from_ref(&after)).await?;
        // What is deleted and was made here is made at the default one when it comes back.
        menu_edit::leave_station(context.tx, &site, after.id, now).await?;
        let entity = ("Station", after.id.to_string());
        written(context, entity, ("RETIRE", &after.name), &retired(), Some(why)).await?;
        Ok(StationRecord::from(&after))
    }
}

impl UseCase for EditTaxClass {
    type Output = TaxClassRecord;
    const NAME: &'static str = "menu_edit_tax_class";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<TaxClassRecord, Refused> {
        let site = context.site.id.clone();
        let held = hold(context).await?;
        let before = held.tax_class_named(&self.tax_class)?;
        let record = TaxClassRecord::from(before);
        check_seen(self.seen.as_ref(), &record, tax_class_changes)?;
        let mut after = before.clone();
        if let Some(name) = &self.name {
            after.class.name = text::clean(name, MAX_TAX_NAME, false);
        }
        if let Some(rate) = &self.rate {
            after.class.rate = Rate::parse_percent("tax_class.rate", rate)?;
        }
        after.class.validate()?;
        after.is_default |= self.default;
        let name = after.class.name.to_lowercase();
        let mut others = held.loaded.tax_classes.values().filter(|other| other.class.id != after.class.id);
        if let Some(other) = others.find(|other| other.class.name.to_lowercase() == name) {
            return Err(taken("tax_class.name", "tax class", &other.class.name, other.active));
        }
        let changes = tax_class_changes(&record, &TaxClassRecord::from(&after));
        if !changes.is_empty() {
            rows::put_tax_classes(context.tx, &site, std::slice::from_ref(&after)).await?;
            let entity = ("TaxClass", after.class.id.to_string());
            written(context, entity, ("UPDATE", &after.class.name), &changes, None).await?;
        }
        Ok(TaxClassRecord::from(&after))
    }
}

impl UseCase for RetireTaxClass {
    type Output = TaxClassRecord;
    const NAME: &'static str = "menu_retire_tax_class";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<TaxClassRecord, Refused> {
        let why = reason(&self.reason)?;
        let (site, now) = (context.site.id.clone(), context.now);
        let held = hold(context).await?;
        let stored = held.tax_class_named(&self.tax_class)?;
        check_seen(self.seen.as_ref(), &TaxClassRecord::from(stored), tax_class_changes)?;
        let id = stored.class.id;
        if held.loaded.default_tax_class() == Some(id) {
            return Err(is_default("tax class", &stored.class.name));
        }
        let items = held.users(|item| item.tax_class == Some(id));
        if !items.is_empty() {
            let message = format!("Items have the tax class '{}'", stored.class.name);
            return Err(in_use(&message, &items, "items").help("Give them another tax class first."));
        }
        let after = StoredTaxClass { is_default: false, active: false, ..stored.clone() };
        rows::put_tax_classes(context.tx, &site, std::slice::from_ref(&after)).await?;
        // What is deleted and had this one has the default one when it comes back.
        menu_edit::leave_tax_class(context.tx, &site, id, now).await?;
        let entity = ("TaxClass", id.to_string());
        written(context, entity, ("RETIRE", &after.class.name), &retired(), Some(why)).await?;
        Ok(TaxClassRecord::from(&after))
    }
}
