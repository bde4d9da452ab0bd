//! The desk that every command works at: what the process was told, where it prints, and the ways to
//! open the house, to find the actor, and to read a secret from a prompt or standard input.

use super::actor::{self, Actor, Named};
use super::app::{House, Role};
use super::output::{Done, Failure, Output, is_interactive, shown};
use super::shape::{self, Shape};
use super::{Global, order};
use crate::config::Config;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::order::Source;
use crate::domain::payment::Method;
use crate::domain::report::parse_day;
use crate::domain::time::{Timestamp, business_day_start};
use crate::service::archived_days::ShowArchivedDays;
use crate::service::site_info::ThisSite;
use crate::service::views::OrderView;
use crate::service::{Caller, Query, UseCase};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use std::io::BufRead;
use zeroize::Zeroizing;

/// The longest line of standard input that is read as a secret, in bytes.
const MAX_LINE: u64 = 1024;

/// What a command works with before the house is open.
#[derive(Debug)]
pub struct Desk {
    /// What the process was told.
    pub config: Config,
    /// The flags that every command takes.
    pub global: Global,
    /// Where it prints.
    pub output: Output,
}

/// An open house with somebody in it.
#[derive(Debug)]
pub struct Counter<'a> {
    /// The desk.
    pub desk: &'a Desk,
    /// The house.
    pub house: House,
    /// Who acts.
    pub actor: Actor,
}

impl Desk {
    /// Opens the house and says what is to be said about it.
    ///
    /// # Errors
    /// As [`House::open`].
    pub async fn house(&self, role: Role) -> Result<House, Refused> {
        let house = House::open(&self.config, role).await?;
        if !self.output.json {
            for notice in &house.notices {
                self.output.say(notice);
            }
        }
        Ok(house)
    }

    /// Opens the house and finds out who acts.
    ///
    /// # Errors
    /// As [`House::open`] and [`actor::resolve`].
    pub async fn counter(&self, role: Role) -> Result<Counter<'_>, Refused> {
        let house = self.house(role).await?;
        let named = Named {
            staff: self.global.staff.clone(),
            kiosk: self.global.as_kiosk.clone(),
            override_by: self.global.override_by.clone(),
        };
        let actor = actor::resolve(&house, &named, || self.secret("PIN").map(|pin| pin.to_string())).await?;
        Ok(Counter { desk: self, house, actor })
    }

    /// Reads a secret: from a prompt that does not show it, or from one line of standard input.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where neither gives one.
    pub fn secret(&self, what: &str) -> Result<Zeroizing<String>, Refused> {
        let none = || {
            Refused::invalid(&what.to_lowercase(), format!("No {} was given.", what.to_lowercase()))
                .help("Type it at the prompt, or give it on standard input.")
        };
        if is_interactive() {
            return rpassword::prompt_password(format!("{what}: ")).map(Zeroizing::new).map_err(|_| none());
        }
        let mut line = Zeroizing::new(String::new());
        let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_LINE);
        input.read_line(&mut line).map_err(|_| none())?;
        let secret = line.trim_end_matches(['\n', '\r']);
        if secret.is_empty() { Err(none()) } else { Ok(Zeroizing::new(secret.to_owned())) }
    }
}

impl Counter<'_> {
    /// Readies the gateway of a method and says what is to be said about it.
    ///
    /// # Errors
    /// As [`House::ready_gateway`].
    pub fn ready_gateway(&mut self, method: Method) -> Result<(), Refused> {
        let said = self.house.notices.len();
        self.house.ready_gateway(method)?;
        if !self.output().json {
            for notice in self.house.notices.iter().skip(said) {
                self.output().say(notice);
            }
        }
        Ok(())
    }

    /// The key of this command.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.desk.global.key.as_deref()
    }

    /// Where it prints.
    #[must_use]
    pub fn output(&self) -> Output {
        self.desk.output
    }

    /// Runs a use case as the actor, under the command's key.
    ///
    /// # Errors
    /// What the door refuses.
    pub async fn execute<U: UseCase>(&self, use_case: U) -> Result<U::Output, Refused> {
        let done = self.house.door.execute(&self.actor.caller, self.key(), use_case).await;
        done.map_err(|refused| self.advised(refused))
    }

    /// The instant that a text names: RFC 3339, or the beginning of a business day; its end where it is
    /// the last one.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` of `field`; what the door refuses.
    pub async fn instant(&self, field: &str, text: Option<&str>, is_end: bool) -> Result<Option<Timestamp>, Refused> {
        let Some(text) = text else { return Ok(None) };
        if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text.trim()) {
            return Ok(Some(Timestamp::from(at.with_timezone(&chrono::Utc))));
        }
        let day = parse_day(field, text).map_err(|_| {
            Refused::invalid(field, "A day such as 2026-03-01, or an instant such as 2026-03-01T12:00:00Z.")
        })?;
        let site = self.ask(ThisSite).await?;
        let day = if is_end { day.succ_opt().unwrap_or(day) } else { day };
        Ok(Some(business_day_start(day, site.zone, site.settings.business_day_cutoff)))
    }

    /// Asks a question as the actor.
    ///
    /// # Errors
    /// What the door refuses.
    pub async fn ask<Q: Query>(&self, query: Q) -> Result<Q::Output, Refused> {
        self.house.door.ask(&self.actor.caller, query).await.map_err(|refused| self.advised(refused))
    }

    /// A guest is told how to become staff.
    fn advised(&self, refused: Refused) -> Refused {
        if refused.code == ErrorCode::InsufficientRole && matches!(self.actor.caller, Caller::Guest { .. }) {
            return refused.help("Sign in (servery login NAME) and name yourself with --staff NAME.");
        }
        refused
    }

    /// Prints a view in our own shape, or its words.
    ///
    /// # Errors
    /// As [`Output::answer`].
    pub fn answer(&self, view: &impl Serialize, words: impl FnOnce() -> String) -> Done {
        let output = self.output();
        if !output.json {
            return output.answer(&(), words);
        }
        output.answer(&shape::own(view, self.house.site.currency)?, words)
    }

    /// Where a range that begins on `from` (`None`: with the first order that ever was) reaches into archived
    /// days: adds them to the JSON as `archived`, and answers what is said of them; else nothing.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`.
    pub async fn archived_note(&self, from: Option<NaiveDate>, value: &mut Value) -> Result<String, Refused> {
        let found = match self.ask(ShowArchivedDays).await {
            Ok(found) => found.filter(|days| days.are_in(from)),
            // A guest sees no order but their own, which is never that old.
            Err(refused) if refused.code == ErrorCode::InsufficientRole => None,
            Err(refused) => return Err(refused),
        };
        let Some(days) = found else { return Ok(String::new()) };
        if let Some(map) = value.as_object_mut() {
            map.insert("archived".to_owned(), serde_json::to_value(&days).map_err(Refused::internal)?);
        }
        let (before, file) = (days.before_text(), shown(&days.file));
        Ok(format!("Orders of days before {before} are archived (file {file}): servery archive show FILE NUMBER\n"))
    }

    /// Prints an order.
    ///
    /// # Errors
    /// As [`Output::answer`].
    pub fn order(&self, order: &OrderView, source: Option<Source>) -> Done {
        let output = self.output();
        if output.json {
            return output.answer(&Shape::order(order, source)?, String::new);
        }
        output.answer(&(), || order::words(order, source, self.house.site.zone))
    }

    /// The failure of a call with which the order ended (T4, T6).
    pub fn ended(&self, order: &OrderView, source: Option<Source>, code: ErrorCode, reason: &str) -> Failure {
        let refused = Refused::new(code, reason)
            .with("order_number", order.order_number.clone())
            .with("order_id", order.id.to_string());
        match Shape::order(order, source) {
            Ok(shape) => Failure::Refused(Box::new(refused), Some(Box::new(shape))),
            Err(refused) => refused.into(),
        }
    }
}
