//! What a process is told: the configuration file, the environment (with `.env`) and the flags, the
//! later winning over the earlier. Unknown keys are refused by name. No secret stands in the file:
//! keys of payment providers come from the environment only.

use crate::domain::error::Refused;
use crate::domain::ids::SiteId;
use crate::store::StoreUrl;
use crate::worker::backups::BackupSchedule;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use tracing_subscriber::filter::Targets;

/// The longest configuration file, in bytes.
const MAX_FILE: u64 = 256 * 1024;
/// Seconds after which the simulated UPI customer of the demo store pays.
const DEMO_UPI_SECONDS: i64 = 8;
/// Hours from one scheduled backup to the next, unless said otherwise.
const BACKUP_EVERY_HOURS: i64 = 24;
/// Scheduled backups that are kept, unless said otherwise.
const BACKUP_KEEP: i64 = 14;

/// The environment, with the file `.env` of the working folder behind it.
///
/// Never `Debug` with values: it holds secrets.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, OsString>,
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Variables {
    /// The environment of this process; what it leaves out comes from `.env` in the working folder.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a `.env` that cannot be read.
    pub fn of_process() -> Result<Self, Refused> {
        let mut values = BTreeMap::new();
        match dotenvy::from_path_iter(".env") {
            Ok(pairs) => {
                for pair in pairs {
                    // The error's own words would repeat the line, and with it a secret.
                    let (name, value) =
                        pair.map_err(|_| Refused::invalid(".env", "The file .env has a line that is not NAME=value."))?;
                    values.insert(name, value.into());
                }
            }
            Err(error) if error.not_found() => {}
            Err(_) => return Err(Refused::invalid(".env", "The file .env cannot be read.")),
        }
        for (name, value) in std::env::vars_os() {
            if let Ok(name) = name.into_string() {
                values.insert(name, value);
            }
        }
        Ok(Self { values })
    }

    /// Made of pairs, for tests.
    #[must_use]
    pub fn from_pairs<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        Self { values: pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect() }
    }

    /// The variable, unless it is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<OsString> {
        self.values.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// The variable as text.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on the variable when it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<String>, Refused> {
        self.get(name)
            .map(|value| value.into_string().map_err(|_| Refused::invalid(name, format!("{name} is not UTF-8."))))
            .transpose()
    }

    /// A folder of the XDG base directories, with `servery` in it.
    fn folder(&self, variable: &str, in_home: &str) -> Result<PathBuf, Refused> {
        let absolute = |value: OsString| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
        self.get(variable)
            .and_then(absolute)
            .or_else(|| self.get("HOME").and_then(absolute).map(|home| home.join(in_home)))
            .map(|folder| folder.join("servery"))
            .ok_or_else(|| {
                Refused::invalid(variable, format!("There is no folder: neither {variable} nor HOME is set."))
                    .help(format!("Set {variable} or HOME to an absolute path."))
            })
    }
}

/// The configuration file as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    store: Option<String>,
    site: Option<String>,
    terminal: Option<String>,
    gateway_script: Option<PathBuf>,
    upi_approval: Option<String>,
    log: Option<String>,
    log_json: Option<bool>,
    backup_folder: Option<PathBuf>,
    backup_every_hours: Option<i64>,
    backup_keep: Option<i64>,
}

/// What the flags of the command line say; they win over everything.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config FILE`
    pub config: Option<PathBuf>,
    /// `--store URL`
    pub store: Option<String>,
    /// `--site NAME`
    pub site: Option<String>,
    /// `--terminal NAME`
    pub terminal: Option<String>,
    /// `--gateway-script FILE`
    pub gateway_script: Option<PathBuf>,
    /// `--log-json`
    pub log_json: bool,
}

/// When the simulated UPI customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpiApproval {
    /// By webhook or script only.
    Manual,
    /// So many seconds after the code was shown.
    AfterSeconds(i64),
}

/// What a process is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the store is.
    pub store: StoreUrl,
    /// Whether that is the default place, named by nobody.
    pub store_is_default: bool,
    /// The site served.
    pub site: String,
    /// The name under which this process registers; none: made of role and host.
    pub terminal: Option<String>,
    /// The script that fixes the outcomes of the simulated gateways.
    pub gateway_script: Option<PathBuf>,
    /// When the simulated UPI customer pays; none: in the demo store after a few seconds, else never
    /// by itself.
    pub upi_approval: Option<UpiApproval>,
    /// What is logged: a level, and others for parts of the program.
    pub log: Targets,
    /// Whether the log is JSON lines.
    pub log_json: bool,
    /// The folder for what a process remembers between runs: sessions, carts, the log.
    pub state_folder: PathBuf,
    /// The folder of configuration.
    pub config_folder: PathBuf,
    /// The backups that this machine makes by itself; none where no folder is named. Not a setting of the store: a folder
    /// is a machine's own.
    pub backups: Option<BackupSchedule>,
    /// The environment, for secrets.
    pub variables: Variables,
}

impl Config {
    /// Reads file, environment and flags.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the key or variable that is unknown or cannot be read.
    pub fn load(flags: &Flags, variables: Variables) -> Result<Self, Refused> {
        let config_folder = variables.folder("XDG_CONFIG_HOME", ".config")?;
        let state_folder = variables.folder("XDG_STATE_HOME", ".local/state")?;
        let named = flags.config.clone().or_else(|| variables.get("SERVERY_CONFIG").map(PathBuf::from));
        let file = match named {
            Some(path) => read_file(&path)?.ok_or_else(|| {
                Refused::invalid("config", format!("There is no configuration file {}.", path.display()))
            })?,
            None => read_file(&config_folder.join("config.toml"))?.unwrap_or_default(),
        };
        let pick = |flag: &Option<String>, variable: &str, file: Option<String>| -> Result<Option<String>, Refused> {
            Ok(flag.clone().or(variables.text(variable)?).or(file))
        };
        let store = pick(&flags.store, "SERVERY_STORE", file.store)?;
        let store_is_default = store.is_none();
        let store = match store {
            Some(text) => StoreUrl::parse(&text).map_err(|error| {
                Refused::invalid("store", "The store's address is not usable.")
                    .help("Give sqlite:PATH or postgres://USER@HOST/DATABASE.")
                    .with("why", error.to_string())
            })?,
            None => StoreUrl::Sqlite(variables.folder("XDG_DATA_HOME", ".local/share")?.join("servery.db")),
        };
        let site = pick(&flags.site, "SERVERY_SITE", file.site)?.unwrap_or_else(|| SiteId::MAIN.to_owned());
        let terminal = pick(&flags.terminal, "SERVERY_TERMINAL", file.terminal)?;
        let script = flags.gateway_script.clone();
        let script = script.or_else(|| variables.get("SERVERY_GATEWAY_SCRIPT").map(PathBuf::from));
        let upi_approval = pick(&None, "SERVERY_UPI_APPROVAL", file.upi_approval)?;
        let log = pick(&None, "SERVERY_LOG", file.log)?.unwrap_or_else(|| "info".to_owned());
        let log = log.parse::<Targets>().map_err(|_| {
            Refused::invalid("log", "What is logged cannot be read.")
                .help("Give a level (error, warn, info, debug, trace or off), or several with commas: warn,servery::worker=debug.")
        })?;
        let log_json = match variables.text("SERVERY_LOG_JSON")?.as_deref() {
            Some("1" | "true") => true,
            Some("0" | "false") => false,
            Some(_) => return Err(Refused::invalid("SERVERY_LOG_JSON", "SERVERY_LOG_JSON is true or false.")),
            None => file.log_json.unwrap_or(false),
        };
        let folder = variables.get("SERVERY_BACKUP_FOLDER").map(PathBuf::from).or(file.backup_folder);
        let number = |variable: &str, key: &str, file: Option<i64>, unset: i64, most: i64| -> Result<i64, Refused> {
            let text = variables.text(variable)?;
            let value = match &text {
                Some(text) => text.trim().parse::<i64>().ok(),
                None => Some(file.unwrap_or(unset)),
            };
            let least = i64::from(key == "backup_every_hours");
            let refuse = || Refused::invalid(key, format!("{key} is a number from {least} to {most}."));
            value.filter(|value| (least..=most).contains(value)).ok_or_else(refuse)
        };
        let hours = ("SERVERY_BACKUP_EVERY_HOURS", "backup_every_hours");
        let every_hours = number(hours.0, hours.1, file.backup_every_hours, BACKUP_EVERY_HOURS, 8_760)?;
        let keep = number("SERVERY_BACKUP_KEEP", "backup_keep", file.backup_keep, BACKUP_KEEP, 100_000)?;
        let backups = match folder {
            Some(folder) if !folder.is_absolute() => {
                return Err(Refused::invalid("backup_folder", "backup_folder is an absolute path."));
            }
            Some(folder) => {
                let keep = usize::try_from(keep).map_err(Refused::internal)?;
                Some(BackupSchedule { folder, every_seconds: every_hours.saturating_mul(3_600), keep })
            }
            None => None,
        };
        Ok(Self {
            backups,
            store,
            store_is_default,
            site,
            terminal,
            gateway_script: script.or(file.gateway_script),
            upi_approval: upi_approval.as_deref().map(parse_approval).transpose()?,
            log,
            log_json: log_json || flags.log_json,
            state_folder,
            config_folder,
            variables,
        })
    }

    /// When the simulated UPI customer pays in a store that is, or is not, the demo.
    #[must_use]
    pub fn upi_approval(&self, demo: bool) -> UpiApproval {
        let unset = if demo { UpiApproval::AfterSeconds(DEMO_UPI_SECONDS) } else { UpiApproval::Manual };
        self.upi_approval.unwrap_or(unset)
    }
}

fn parse_approval(text: &str) -> Result<UpiApproval, Refused> {
    if text == "manual" {
        return Ok(UpiApproval::Manual);
    }
    text.parse::<i64>()
        .ok()
        .filter(|seconds| (0..=3_600).contains(seconds))
        .map(UpiApproval::AfterSeconds)
        .ok_or_else(|| Refused::invalid("upi_approval", "upi_approval is manual, or seconds from 0 to 3600."))
}

/// The file; `None` where there is none.
fn read_file(path: &Path) -> Result<Option<File>, Refused> {
    let shown = path.display();
    let refuse = |message: String| Refused::invalid("config", message).help("Correct the file, or take it away.");
    match std::fs::metadata(path) {
        Ok(found) if found.len() > MAX_FILE => return Err(refuse(format!("{shown} is too large."))),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(format!("{shown} cannot be read: {error}."))),
    }
    let text = std::fs::read_to_string(path).map_err(|error| refuse(format!("{shown} cannot be read: {error}.")))?;
    parse_file(&text).map(Some).map_err(|message| refuse(format!("{shown}: {message}")))
}

fn parse_file(text: &str) -> Result<File, String> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        // One line and without the source line, which may hold a password.
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let message = parse_file("site = \"main\"\nstroe = \"x\"\n").expect_err("unknown");
        assert!(message.contains("stroe") && message.contains("line 2"), "{message}");
    }

    #[test]
    fn what_is_logged_is_a_level_or_levels_of_parts() {
        let config =
            |log| Config::load(&Flags::default(), Variables::from_pairs([("HOME", "/h"), ("SERVERY_LOG", log)]));
        let debug = config("warn,servery::worker=debug").expect("a configuration").log;
        assert!(debug.would_enable("servery::worker", &tracing::Level::DEBUG));
        assert!(!debug.would_enable("servery::store", &tracing::Level::INFO));
        let refused = config("servery=loud").expect_err("no level");
        assert!(refused.help.contains("debug"), "{}", refused.message);
    }

    #[test]
    fn flags_win_over_the_environment() {
        let variables = Variables::from_pairs([("HOME", "/home/cook"), ("SERVERY_SITE", "north")]);
        let config = Config::load(&Flags::default(), variables.clone()).expect("config");
        assert_eq!(config.site, "north");
        assert_eq!(config.store, StoreUrl::Sqlite("/home/cook/.local/share/servery/servery.db".into()));
        let flags = Flags { site: Some("south".to_owned()), ..Flags::default() };
        assert_eq!(Config::load(&flags, variables).expect("config").site, "south");
    }

    #[test]
    fn backups_are_made_where_a_folder_is_named() {
        let load = |pairs: [(&str, &str); 3]| Config::load(&Flags::default(), Variables::from_pairs(pairs));
        let home = ("HOME", "/home/cook");
        assert_eq!(load([home, ("A", "b"), ("SERVERY_BACKUP_KEEP", "3")]).expect("config").backups, None);
        let folder = ("SERVERY_BACKUP_FOLDER", "/srv/backups");
        let config = load([home, folder, ("SERVERY_BACKUP_EVERY_HOURS", "6")]).expect("config");
        let schedule = BackupSchedule { folder: "/srv/backups".into(), every_seconds: 21_600, keep: 14 };
        assert_eq!(config.backups, Some(schedule));
        for wrong in [("SERVERY_BACKUP_EVERY_HOURS", "0"), ("SERVERY_BACKUP_KEEP", "-1"), ("SERVERY_BACKUP_KEEP", "x")]
        {
            assert!(load([home, folder, wrong]).is_err(), "{wrong:?}");
        }
        assert!(load([home, ("A", "b"), ("SERVERY_BACKUP_FOLDER", "here")]).is_err(), "whose folder would that be");
    }

    #[test]
    fn without_home_and_folders_it_says_which_to_set() {
        let refused = Config::load(&Flags::default(), Variables::default()).expect_err("no folder");
        assert_eq!(refused.details["field"], "XDG_CONFIG_HOME");
    }

    #[test]
    fn values_of_variables_are_never_shown() {
        let variables = Variables::from_pairs([("STRIPE_SECRET_KEY", "sk_test_12345678")]);
        assert!(!format!("{variables:?}").contains("12345678"));
    }
}
