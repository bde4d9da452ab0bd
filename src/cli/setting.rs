//! `servery config`: the settings of the site, in force for every process at once. What this process
//! alone is told stands in the configuration file.

use super::app::Role;
use super::desk::Desk;
use super::output::{Done, shown, table};
use crate::domain::error::Refused;
use crate::service::settings::{ListSettings, SetSetting, SettingView};
use clap::Subcommand;
use serde_json::Value;

/// What can be done with settings.
#[derive(Debug, Subcommand)]
pub enum Setting {
    /// One setting
    Get {
        /// Its key
        key: String,
    },
    /// Set one
    Set {
        /// Its key
        key: String,
        /// Its value
        value: String,
    },
    /// Every setting
    List,
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
        Setting::Get { key } => {
            let settings = counter.ask(ListSettings).await?;
            let found = settings.into_iter().find(|setting| setting.key == key);
            let setting = found.ok_or_else(|| Refused::not_found("setting", shown(&key)))?;
            counter.output().answer(&setting, || words(&setting))
        }
        Setting::Set { key, value } => {
            let setting = counter.execute(SetSetting { key, value: Value::String(value) }).await?;
            counter.output().answer(&setting, || words(&setting))
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn words(setting: &SettingView) -> String {
    format!("{} = {}", setting.key, shown(&text(&setting.value)))
}
