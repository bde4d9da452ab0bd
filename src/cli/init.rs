//! `servery init`: sets a site up for real work, with its first admin; or the demo. What is not given
//! as a flag is asked for at the terminal, one question at a time, each with an example. The launcher
//! comes here with an empty store that somebody named.

use super::app::{configured_methods, makes_demo};
use super::desk::Desk;
use super::output::{Done, is_interactive};
use crate::config::Config;
use crate::domain::access::Role;
use crate::domain::error::Refused;
use crate::domain::money::Currency;
use crate::domain::payment::Method;
use crate::service::secrets::pepper_path;
use crate::service::settings::SetSetting;
use crate::service::setup::{self, InitSite};
use crate::service::staff::{self, NewStaff};
use crate::service::{Caller, Door, Secrets, SystemClock, TimeOrderedIds};
use crate::store::{Options, Store, StoreUrl};
use chrono::NaiveTime;
use chrono_tz::Tz;
use clap::Args;
use std::io::BufRead;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1024;
/// How often a question is asked again after an answer that cannot be.
const TRIES: usize = 5;
/// When a business day begins where nothing else is said.
const CUTOFF: &str = "04:00";

/// What is set up.
#[derive(Debug, Default, Args)]
pub struct Init {
    /// The demo: a canteen with its menu, stock and staff
    #[arg(long, conflicts_with_all = ["name", "currency", "time_zone", "cutoff", "admin"])]
    demo: bool,
    /// The name for people; asked for where it is not given
    #[arg(long)]
    name: Option<String>,
    /// ISO 4217, such as EUR; asked for where it is not given
    #[arg(long)]
    currency: Option<String>,
    /// A zone of the IANA list, such as Europe/Berlin; asked for where it is not given
    #[arg(long)]
    time_zone: Option<String>,
    /// When the business day begins, HH:MM; asked for at a terminal, else 04:00
    #[arg(long, value_name = "HH:MM")]
    cutoff: Option<String>,
    /// The sign-in name of the first admin; the password comes from a prompt or standard input
    #[arg(long, value_name = "USERNAME")]
    admin: Option<String>,
}

/// Sets the site up.
///
/// # Errors
/// `CONFLICT` where the site is there already, `VALIDATION_ERROR` for what cannot be or is missing,
/// `STORE_UNAVAILABLE`.
pub async fn run(init: Init, desk: &Desk) -> Done {
    let config = &desk.config;
    let store = Store::open(&config.store, Options::default()).await.map_err(Refused::from)?;
    // Before the questions: nobody types a password for nothing.
    if let Some(there) = setup::find(&store, &config.site).await? {
        return Err(set_up_already(config, there.demo && !init.demo).into());
    }
    let (site, first) = if init.demo {
        (InitSite::demo(&config.site), None)
    } else {
        let (site, first) = answers(&init, desk)?;
        (site, Some(first))
    };
    let secrets = Secrets::open(&pepper_path(|name| config.variables.get(name))?)?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(TimeOrderedIds::from_machine()));
    if !setup::init(&store, &*clock, &*ids, &site).await? {
        return Err(set_up_already(config, false).into());
    }
    let door = Door::new(store, config.site.clone(), clock, ids);
    let without = if init.demo {
        Vec::new()
    } else {
        switch_off_what_cannot_be(&door, desk, Currency::parse(&site.currency)?).await?
    };
    match &first {
        Some(First { name, password }) => {
            let new = NewStaff { username: name, name, role: Role::Admin, password, pin: None };
            staff::add_staff(&door, &secrets, &Caller::System, None, &new).await?;
        }
        None => {
            staff::insert_demo(&door, &secrets).await?;
        }
    }
    let value = serde_json::json!({ "site": site.site, "name": site.name, "demo": site.demo });
    desk.output.answer(&value, || {
        let next = first.as_ref().map_or_else(String::new, |first| format!("\n{}", next_words(&first.name, &without)));
        format!("The site {} is set up at {}.{next}", site.site, config.store)
    })
}

/// Asks at the terminal what the empty store that somebody named is to become, and makes it. Does nothing
/// where it is not empty, where it becomes the demo by itself, or where nobody can be asked.
///
/// # Errors
/// As [`run`]; `NOT_FOUND` where the answer is neither.
pub async fn offer(desk: &Desk) -> Done {
    let config = &desk.config;
    if makes_demo(config) || !is_interactive() {
        return Ok(());
    }
    // What cannot be opened is said by whoever opens it next.
    let Ok(store) = Store::open(&config.store, Options::default()).await else { return Ok(()) };
    if !setup::is_empty(&store).await? {
        return Ok(());
    }
    drop(store);
    super::output::complain(&format!("The store {} is empty. What shall it be?", config.store));
    super::output::complain("1: a real place; its name, currency and first admin are asked for");
    super::output::complain("2: the demo, a canteen with menu, stock and staff whose passwords everybody knows");
    super::output::prompt("1, 2, or Enter to leave it empty: ");
    match read_answer().as_deref() {
        Some("1") => run(Init::default(), desk).await,
        Some("2") => run(Init { demo: true, ..Init::default() }, desk).await,
        _ => Err(setup::not_set_up(&config.store).into()),
    }
}

/// The refusal where the site is there already. The demo is never made real: what was tried in it, and by
/// whom, stays in its ledgers and its audit log.
fn set_up_already(config: &Config, wants_real: bool) -> Refused {
    if !wants_real {
        return Refused::conflict(format!("The site {} is set up already.", config.site))
            .help("Name another site with --site, or another store with --store.");
    }
    let example = match &config.store {
        StoreUrl::Sqlite(path) => StoreUrl::Sqlite(path.with_file_name("place.db")).to_string(),
        StoreUrl::Postgres(_) => "postgres://USER@HOST/DATABASE".to_owned(),
    };
    Refused::conflict(format!("The store {} holds the demo, and a demo stays one.", config.store))
        .help(format!("Give the real place a store of its own: export SERVERY_STORE='{example}', then servery init."))
}

/// One line that was typed, without what stands around it; `None` at the end of input.
fn read_answer() -> Option<String> {
    let mut line = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_ANSWER);
    let read = input.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim().to_owned())
}

/// A kiosk that offers a method without its keys does not start, and UPI moves no other money than rupees.
/// So a place begins with the methods that it can take; the others are switched off, and those that only
/// want their keys are named in the answer.
async fn switch_off_what_cannot_be(door: &Door, desk: &Desk, currency: Currency) -> Result<Vec<&'static str>, Refused> {
    let ready = configured_methods(&desk.config.variables, false);
    let mut without = Vec::new();
    for (method, name, key) in
        [(Method::Card, "cards", "card_payment_enabled"), (Method::Upi, "UPI", "upi_payment_enabled")]
    {
        let fits = method.takes(currency);
        if !ready.contains(&method) || !fits {
            let why = if fits { "its keys are not set yet" } else { "it does not move this currency" };
            let value = serde_json::Value::Bool(false);
            let off = SetSetting { key: key.to_owned(), value, seen: None, reason: Some(why.to_owned()) };
            door.execute(&Caller::System, None, off).await?;
            without.extend(fits.then_some(name));
        }
    }
    Ok(without)
}

/// What a new manager does next, one step a line.
fn next_words(admin: &str, without: &[&str]) -> String {
    let mut words = format!(
        "Next:\n  1. servery console   sign in as {admin}; 2 opens the menu, a adds a dish\n  \
         2. servery kiosk     where guests order\n  \
         3. servery kitchen   Space moves an order on, c takes cash"
    );
    if !without.is_empty() {
        let off = without.join(" and ");
        words.push_str(&format!("\nCash only for now: {off} are off until their keys are set (README)."));
    }
    words
}

/// The first admin.
struct First {
    name: String,
    password: Zeroizing<String>,
}

/// Everything that a person can get wrong is looked at before the site is made.
fn answers(init: &Init, desk: &Desk) -> Result<(InitSite, First), Refused> {
    let name =
        ask("name", "Name of the place, as customers read it", "Corner Canteen", None, init.name.as_ref(), |name| {
            if name.trim().is_empty() { Err(Refused::invalid("name", "The site needs a name.")) } else { Ok(()) }
        })?;
    let currency = ask("currency", "Currency, three letters", "EUR", None, init.currency.as_ref(), |code| {
        Currency::parse(&code.to_uppercase()).map(|_| ())
    })?
    .to_uppercase();
    let zone = machine_zone();
    let time_zone = ask("time-zone", "Time zone", "Europe/Berlin", zone.as_deref(), init.time_zone.as_ref(), |zone| {
        let unknown = || Refused::invalid("time_zone", "Give a zone such as Europe/Berlin, or its city alone.");
        known_zone(zone).map(|_| ()).ok_or_else(unknown)
    })?;
    let time_zone = known_zone(&time_zone).map_or(time_zone, |zone| zone.name().to_owned());
    let given = init.cutoff.clone().or_else(|| (!is_interactive()).then(|| CUTOFF.to_owned()));
    let cutoff = ask(
        "cutoff",
        "Sales before this time belong to the day before",
        "04:00",
        Some(CUTOFF),
        given.as_ref(),
        |time| {
            let read = NaiveTime::parse_from_str(time, "%H:%M").map(|_| ());
            read.map_err(|_| Refused::invalid("cutoff", "Give a time of day such as 04:00."))
        },
    )?;
    let admin = ask("admin", "Sign-in name of the first admin", "asha", None, init.admin.as_ref(), |name| {
        staff::check_username(&name.to_lowercase())
    })?
    .to_lowercase();
    let password = password(&admin, desk)?;
    let business_day_cutoff = NaiveTime::parse_from_str(&cutoff, "%H:%M").map_err(Refused::internal)?;
    let site = InitSite { site: desk.config.site.clone(), name, currency, time_zone, business_day_cutoff, demo: false };
    Ok((site, First { name: admin, password }))
}

/// The answer to one question: the flag's, else what is typed at the terminal, asked for again while it
/// cannot be. An empty answer takes the `usual` one.
fn ask(
    flag: &str,
    question: &str,
    example: &str,
    usual: Option<&str>,
    given: Option<&String>,
    check: impl Fn(&str) -> Result<(), Refused>,
) -> Result<String, Refused> {
    if let Some(given) = given {
        check(given)?;
        return Ok(given.clone());
    }
    let missing = || {
        Refused::invalid(flag, format!("--{flag} is missing."))
            .help(format!("Give --{flag} (such as {example}), or run servery init at a terminal: it asks."))
    };
    if !is_interactive() {
        return Err(missing());
    }
    for _ in 0..TRIES {
        let hint = usual.map_or_else(|| format!("such as {example}"), |usual| format!("Enter for {usual}"));
        super::output::prompt(&format!("{question} ({hint}): "));
        let typed = read_answer().ok_or_else(missing)?;
        let answer = if typed.is_empty() { usual.unwrap_or_default().to_owned() } else { typed };
        match check(&answer) {
            Ok(()) => return Ok(answer),
            Err(refused) => super::output::complain(&refused.message),
        }
    }
    Err(missing())
}

/// The password: twice from a prompt, or once from standard input.
fn password(username: &str, desk: &Desk) -> Result<Zeroizing<String>, Refused> {
    for _ in 0..TRIES {
        let password = desk.secret(if is_interactive() { "Password (8 characters or more)" } else { "Password" })?;
        let judged = crate::service::sign_in::check_password(username, &password);
        if !is_interactive() {
            return judged.map(|()| password);
        }
        match judged {
            Err(refused) => super::output::complain(&refused.message),
            Ok(()) if *desk.secret("Once more")? == *password => return Ok(password),
            Ok(()) => super::output::complain("The two are not the same."),
        }
    }
    Err(Refused::invalid("password", "No password was chosen."))
}

/// The zone of this name, in any case; or the one zone whose city this is (`berlin`).
fn known_zone(typed: &str) -> Option<Tz> {
    let wanted = typed.trim().replace(' ', "_").to_lowercase();
    let mut known = chrono_tz::TZ_VARIANTS.iter().copied();
    if let Some(zone) = known.find(|zone| zone.name().to_lowercase() == wanted) {
        return Some(zone);
    }
    let city = format!("/{wanted}");
    let mut of_city = chrono_tz::TZ_VARIANTS.iter().copied().filter(|zone| zone.name().to_lowercase().ends_with(&city));
    match (of_city.next(), of_city.next()) {
        (Some(zone), None) => Some(zone),
        _ => None,
    }
}

/// The zone of this machine, where it says so by the name of the list.
fn machine_zone() -> Option<String> {
    let link = std::fs::read_link("/etc/localtime").ok()?;
    let path = link.to_str()?;
    let (_, zone) = path.split_once("zoneinfo/")?;
    zone.parse::<Tz>().ok().map(|_| zone.to_owned())
}
