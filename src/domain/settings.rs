//! The settings of a site: name, type, default and range of each, as `spec` and source 002 §10 name
//! them. Values are JSON in the store; this file turns them into a typed [`Settings`] and back.

use super::error::Refused;
use super::money::Money;
use super::slot::{Slot, Slots};
use crate::words;
use chrono::NaiveTime;
use serde_json::Value;

words!(
    /// Which orders the house accepts by itself (C6).
    AutoAccept, "auto_accept" {
        /// None: the kitchen accepts each one.
        Off = "off",
        /// Those that are paid.
        Prepaid = "prepaid",
        /// All.
        All = "all",
    }
);

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// true or false.
    Switch,
    /// A whole number within the range, both ends included.
    Number {
        /// The smallest allowed value.
        min: i64,
        /// The largest allowed value.
        max: i64,
    },
    /// Minor units of the site's currency, written as a decimal number in JSON.
    Amount,
    /// `HH:MM`.
    TimeOfDay,
    /// One of [`AutoAccept`].
    AutoAccept,
    /// The slot table in the shape of source 002 §10.
    Slots,
}

/// The settings in force at one site.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Which orders are accepted by the house itself.
    pub auto_accept: AutoAccept,
    /// T12: seconds until an order that nobody accepts is rejected.
    pub accept_timeout_seconds: i64,
    /// T12b: seconds that unpaid cash orders wait for the customer; 0 never ends.
    pub cash_wait_seconds: i64,
    /// T7: seconds that a hold on stock lasts; 0 never ends.
    pub pending_expiry_seconds: i64,
    /// T5a, T5b: seconds by which a hold is extended.
    pub hold_extension_seconds: i64,
    /// Seconds after which an unanswered attempt is given up.
    pub attempt_give_up_seconds: i64,
    /// T16: seconds in which a ready order may be recalled.
    pub recall_window_seconds: i64,
    /// T25: minutes after which an uncollected unpaid order is a no-show; 0 never.
    pub no_show_minutes: i64,
    /// T18: assignments that may fail before an admin is called.
    pub pickup_retry_max: i64,
    /// Minutes after which an idle cart is cleared; 0 never.
    pub cart_ttl_minutes: i64,
    /// Seconds without a touch until the kiosk asks.
    pub kiosk_idle_seconds: i64,
    /// Seconds that the kiosk's question waits.
    pub kiosk_warning_seconds: i64,
    /// Seconds without a key until the console signs its person out; 0 never.
    pub console_idle_seconds: i64,
    /// Seconds without a key until the kitchen's board signs its person out (the board stays); 0 never.
    pub kitchen_idle_seconds: i64,
    /// T15: the house marks an order ready when its last line is done.
    pub auto_ready: bool,
    /// T17: the house picks the courier.
    pub auto_assign: bool,
    /// T9b: seconds in which a customer may cancel a paid order; 0 never.
    pub customer_cancel_paid_seconds: i64,
    /// When the business day begins.
    pub business_day_cutoff: NaiveTime,
    /// Ticket age that turns amber, in seconds.
    pub kitchen_amber_seconds: i64,
    /// Ticket age that turns red, in seconds.
    pub kitchen_red_seconds: i64,
    /// The master switch.
    pub restaurant_open: bool,
    /// Whether delivery is offered.
    pub delivery_enabled: bool,
    /// The fee for a delivery.
    pub delivery_charge: Money,
    /// Whether cash is taken.
    pub cash_payment_enabled: bool,
    /// Whether UPI is taken.
    pub upi_payment_enabled: bool,
    /// Whether cards are taken.
    pub card_payment_enabled: bool,
    /// The cap of orders in one time slot.
    pub max_orders_per_slot: i64,
    /// When orders are taken.
    pub time_slots: Slots,
    /// Whether prices contain the tax.
    pub tax_inclusive: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let hm = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
        let slot = |name: &str, start, end| Slot { name: name.to_owned(), start, end };
        Self {
            auto_accept: AutoAccept::Prepaid,
            accept_timeout_seconds: 300,
            cash_wait_seconds: 900,
            pending_expiry_seconds: 600,
            hold_extension_seconds: 300,
            attempt_give_up_seconds: 900,
            recall_window_seconds: 600,
            no_show_minutes: 60,
            pickup_retry_max: 3,
            cart_ttl_minutes: 30,
            kiosk_idle_seconds: 60,
            kiosk_warning_seconds: 15,
            console_idle_seconds: 120,
            kitchen_idle_seconds: 300,
            auto_ready: false,
            auto_assign: false,
            customer_cancel_paid_seconds: 0,
            business_day_cutoff: hm(4, 0),
            kitchen_amber_seconds: 300,
            kitchen_red_seconds: 480,
            restaurant_open: true,
            delivery_enabled: true,
            delivery_charge: Money(2000),
            cash_payment_enabled: true,
            upi_payment_enabled: true,
            card_payment_enabled: true,
            max_orders_per_slot: 50,
            time_slots: Slots::new(vec![
                slot("breakfast", hm(7, 0), hm(10, 0)),
                slot("lunch", hm(12, 0), hm(15, 0)),
                slot("dinner", hm(18, 0), hm(22, 0)),
            ])
            .unwrap_or_default(),
            tax_inclusive: false,
        }
    }
}

/// A day in seconds: the upper end of most ranges.
const DAY: i64 = 86_400;

/// Every key with its kind, in the order of the specification.
pub const KEYS: &[(&str, Kind)] = &[
    ("auto_accept", Kind::AutoAccept),
    ("accept_timeout_seconds", Kind::Number { min: 10, max: DAY }),
    ("cash_wait_seconds", Kind::Number { min: 0, max: DAY }),
    ("pending_expiry_seconds", Kind::Number { min: 0, max: DAY }),
    ("hold_extension_seconds", Kind::Number { min: 0, max: DAY }),
    ("attempt_give_up_seconds", Kind::Number { min: 10, max: DAY }),
    ("recall_window_seconds", Kind::Number { min: 0, max: DAY }),
    ("no_show_minutes", Kind::Number { min: 0, max: 1440 }),
    ("pickup_retry_max", Kind::Number { min: 1, max: 100 }),
    ("cart_ttl_minutes", Kind::Number { min: 0, max: 10_080 }),
    ("kiosk_idle_seconds", Kind::Number { min: 10, max: 3600 }),
    ("kiosk_warning_seconds", Kind::Number { min: 5, max: 600 }),
    ("console_idle_seconds", Kind::Number { min: 0, max: DAY }),
    ("kitchen_idle_seconds", Kind::Number { min: 0, max: DAY }),
    ("auto_ready", Kind::Switch),
    ("auto_assign", Kind::Switch),
    ("customer_cancel_paid_seconds", Kind::Number { min: 0, max: DAY }),
    ("business_day_cutoff", Kind::TimeOfDay),
    ("kitchen_amber_seconds", Kind::Number { min: 1, max: DAY }),
    ("kitchen_red_seconds", Kind::Number { min: 1, max: DAY }),
    ("restaurant_open", Kind::Switch),
    ("delivery_enabled", Kind::Switch),
    ("delivery_charge", Kind::Amount),
    ("cash_payment_enabled", Kind::Switch),
    ("upi_payment_enabled", Kind::Switch),
    ("card_payment_enabled", Kind::Switch),
    ("max_orders_per_slot", Kind::Number { min: 0, max: 1_000_000 }),
    ("time_slots", Kind::Slots),
    ("tax_inclusive", Kind::Switch),
];

/// The kind of a key.
///
/// # Errors
/// `NOT_FOUND` for a key that no setting has.
pub fn kind_of(key: &str) -> Result<Kind, Refused> {
    KEYS.iter()
        .find(|(name, _)| *name == key)
        .map(|(_, kind)| *kind)
        .ok_or_else(|| Refused::not_found("setting", key).help("List the settings to see their names."))
}

fn bad(key: &str, wanted: &str, value: &Value) -> Refused {
    Refused::invalid(key, format!("{key} takes {wanted}.")).with("given", value.clone())
}

fn time_of_day(key: &str, value: &Value) -> Result<NaiveTime, Refused> {
    value
        .as_str()
        .and_then(|text| NaiveTime::parse_from_str(text, "%H:%M").ok())
        .ok_or_else(|| bad(key, "a time of day such as \"04:00\"", value))
}

/// The keys of the ways of paying.
pub const PAYMENT_KEYS: [&str; 3] = ["cash_payment_enabled", "card_payment_enabled", "upi_payment_enabled"];

impl Settings {
    /// Whether at least one way of paying is on. Without one nobody can place an order.
    #[must_use]
    pub const fn takes_payment(&self) -> bool {
        self.cash_payment_enabled || self.card_payment_enabled || self.upi_payment_enabled
    }

    /// Sets one key from its JSON value. Amounts are whole minor units (an integer) here; decimal
    /// input is turned into minor units at the edge, where the currency is known.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown key, `VALIDATION_ERROR` for a value of the wrong type or out of range.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<(), Refused> {
        let kind = kind_of(key)?;
        let switch = || value.as_bool().ok_or_else(|| bad(key, "true or false", value));
        let number = || match (kind, value.as_i64()) {
            (Kind::Number { min, max }, Some(n)) if n >= min && n <= max => Ok(n),
            (Kind::Number { min, max }, _) => Err(bad(key, &format!("a whole number from {min} to {max}"), value)),
            _ => Err(bad(key, "a whole number", value)),
        };
        match key {
            "auto_accept" => {
                self.auto_accept =
                    value.as_str().and_then(AutoAccept::parse).ok_or_else(|| bad(key, "off, prepaid or all", value))?;
            }
            "accept_timeout_seconds" => self.accept_timeout_seconds = number()?,
            "cash_wait_seconds" => self.cash_wait_seconds = number()?,
            "pending_expiry_seconds" => self.pending_expiry_seconds = number()?,
            "hold_extension_seconds" => self.hold_extension_seconds = number()?,
            "attempt_give_up_seconds" => self.attempt_give_up_seconds = number()?,
            "recall_window_seconds" => self.recall_window_seconds = number()?,
            "no_show_minutes" => self.no_show_minutes = number()?,
            "pickup_retry_max" => self.pickup_retry_max = number()?,
            "cart_ttl_minutes" => self.cart_ttl_minutes = number()?,
            "kiosk_idle_seconds" => self.kiosk_idle_seconds = number()?,
            "kiosk_warning_seconds" => self.kiosk_warning_seconds = number()?,
            "console_idle_seconds" => self.console_idle_seconds = number()?,
            "kitchen_idle_seconds" => self.kitchen_idle_seconds = number()?,
            "auto_ready" => self.auto_ready = switch()?,
            "auto_assign" => self.auto_assign = switch()?,
            "customer_cancel_paid_seconds" => self.customer_cancel_paid_seconds = number()?,
            "business_day_cutoff" => self.business_day_cutoff = time_of_day(key, value)?,
            "kitchen_amber_seconds" => self.kitchen_amber_seconds = number()?,
            "kitchen_red_seconds" => self.kitchen_red_seconds = number()?,
            "restaurant_open" => self.restaurant_open = switch()?,
            "delivery_enabled" => self.delivery_enabled = switch()?,
            "delivery_charge" => {
                self.delivery_charge = value
                    .as_i64()
                    .filter(|minor| (0..=1_000_000_000).contains(minor))
                    .map(Money)
                    .ok_or_else(|| bad(key, "an amount of 0 or more", value))?;
            }
            "cash_payment_enabled" => self.cash_payment_enabled = switch()?,
            "upi_payment_enabled" => self.upi_payment_enabled = switch()?,
            "card_payment_enabled" => self.card_payment_enabled = switch()?,
            "max_orders_per_slot" => self.max_orders_per_slot = number()?,
            "time_slots" => {
                self.time_slots = serde_json::from_value(value.clone()).map_err(|error| {
                    bad(key, "slots such as {\"lunch\":{\"start\":\"12:00\",\"end\":\"15:00\"}}", value)
                        .with("why", error.to_string())
                })?;
            }
            "tax_inclusive" => self.tax_inclusive = switch()?,
            _ => return Err(Refused::not_found("setting", key)),
        }
        Ok(())
    }

    /// The JSON value of one key, in the form that [`Settings::set`] takes.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown key.
    pub fn get(&self, key: &str) -> Result<Value, Refused> {
        Ok(match key {
            "auto_accept" => self.auto_accept.as_str().into(),
            "accept_timeout_seconds" => self.accept_timeout_seconds.into(),
            "cash_wait_seconds" => self.cash_wait_seconds.into(),
            "pending_expiry_seconds" => self.pending_expiry_seconds.into(),
            "hold_extension_seconds" => self.hold_extension_seconds.into(),
            "attempt_give_up_seconds" => self.attempt_give_up_seconds.into(),
            "recall_window_seconds" => self.recall_window_seconds.into(),
            "no_show_minutes" => self.no_show_minutes.into(),
            "pickup_retry_max" => self.pickup_retry_max.into(),
            "cart_ttl_minutes" => self.cart_ttl_minutes.into(),
            "kiosk_idle_seconds" => self.kiosk_idle_seconds.into(),
            "kiosk_warning_seconds" => self.kiosk_warning_seconds.into(),
            "console_idle_seconds" => self.console_idle_seconds.into(),
            "kitchen_idle_seconds" => self.kitchen_idle_seconds.into(),
            "auto_ready" => self.auto_ready.into(),
            "auto_assign" => self.auto_assign.into(),
            "customer_cancel_paid_seconds" => self.customer_cancel_paid_seconds.into(),
            "business_day_cutoff" => self.business_day_cutoff.format("%H:%M").to_string().into(),
            "kitchen_amber_seconds" => self.kitchen_amber_seconds.into(),
            "kitchen_red_seconds" => self.kitchen_red_seconds.into(),
            "restaurant_open" => self.restaurant_open.into(),
            "delivery_enabled" => self.delivery_enabled.into(),
            "delivery_charge" => self.delivery_charge.0.into(),
            "cash_payment_enabled" => self.cash_payment_enabled.into(),
            "upi_payment_enabled" => self.upi_payment_enabled.into(),
            "card_payment_enabled" => self.card_payment_enabled.into(),
            "max_orders_per_slot" => self.max_orders_per_slot.into(),
            "time_slots" => serde_json::to_value(&self.time_slots).map_err(Refused::internal)?,
            "tax_inclusive" => self.tax_inclusive.into(),
            _ => return Err(Refused::not_found("setting", key)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::ErrorCode;
    use serde_json::json;

    #[test]
    fn every_key_survives_a_round_trip() {
        let defaults = Settings::default();
        for (key, _) in KEYS {
            let mut copy = Settings::default();
            copy.set(key, &defaults.get(key).expect("get")).expect("set");
            assert_eq!(copy, defaults, "{key}");
        }
    }

    /// The defaults, transcribed from the specification.
    #[test]
    fn the_defaults_are_those_of_the_specification() {
        let expected = json!({
            "auto_accept": "prepaid", "accept_timeout_seconds": 300, "cash_wait_seconds": 900,
            "pending_expiry_seconds": 600, "hold_extension_seconds": 300, "attempt_give_up_seconds": 900,
            "recall_window_seconds": 600, "no_show_minutes": 60, "pickup_retry_max": 3, "cart_ttl_minutes": 30,
            "kiosk_idle_seconds": 60, "kiosk_warning_seconds": 15, "console_idle_seconds": 120, "kitchen_idle_seconds": 300,
            "auto_ready": false, "auto_assign": false,
            "customer_cancel_paid_seconds": 0, "business_day_cutoff": "04:00", "kitchen_amber_seconds": 300,
            "kitchen_red_seconds": 480, "restaurant_open": true, "delivery_enabled": true, "delivery_charge": 2000,
            "cash_payment_enabled": true, "upi_payment_enabled": true, "card_payment_enabled": true,
            "max_orders_per_slot": 50, "tax_inclusive": false,
            "time_slots": { "breakfast": {"start": "07:00", "end": "10:00"}, "lunch": {"start": "12:00", "end": "15:00"},
                            "dinner": {"start": "18:00", "end": "22:00"} }
        });
        let settings = Settings::default();
        for (key, _) in KEYS {
            assert_eq!(settings.get(key).expect("get"), expected[*key], "{key}");
        }
        assert_eq!(expected.as_object().map(serde_json::Map::len), Some(KEYS.len()));
    }

    #[test]
    fn every_key_sets_its_own_value_and_no_other() {
        for (key, kind) in KEYS {
            let before = Settings::default();
            let was = before.get(key).expect("get");
            let becomes = match kind {
                Kind::Switch => json!(was == json!(false)),
                Kind::Number { min, max } => json!(if was == json!(max) { min } else { max }),
                Kind::Amount => json!(1_000_000_000),
                Kind::TimeOfDay => json!("05:30"),
                Kind::AutoAccept => json!("all"),
                Kind::Slots => json!({"brunch": {"start": "10:00", "end": "12:00"}}),
            };
            let mut after = before.clone();
            after.set(key, &becomes).expect("set");
            for (other, _) in KEYS {
                let expected = if other == key { becomes.clone() } else { before.get(other).expect("get") };
                assert_eq!(after.get(other).expect("get"), expected, "{other} after {key}");
            }
        }
    }

    #[test]
    fn both_ends_of_a_range_are_taken_and_nothing_beyond_them() {
        for (key, kind) in KEYS {
            let (min, max) = match kind {
                Kind::Number { min, max } => (*min, *max),
                Kind::Amount => (0, 1_000_000_000),
                _ => continue,
            };
            let mut settings = Settings::default();
            for value in [min, max] {
                settings.set(key, &json!(value)).expect("within the range");
                assert_eq!(settings.get(key).expect("get"), json!(value), "{key}");
            }
            for value in [min - 1, max + 1] {
                let refused = settings.set(key, &json!(value)).expect_err("beyond the range");
                assert_eq!((refused.code, &refused.details["field"]), (ErrorCode::ValidationError, &json!(key)));
            }
        }
    }

    #[test]
    fn values_of_the_wrong_type_or_range_are_refused_and_change_nothing() {
        let mut settings = Settings::default();
        for (key, value) in [
            ("restaurant_open", json!("yes")),
            ("max_orders_per_slot", json!(-1)),
            ("kiosk_idle_seconds", json!(1.5)),
            ("business_day_cutoff", json!("25:00")),
            ("auto_accept", json!("sometimes")),
            ("delivery_charge", json!(-5)),
            ("time_slots", json!({"lunch": {"start": "noon"}})),
            ("no_such_key", json!(1)),
        ] {
            assert!(settings.set(key, &value).is_err(), "{key}");
        }
        assert_eq!(settings, Settings::default());
    }
}
