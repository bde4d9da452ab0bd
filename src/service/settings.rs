//! Setting and listing the settings of a site. What each setting may hold is in `domain::settings`;
//! here decimal money and text from a command line become the values that it takes.

use super::door::{Context, Query, UseCase, View};
use super::paging;
use super::views::Page;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::Method;
use crate::domain::settings::{AutoAccept, KEYS, Kind, PAYMENT_KEYS, Settings, kind_of};
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::store::records::AuditRow;
use crate::store::{entity_history, sites};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most rows of a page.
const MAX_PAGE: i64 = 200;
/// The longest value that is read, in bytes.
const MAX_VALUE: usize = 16 * 1024;

/// What a setting takes, for the editor of a screen or a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Takes {
    /// true or false.
    Switch,
    /// A whole number within the range, both ends included.
    Number {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A decimal amount of the site's currency, 0 or more.
    Amount,
    /// `HH:MM`.
    TimeOfDay,
    /// One of these words.
    Choice {
        /// The words.
        options: Vec<String>,
    },
    /// The slot table: an object of `{"start": "HH:MM", "end": "HH:MM"}` by the slot's name.
    Slots,
}

impl From<Kind> for Takes {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Switch => Self::Switch,
            Kind::Number { min, max } => Self::Number { min, max },
            Kind::Amount => Self::Amount,
            Kind::TimeOfDay => Self::TimeOfDay,
            Kind::AutoAccept => {
                Self::Choice { options: AutoAccept::ALL.iter().map(|word| word.as_str().to_owned()).collect() }
            }
            Kind::Slots => Self::Slots,
        }
    }
}

/// A setting as people see it. Money is decimal text in the site's currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingView {
    /// Its key.
    pub key: String,
    /// Its value now.
    pub value: Value,
    /// The value that it has unless it is set.
    pub default: Value,
    /// What it takes, in words.
    pub kind: String,
    /// What it takes, for an editor.
    pub takes: Takes,
    /// When it was set; `None` if it never was.
    pub updated_at: Option<Timestamp>,
    /// Who set it, where a person did.
    pub updated_by: Option<String>,
    /// What follows from the value that it was just set to, where somebody should know before guests do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// What is said where the last way of paying was switched off.
const NO_PAYMENT: &str = "No way of paying is on now: guests cannot order until one is.";

/// Sets one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetSetting {
    /// Its key.
    pub key: String,
    /// Its value: JSON, or the same as text (`"true"`, `"300"`). Money is a decimal ("20.00").
    pub value: Value,
    /// The value that was there when this one was decided on: where somebody has set another since, the
    /// change is refused with `CONFLICT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Value>,
    /// Why. Needed where it takes something from guests: see [`needs_reason`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Switches that nobody turns off without saying why: guests can do less then.
const GIVEN_WITH_REASON: [&str; 2] = ["restaurant_open", "delivery_enabled"];

/// Whether this change of a setting is refused without a reason: the restaurant, a way of paying or
/// delivery goes off, or the table of slots has fewer than before. A slot that is renamed or moved stays.
#[must_use]
pub fn needs_reason(key: &str, before: &Value, after: &Value) -> bool {
    let goes_off = before.as_bool() == Some(true) && after.as_bool() == Some(false);
    let slots = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
    match key {
        "time_slots" => slots(after) < slots(before),
        key => goes_off && (GIVEN_WITH_REASON.contains(&key) || PAYMENT_KEYS.contains(&key)),
    }
}

/// What a kind takes, in words.
fn words(kind: Kind, currency: Currency) -> String {
    match kind {
        Kind::Switch => "true or false".to_owned(),
        Kind::Number { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Amount => format!("an amount in {currency}, such as {}", Money(2000).plain(currency)),
        Kind::TimeOfDay => "a time of day such as 04:00".to_owned(),
        Kind::AutoAccept => "off, prepaid or all".to_owned(),
        Kind::Slots => "slots such as {\"lunch\":{\"start\":\"12:00\",\"end\":\"15:00\"}}".to_owned(),
    }
}

/// The value as [`Settings::set`] takes it.
fn to_stored(key: &str, kind: Kind, value: &Value, currency: Currency) -> Result<Value, Refused> {
    let Value::String(text) = value else {
        return match (kind, value) {
            (Kind::Amount, Value::Number(number)) => Ok(Money::parse(key, &number.to_string(), currency)?.0.into()),
            (Kind::Amount, other) => {
                Err(Refused::invalid(key, format!("{key} takes {}.", words(kind, currency)))
                    .with("given", other.clone()))
            }
            _ => Ok(value.clone()),
        };
    };
    if text.len() > MAX_VALUE {
        return Err(Refused::invalid(key, "The value is too long."));
    }
    let trimmed = text.trim();
    Ok(match kind {
        Kind::Amount => Money::parse(key, trimmed, currency)?.0.into(),
        Kind::Switch | Kind::Number { .. } | Kind::Slots => {
            // What cannot be read stays text, and is refused with the words of the setting.
            serde_json::from_str(trimmed).unwrap_or_else(|_| text::clean(text, 200, false).into())
        }
        Kind::TimeOfDay | Kind::AutoAccept => text::clean(trimmed, 200, false).into(),
    })
}

/// The value as people see it.
fn to_shown(kind: Kind, value: Value, currency: Currency) -> Value {
    match (kind, value.as_i64()) {
        (Kind::Amount, Some(minor)) => Money(minor).plain(currency).into(),
        _ => value,
    }
}

fn view(
    settings: &Settings,
    key: &str,
    kind: Kind,
    currency: Currency,
    stamp: Option<&sites::SettingStamp>,
) -> Result<SettingView, Refused> {
    Ok(SettingView {
        key: key.to_owned(),
        value: to_shown(kind, settings.get(key)?, currency),
        default: to_shown(kind, Settings::default().get(key)?, currency),
        kind: words(kind, currency),
        takes: kind.into(),
        updated_at: stamp.map(|stamp| Timestamp(stamp.updated_at)),
        updated_by: stamp.and_then(|stamp| stamp.updated_by.clone()),
        warning: None,
    })
}

/// Holds the settings, reads the one anew, and refuses where it is not what was seen; says who set it.
async fn check_seen(
    context: &mut Context<'_>,
    settings: &mut Settings,
    (key, kind): (&str, Kind),
    seen: &Value,
) -> Result<(), Refused> {
    let (site, currency) = (context.site.id.clone(), context.site.currency);
    sites::hold_settings(context.tx, &site).await?;
    // Between the site that the door read and this lock, somebody else may have been faster.
    if let Some((_, value)) = sites::settings(context.tx, &site).await?.into_iter().find(|(own, _)| own == key) {
        settings.set(key, &value)?;
    }
    let mut known = settings.clone();
    known.set(key, &to_stored(key, kind, seen, currency)?)?;
    let (now, seen) = (settings.get(key)?, known.get(key)?);
    if now == seen {
        return Ok(());
    }
    let changes = entity_history::history(context.tx, &site, ("Setting", key), i64::MAX, 1).await?;
    let by = changes.into_iter().next().and_then(|change| change.actor_name);
    let who = by.as_deref().unwrap_or("Somebody else");
    Err(Refused::conflict(format!("{who} changed {key} first."))
        .by_guard("seen_value")
        .with("key", key)
        .with("by", by.clone())
        .with("seen", to_shown(kind, seen, currency))
        .with("now", to_shown(kind, now, currency))
        .help("Look at it as it is now, then set it again if it still makes sense."))
}

impl UseCase for SetSetting {
    type Output = SettingView;
    const NAME: &'static str = "setting_set";
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<SettingView, Refused> {
        let key = text::clean(&self.key, 60, false);
        let kind = kind_of(&key)?;
        let (site, currency, now) = (context.site.id.clone(), context.site.currency, context.now);
        let stored = to_stored(&key, kind, &self.value, currency)?;
        let mut settings = context.site.settings.clone();
        if let Some(seen) = &self.seen {
            check_seen(context, &mut settings, (&key, kind), seen).await?;
        }
        let before = settings.get(&key)?;
        settings.set(&key, &stored)?;
        // In the form in which the setting itself writes it, so that one value has one spelling.
        let after = settings.get(&key)?;
        let given = self.reason.as_deref().filter(|reason| !reason.trim().is_empty());
        let why = match given {
            Some(given) => Some(super::staff::reason(given)?),
            None if needs_reason(&key, &before, &after) => Some(super::staff::reason("")?),
            None => None,
        };
        let by = context.actor.staff;
        sites::set_setting(context.tx, &site, &key, &after, by, now).await?;
        context.audit(AuditRow {
            action: "UPDATE",
            entity: "Setting",
            entity_id: key.clone(),
            details: format!("the setting {key} was set"),
            before: Some(json!({ "value": to_shown(kind, before, currency) })),
            after: Some(json!({ "value": to_shown(kind, after, currency) })),
            reason: why,
        });
        let updated_by = by.map(|_| context.actor.name.clone());
        let stamp = sites::SettingStamp { key: key.clone(), updated_at: now.0, updated_by };
        let mut view = view(&settings, &key, kind, currency, Some(&stamp))?;
        let lost = PAYMENT_KEYS.contains(&key.as_str()) && !settings.takes_payment();
        let wrong = key == "upi_payment_enabled" && settings.upi_payment_enabled && !Method::Upi.takes(currency);
        view.warning = match (lost, wrong) {
            (true, _) => Some(NO_PAYMENT.to_owned()),
            (_, true) => Some(format!("UPI moves Indian rupees (INR) only, and the money here is {currency}.")),
            _ => None,
        };
        Ok(view)
    }
}

/// Every setting, in the order of the specification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListSettings;

impl Query for ListSettings {
    type Output = Vec<SettingView>;
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, query: &mut View<'_>) -> Result<Vec<SettingView>, Refused> {
        let stamps = sites::setting_stamps(query.tx, &query.site.id).await?;
        let stamps: BTreeMap<&str, &sites::SettingStamp> =
            stamps.iter().map(|stamp| (stamp.key.as_str(), stamp)).collect();
        let (settings, currency) = (&query.site.settings, query.site.currency);
        KEYS.iter().map(|(key, kind)| view(settings, key, *kind, currency, stamps.get(key).copied())).collect()
    }
}

/// One change of a setting, from the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingChange {
    /// When.
    pub at: Timestamp,
    /// What the audit log calls whoever did it.
    pub by: Option<String>,
    /// The admin whose PIN let it through.
    pub override_by: Option<String>,
    /// The value before, as people see it.
    pub before: Value,
    /// The value from then on.
    pub after: Value,
    /// Why, where it was said.
    pub reason: Option<String>,
}

/// Who changed a setting, when, from what to what; newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingHistory {
    /// Its key.
    pub key: String,
    /// Where the page before it ended: its `next`.
    pub after: Option<String>,
    /// The most rows; 1 to 200.
    pub limit: i64,
}

impl Query for SettingHistory {
    type Output = Page<SettingChange>;
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, query: &mut View<'_>) -> Result<Self::Output, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let key = text::clean(&self.key, 60, false);
        kind_of(&key)?;
        let before = match &self.after {
            None => i64::MAX,
            Some(key) => key.parse().map_err(|_| paging::wrong_key())?,
        };
        let (site, limit) = (query.site.id.clone(), self.limit.saturating_add(1));
        let mut rows = entity_history::history(query.tx, &site, ("Setting", &key), before, limit).await?;
        let next = paging::cut(&mut rows, self.limit, |row| row.seq.to_string());
        let value = |side: Option<&Value>| side.and_then(|side| side.get("value")).cloned().unwrap_or(Value::Null);
        let items = rows
            .into_iter()
            .map(|row| SettingChange {
                at: Timestamp(row.at),
                by: row.actor_name,
                override_by: row.override_name,
                before: value(row.before_value.as_deref()),
                after: value(row.after_value.as_deref()),
                reason: row.reason,
            })
            .collect();
        let found = entity_history::count(query.tx, &site, ("Setting", &key)).await?;
        Ok(Page::counted(items, next, found))
    }
}
