//! The parts of the README that are made from the code: the state diagram, the transition table, the
//! settings, the error codes, the keys and the commands. They stand between `<!-- made: NAME -->` and
//! `<!-- made: end -->`. `SERVERY_DOCS=1 cargo test --test docs` writes them anew; without it the test
//! fails where they differ.

#![expect(clippy::expect_used, reason = "a test says where it stopped")]

use clap::CommandFactory;
use servery::cli::Cli;
use servery::domain::error::ErrorCode;
use servery::domain::order::{Row, Status, TABLE, To};
use servery::domain::settings::{KEYS, Kind, Settings};
use servery::tui::keymap::{Context, Keymap};
use servery::tui::locale::Locale;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// Where a row leads, if it moves the order.
fn target(row: &Row) -> Option<Status> {
    match row.to {
        To::Same => None,
        To::Status(status) | To::End(status, _) => Some(status),
    }
}

/// A state diagram in the language that code hosts draw.
fn diagram() -> String {
    let mut edges: BTreeMap<(String, Status), BTreeSet<&str>> = BTreeMap::new();
    for row in TABLE {
        let Some(to) = target(row) else { continue };
        if row.from.is_empty() {
            edges.entry(("[*]".to_owned(), to)).or_default().insert(row.t);
        }
        for from in row.from.iter().filter(|from| !from.is_terminal()) {
            edges.entry((from.as_str().to_owned(), to)).or_default().insert(row.t);
        }
    }
    let mut text = "```mermaid\nstateDiagram-v2\n".to_owned();
    for ((from, to), rows) in &edges {
        let rows: Vec<&str> = rows.iter().copied().collect();
        writeln!(text, "    {from} --> {to}: {}", rows.join(" ")).expect("text");
    }
    for status in Status::ALL.iter().filter(|status| status.is_terminal()) {
        writeln!(text, "    {status} --> [*]").expect("text");
    }
    text + "```"
}

fn table() -> String {
    let words = |text: &str| text.replace('_', " ");
    let mut text = "| | From | Event | Who | Must hold | To | Tells |\n|--|--|--|--|--|--|--|\n".to_owned();
    for row in TABLE {
        let from = match row.from {
            [] => "–".to_owned(),
            all if all.len() == Status::ALL.len() => "any".to_owned(),
            some => some.iter().map(|status| words(status.as_str())).collect::<Vec<_>>().join(", "),
        };
        let when: Vec<String> = row.when.iter().map(|selector| words(selector.as_str())).collect();
        let from = if when.is_empty() { from } else { format!("{from} ({})", when.join(", ")) };
        let who: Vec<String> = row
            .roles
            .iter()
            .map(|(role, guards)| {
                let bound: Vec<String> = guards.iter().map(|guard| words(guard.as_str())).collect();
                let pin = if row.kitchen_needs_pin && role.as_str() == "kitchen" { " + PIN" } else { "" };
                if bound.is_empty() { format!("{role}{pin}") } else { format!("{role} ({})", bound.join(", ")) }
            })
            .collect();
        let guards: Vec<String> = row.guards.iter().map(|guard| words(guard.as_str())).collect();
        let to = match row.to {
            To::Same => "same".to_owned(),
            To::Status(status) => words(status.as_str()),
            To::End(status, reason) => format!("{} ({})", words(status.as_str()), words(reason.as_str())),
        };
        let tells: Vec<&str> = row.emits.iter().map(|emit| emit.as_str()).collect();
        writeln!(
            text,
            "| {} | {from} | {} | {} | {} | {to} | {} |",
            row.t,
            words(row.event.as_str()),
            who.join(", "),
            guards.join(", "),
            tells.join(", ")
        )
        .expect("text");
    }
    text.trim_end().to_owned()
}

fn settings() -> String {
    let defaults = Settings::default();
    let mut text = "| Setting | Takes | Default |\n|--|--|--|\n".to_owned();
    for (key, kind) in KEYS {
        let takes = match kind {
            Kind::Switch => "true or false".to_owned(),
            Kind::Number { min, max } => format!("{min} to {max}"),
            Kind::Amount => "an amount in the site's currency".to_owned(),
            Kind::TimeOfDay => "HH:MM".to_owned(),
            Kind::AutoAccept => "off, prepaid or all".to_owned(),
            Kind::Slots => "slots with start and end".to_owned(),
        };
        let value = defaults.get(key).expect("every key has a value");
        let value = if *kind == Kind::Amount { "20.00".to_owned() } else { value.to_string().replace('"', "") };
        writeln!(text, "| `{key}` | {takes} | {} |", value.replace('|', "\\|")).expect("text");
    }
    text.trim_end().to_owned()
}

fn errors() -> String {
    let mut text = "| Code | What the person can do |\n|--|--|\n".to_owned();
    for code in ErrorCode::ALL {
        writeln!(text, "| `{code}` | {} |", code.help()).expect("text");
    }
    text.trim_end().to_owned()
}

fn keys() -> String {
    let keymap = Keymap::load(None).expect("the built-in keys");
    let locale = Locale::load(None).expect("the built-in words");
    let everywhere = |context: Context| match context.parent() {
        Some(parent) => keymap.actions_in(parent),
        None => Vec::new(),
    };
    let mut text = String::new();
    let shown = [
        (Context::Menu, "Kiosk: menu"),
        (Context::Item, "Kiosk: a dish"),
        (Context::Cart, "Kiosk: the order"),
        (Context::Payment, "Kiosk: payment"),
        (Context::Kitchen, "Kitchen"),
        (Context::Console, "Console, every tab"),
        (Context::ConsoleOrders, "Console: orders"),
        (Context::ConsoleMenu, "Console: menu"),
        (Context::ConsolePromotions, "Console: promotion codes"),
        (Context::ConsoleStock, "Console: stock"),
        (Context::ConsoleTill, "Console: till"),
        (Context::ConsoleSettings, "Console: settings"),
        (Context::ConsoleStaff, "Console: staff"),
        (Context::ConsoleReports, "Console: reports"),
        (Context::ConsoleAudit, "Console: audit"),
        (Context::ConsoleHealth, "Console: health"),
    ];
    for (context, title) in shown {
        let own: Vec<String> = keymap
            .actions_in(context)
            .into_iter()
            .filter(|action| !everywhere(context).contains(action))
            .map(|action| {
                let keys: Vec<String> = keymap.keys_for(context, action).iter().map(|key| format!("`{key}`")).collect();
                format!("{} {}", keys.join(" "), locale.t(action.label_key()))
            })
            .collect();
        writeln!(text, "- **{title}**: {}", own.join(" · ")).expect("text");
    }
    text.trim_end().to_owned()
}

/// Every command of the program, with what it knows to do.
fn commands() -> String {
    let command = Cli::command();
    let mut text = String::new();
    for one in command.get_subcommands().filter(|one| one.get_name() != "help" && !one.is_hide_set()) {
        let about = one.get_about().map(ToString::to_string).unwrap_or_default();
        let own: Vec<String> = one
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help")
            .map(|sub| format!("`{}`", sub.get_name()))
            .collect();
        let own = if own.is_empty() { String::new() } else { format!(": {}", own.join(" ")) };
        writeln!(text, "- **{}** – {about}{own}", one.get_name()).expect("text");
    }
    text.trim_end().to_owned()
}

#[test]
fn what_is_made_from_the_code_is_as_the_code_says() {
    let mut readme = std::fs::read_to_string(README).expect("README.md");
    let parts: [(&str, String); 6] = [
        ("diagram", diagram()),
        ("transitions", table()),
        ("settings", settings()),
        ("errors", errors()),
        ("keys", keys()),
        ("commands", commands()),
    ];
    let mut stale = Vec::new();
    for (name, made) in parts {
        let begin = format!("<!-- made: {name} -->\n");
        let from = readme.find(&begin).map(|at| at + begin.len()).expect("the README has the part");
        let to = readme[from..].find("\n<!-- made: end -->").map(|at| from + at).expect("the part ends");
        if readme[from..to] != made {
            stale.push(name);
            readme.replace_range(from..to, &made);
        }
    }
    if std::env::var("SERVERY_DOCS").is_ok() {
        std::fs::write(README, readme).expect("README.md can be written");
    } else {
        assert!(stale.is_empty(), "write them anew with SERVERY_DOCS=1 cargo test --test docs: {stale:?}");
    }
}
