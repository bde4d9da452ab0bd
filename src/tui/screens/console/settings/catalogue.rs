//! The settings as people see them: in which group each stands, its short name, one line of what it
//! does, and its value in words. What a setting may hold is in `domain::settings`.

use super::super::desk::Desk;
use crate::domain::payment::Method;
use crate::domain::slot::{Slot, Slots};
use crate::service::settings::{SettingView, Takes};
use crate::tui::locale::Locale;
use serde_json::Value;

/// How long a number of a setting is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// No number, or a bare one.
    Plain,
    /// Seconds; 0 has the meaning of these words of the catalogue.
    Seconds(&'static str),
    /// Minutes, likewise.
    Minutes(&'static str),
}

/// One setting, with the keys of its words in the catalogue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Its key in the house.
    pub(super) key: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) help: &'static str,
    /// What its number counts.
    pub(super) unit: Unit,
}

/// A group of settings.
pub(super) struct Group {
    /// The key of its heading.
    pub(super) title: &'static str,
    /// Its settings, the most used first.
    pub(super) entries: &'static [Entry],
}

const NEVER: &str = "settings.never";
const AT_ONCE: &str = "settings.at_once";
const NOT_AT_ALL: &str = "settings.not_at_all";

macro_rules! entry {
    ($key:literal, $name:literal, $help:literal) => {
        entry!($key, $name, $help, Unit::Plain)
    };
    ($key:literal, $name:literal, $help:literal, $unit:expr) => {
        Entry { key: $key, name: $name, help: $help, unit: $unit }
    };
}

/// Every setting. A test holds it against the list of the house.
pub(super) const GROUPS: &[Group] = &[
    Group {
        title: "settings.group_open",
        entries: &[
            entry!("restaurant_open", "settings.restaurant_open", "settings.restaurant_open_help"),
            entry!("time_slots", "settings.time_slots", "settings.time_slots_help"),
            entry!("max_orders_per_slot", "settings.max_orders_per_slot", "settings.max_orders_per_slot_help"),
            entry!("business_day_cutoff", "settings.business_day_cutoff", "settings.business_day_cutoff_help"),
        ],
    },
    Group {
        title: "settings.group_paying",
        entries: &[
            entry!("cash_payment_enabled", "settings.cash_payment_enabled", "settings.cash_payment_enabled_help"),
            entry!("card_payment_enabled", "settings.card_payment_enabled", "settings.card_payment_enabled_help"),
            entry!("upi_payment_enabled", "settings.upi_payment_enabled", "settings.upi_payment_enabled_help"),
            entry!("tax_inclusive", "settings.tax_inclusive", "settings.tax_inclusive_help"),
            entry!(
                "attempt_give_up_seconds",
                "settings.attempt_give_up_seconds",
                "settings.attempt_give_up_seconds_help",
                Unit::Seconds(AT_ONCE)
            ),
            entry!(
                "customer_cancel_paid_seconds",
                "settings.customer_cancel_paid_seconds",
                "settings.customer_cancel_paid_seconds_help",
                Unit::Seconds(NOT_AT_ALL)
            ),
        ],
    },
    Group {
        title: "settings.group_delivery",
        entries: &[
            entry!("delivery_enabled", "settings.delivery_enabled", "settings.delivery_enabled_help"),
            entry!("delivery_charge", "settings.delivery_charge", "settings.delivery_charge_help"),
            entry!("auto_assign", "settings.auto_assign", "settings.auto_assign_help"),
            entry!("pickup_retry_max", "settings.pickup_retry_max", "settings.pickup_retry_max_help"),
        ],
    },
    Group {
        title: "settings.group_orders",
        entries: &[
            entry!("auto_accept", "settings.auto_accept", "settings.auto_accept_help"),
            entry!(
                "accept_timeout_seconds",
                "settings.accept_timeout_seconds",
                "settings.accept_timeout_seconds_help",
                Unit::Seconds(AT_ONCE)
            ),
            entry!(
                "pending_expiry_seconds",
                "settings.pending_expiry_seconds",
                "settings.pending_expiry_seconds_help",
                Unit::Seconds(NEVER)
            ),
            entry!(
                "hold_extension_seconds",
                "settings.hold_extension_seconds",
                "settings.hold_extension_seconds_help",
                Unit::Seconds(NOT_AT_ALL)
            ),
            entry!(
                "cash_wait_seconds",
                "settings.cash_wait_seconds",
                "settings.cash_wait_seconds_help",
                Unit::Seconds(NEVER)
            ),
            entry!(
                "no_show_minutes",
                "settings.no_show_minutes",
                "settings.no_show_minutes_help",
                Unit::Minutes(NEVER)
            ),
        ],
    },
    Group {
        title: "settings.group_kitchen",
        entries: &[
            entry!("auto_ready", "settings.auto_ready", "settings.auto_ready_help"),
            entry!(
                "kitchen_amber_seconds",
                "settings.kitchen_amber_seconds",
                "settings.kitchen_amber_seconds_help",
                Unit::Seconds(AT_ONCE)
            ),
            entry!(
                "kitchen_red_seconds",
                "settings.kitchen_red_seconds",
                "settings.kitchen_red_seconds_help",
                Unit::Seconds(AT_ONCE)
            ),
            entry!(
                "recall_window_seconds",
                "settings.recall_window_seconds",
                "settings.recall_window_seconds_help",
                Unit::Seconds(NOT_AT_ALL)
            ),
            entry!(
                "kitchen_idle_seconds",
                "settings.kitchen_idle_seconds",
                "settings.kitchen_idle_seconds_help",
                Unit::Seconds(NEVER)
            ),
        ],
    },
    Group {
        title: "settings.group_screens",
        entries: &[
            entry!(
                "kiosk_idle_seconds",
                "settings.kiosk_idle_seconds",
                "settings.kiosk_idle_seconds_help",
                Unit::Seconds(NEVER)
            ),
            entry!(
                "kiosk_warning_seconds",
                "settings.kiosk_warning_seconds",
                "settings.kiosk_warning_seconds_help",
                Unit::Seconds(AT_ONCE)
            ),
            entry!(
                "cart_ttl_minutes",
                "settings.cart_ttl_minutes",
                "settings.cart_ttl_minutes_help",
                Unit::Minutes(NEVER)
            ),
            entry!(
                "console_idle_seconds",
                "settings.console_idle_seconds",
                "settings.console_idle_seconds_help",
                Unit::Seconds(NEVER)
            ),
        ],
    },
];

/// The entry of a key.
pub(super) fn entry(key: &str) -> Option<&'static Entry> {
    GROUPS.iter().flat_map(|group| group.entries).find(|entry| entry.key == key)
}

/// A time in words: "90 seconds", "5 minutes", "1 hour 30 minutes".
fn duration(seconds: i64, locale: &Locale) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Up to two minutes that are no whole number of them are seconds to people.
    if seconds < 120 && rest != 0 || seconds < 60 {
        return locale.t_plural("settings.seconds", seconds, &[]);
    }
    let parts = [("settings.hours", hours), ("settings.minutes", minutes), ("settings.seconds", rest)];
    let said = parts.iter().filter(|(_, count)| *count > 0).map(|(key, count)| locale.t_plural(key, *count, &[]));
    said.collect::<Vec<_>>().join(" ")
}

/// The slots of a value; none where it holds something else.
pub(super) fn slots(value: &Value) -> Vec<Slot> {
    serde_json::from_value::<Slots>(value.clone()).map(|slots| slots.as_slice().to_vec()).unwrap_or_default()
}

/// A slot's hours: `12:00–15:00`; a slot that ends where it starts is the whole day.
pub(super) fn hours(slot: &Slot, locale: &Locale) -> String {
    if slot.start == slot.end {
        return locale.t("settings.all_day");
    }
    format!("{}–{}", slot.start.format("%H:%M"), slot.end.format("%H:%M"))
}

/// A choice in words.
pub(super) fn choice_words(word: &str, locale: &Locale) -> String {
    match word {
        "off" => locale.t("settings.accept_off"),
        "prepaid" => locale.t("settings.accept_prepaid"),
        "all" => locale.t("settings.accept_all"),
        other => other.to_owned(),
    }
}

/// Whether UPI could not move this place's money.
fn needs_rupees(desk: &Desk) -> bool {
    desk.currency().is_some_and(|currency| !Method::Upi.takes(currency))
}

/// A value of this setting in words.
pub(super) fn value_words(setting: &SettingView, value: &Value, desk: &Desk, locale: &Locale) -> String {
    let unit = entry(&setting.key).map_or(Unit::Plain, |entry| entry.unit);
    match (&setting.takes, value) {
        (_, Value::Null) => locale.t("settings.unknown"),
        (Takes::Switch, value) if setting.key == "upi_payment_enabled" && needs_rupees(desk) => {
            locale.t(if value.as_bool() == Some(true) { "settings.yes_needs_inr" } else { "settings.no_needs_inr" })
        }
        // What is never offered to a guest yet must not look as if it were.
        (Takes::Switch, Value::Bool(true)) if setting.key == "delivery_enabled" => {
            locale.t("settings.yes_not_on_kiosks")
        }
        (Takes::Switch, value) => locale.t(if value.as_bool() == Some(true) { "common.yes" } else { "common.no" }),
        (Takes::Number { .. }, value) => match (value.as_i64(), unit) {
            (Some(0), Unit::Seconds(zero) | Unit::Minutes(zero)) => locale.t(zero),
            (Some(seconds), Unit::Seconds(_)) => duration(seconds, locale),
            (Some(minutes), Unit::Minutes(_)) => duration(minutes.saturating_mul(60), locale),
            (Some(number), Unit::Plain) => number.to_string(),
            (None, _) => value.to_string(),
        },
        (Takes::Amount, value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let money = desk.currency().and_then(|currency| {
                crate::domain::money::Money::parse("amount", &text, currency).ok().map(|money| desk.money(money))
            });
            money.unwrap_or(text)
        }
        (Takes::Choice { .. }, value) => choice_words(value.as_str().unwrap_or_default(), locale),
        (Takes::TimeOfDay, value) => value.as_str().unwrap_or_default().to_owned(),
        (Takes::Slots, value) => {
            let slots = slots(value);
            if slots.is_empty() {
                return locale.t("settings.no_slots");
            }
            let said = slots.iter().map(|slot| match hours(slot, locale) {
                hours if hours == slot.name => hours,
                hours => format!("{} {hours}", slot.name),
            });
            said.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::KEYS;

    #[test]
    fn every_setting_of_the_house_stands_in_one_group_with_its_words() {
        let english = Locale::load(None).expect("English");
        let mut shown: Vec<&str> = GROUPS.iter().flat_map(|group| group.entries).map(|entry| entry.key).collect();
        let mut known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
        shown.sort_unstable();
        known.sort_unstable();
        assert_eq!(shown, known);
        for group in GROUPS {
            assert!(english.has(group.title), "{}", group.title);
            for entry in group.entries {
                assert!(english.has(entry.name) && english.has(entry.help), "{}", entry.key);
            }
        }
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let english = Locale::load(None).expect("English");
        for (seconds, words) in [
            (1, "1 second"),
            (45, "45 seconds"),
            (60, "1 minute"),
            (90, "90 seconds"),
            (300, "5 minutes"),
            (330, "5 minutes 30 seconds"),
            (3600, "1 hour"),
            (5400, "1 hour 30 minutes"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(duration(seconds, &english), words);
        }
    }
}
