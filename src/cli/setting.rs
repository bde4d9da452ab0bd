//! `servery config`: the settings of the site, in force for every process at once. What this process
//! alone is told stands in the configuration file.

use super::app::Role;
use super::desk::Desk;
use super::output::{Done, shown, table};
use super::shape;
use crate::domain::error::Refused;
use crate::service::settings::{ListSettings, SetSetting, SettingHistory, SettingView};
use clap::Subcommand;
use serde_json::Value;

/// What can be done with settings.
#[derive(Debug, Subcommand)]
pub enum Setting {
    /// One setting
    Get {
        /// Its key
        // Under a name of its own: `key` is the idempotency key of every command.
        #[arg(value_name = "KEY")]
        setting: String,
    },
    /// Set one
    Set {
        /// Its key
        // Under a name of its own: `key` is the idempotency key of every command.
        #[arg(value_name = "KEY")]
        setting: String,
        /// Its value
        value: String,
        /// Only while it is still this
        #[arg(long, value_name = "VALUE")]
        seen: Option<String>,
        /// Why; needed where the restaurant, a way of paying, delivery or a time slot goes
        #[arg(long)]
        reason: Option<String>,
    },
    /// Every setting
    List,
    /// Who changed a setting, when and from what to what, newest first
    History {
        /// Its key
        // Under a name of its own: `key` is the idempotency key of every command.
        #[arg(value_name = "KEY")]
        setting: String,
        /// The most rows
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// The `next` of the page before
        #[arg(long)]
        after: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse; `NOT_FOUND` for an unknown key.
pub async fn run(command: Setting, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    match command {
        Setting::List => {
            let settings = counter.ask(ListSettings).await?;
            counter.output().answer(&settings, || {
                let rows: Vec<Vec<String>> = settings
                    .iter()
                    .map(|setting| vec![setting.key.clone(), text(&setting.value), setting.kind.clone()])
                    .collect();
                table(&["KEY", "VALUE", "TAKES"], &rows)
            })
        }
        Setting::History { setting: key, limit, after } => {
            let page = counter.ask(SettingHistory { key, after, limit }).await?;
            let value = shape::own_page(&page, counter.house.site.currency)?;
            counter.output().answer(&value, || {
                let rows: Vec<Vec<String>> = page
                    .items
                    .iter()
                    .map(|change| {
                        let by = change.by.clone().unwrap_or_default();
                        let why = change.reason.clone().unwrap_or_default();
                        vec![change.at.to_rfc3339(), by, text(&change.before), text(&change.after), why]
                    })
                    .collect();
                table(&["AT", "BY", "BEFORE", "AFTER", "WHY"], &rows)
            })
        }
        Setting::Get { setting: key } => {
            let settings = counter.ask(ListSettings).await?;
            let found = settings.into_iter().find(|setting| setting.key == key);
            let setting = found.ok_or_else(|| Refused::not_found("setting", shown(&key)))?;
            counter.output().answer(&setting, || words(&setting))
        }
        Setting::Set { setting: key, value, seen, reason } => {
            let (value, seen) = (Value::String(value), seen.map(Value::String));
            let setting = counter.execute(SetSetting { key, value, seen, reason }).await?;
            counter.output().answer(&setting, || match &setting.warning {
                Some(warning) => format!("{}\nWarning: {warning}", words(&setting)),
                None => words(&setting),
            })
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn words(setting: &SettingView) -> String {
    format!("{} = {}", setting.key, shown(&text(&setting.value)))
}
