//! `servery menu`: what can be ordered now, whole menus as files, prices, and switching dishes off. Small
//! changes by those who keep the menu are in `menu_edit`.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::menu_edit;
use super::output::{Done, Failure, shown, table};
use super::shape;
use crate::domain::consumption::Availability;
use crate::domain::error::Refused;
use crate::domain::menu::DietFilter;
use crate::service::menu::{ItemChanged, MenuNow, SetAvailable, SetPrice};
use crate::service::menu_file::{MAX_BYTES, MenuFile};
use crate::service::menu_import::{MenuDiff, MenuExport, MenuImport, MenuPreview};
use crate::service::views::{ItemView, MenuView};
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// What can be done with the menu.
#[derive(Debug, Subcommand)]
pub enum Menu {
    /// What can be ordered now
    List(List),
    /// Make the menu that of a file
    Import(Import),
    /// Write the menu as a file
    Export(Export),
    /// Set the price of an item
    SetPrice {
        /// The item's code
        item: String,
        /// The price, such as 120.00
        price: String,
    },
    /// Switch an item, or one option of it, off for now
    #[command(name = "86")]
    EightySix(Switch),
    /// Switch an item, or one option of it, on again
    #[command(name = "un-86")]
    UnEightySix(Switch),
    #[command(flatten)]
    Keep(Box<menu_edit::Keeping>),
}

/// Which part of the menu is listed.
#[derive(Debug, Args)]
pub struct List {
    /// Only items that hold these words
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// Only items of these diets: veg, vegan, egg, non_veg
    #[arg(long, value_parser = diet, value_name = "DIET")]
    diet: Option<DietFilter>,
    /// Only items of this category
    #[arg(long, value_name = "NAME")]
    category: Option<String>,
}

/// The form of a menu file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// TOML, the whole menu
    Toml,
    /// CSV, the items
    Csv,
}

/// What is imported.
#[derive(Debug, Args)]
pub struct Import {
    /// The file; - reads standard input
    file: PathBuf,
    /// Its form; else the file's extension says
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    /// Why; needed where something that is on the menu changes or goes
    #[arg(long)]
    reason: Option<String>,
}

/// Where the menu goes.
#[derive(Debug, Args)]
pub struct Export {
    /// The file; else standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Its form; else the file's extension says, else TOML
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// What is switched.
#[derive(Debug, Args)]
pub struct Switch {
    /// The item's code
    item: String,
    /// Only this option of it
    #[arg(long, value_name = "NAME")]
    option: Option<String>,
}

fn diet(word: &str) -> Result<DietFilter, String> {
    let known = DietFilter::ALL.into_iter().find(|filter| filter.as_str() == word);
    known.ok_or_else(|| "say any, veg, vegan, egg or non_veg".to_owned())
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse; `VALIDATION_ERROR` for a file that cannot be read or written.
pub async fn run(command: Menu, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    match command {
        Menu::List(list) => self::list(list, &counter).await,
        Menu::Import(import) => self::import(import, &counter).await,
        Menu::Export(export) => self::export(export, &counter).await,
        Menu::SetPrice { item, price } => {
            let changed = counter.execute(SetPrice { item, price }).await?;
            let currency = counter.house.site.currency;
            counter.answer(&changed, || {
                format!("{} ({}) costs {}.", shown(&changed.name), changed.code, changed.price.display(currency))
            })
        }
        Menu::EightySix(switch) => self::switch(switch, false, &counter).await,
        Menu::UnEightySix(switch) => self::switch(switch, true, &counter).await,
        Menu::Keep(change) => menu_edit::run(*change, &counter).await,
    }
}

async fn list(list: List, counter: &Counter<'_>) -> Done {
    let mut query = MenuNow { search: list.search, diet: list.diet, category: None };
    if let Some(name) = &list.category {
        let whole = counter.ask(MenuNow::default()).await?;
        let found = whole.categories.iter().find(|category| category.name.eq_ignore_ascii_case(name));
        query.category = Some(found.ok_or_else(|| Refused::not_found("category", shown(name)))?.id);
    }
    let menu = counter.ask(query).await?;
    counter.answer(&menu, || words(&menu))
}

fn words(menu: &MenuView) -> String {
    let state = |item: &ItemView| match &item.availability {
        Availability::Available { left: None } => String::new(),
        Availability::Available { left: Some(left) } => format!("{left} left"),
        Availability::SoldOut => "sold out".to_owned(),
        Availability::OutOfSlot { slots } => format!("at {}", slots.join(", ")),
        Availability::EightySixed => "off".to_owned(),
        Availability::Inactive => "gone".to_owned(),
    };
    let mut out = format!("{} · {}\n", shown(&menu.site), if menu.open { "open" } else { "closed" });
    for category in &menu.categories {
        let items = menu.items.iter().filter(|item| item.category_id == category.id);
        let rows: Vec<Vec<String>> = items
            .map(|item| {
                let options: Vec<&str> = item.option_groups.iter().map(|group| group.name.as_str()).collect();
                vec![
                    item.code.clone(),
                    item.name.clone(),
                    item.price.display(menu.currency),
                    item.diet.as_str().to_owned(),
                    state(item),
                    options.join(", "),
                ]
            })
            .collect();
        out.push_str(&format!("\n{}\n", shown(&category.name)));
        out.push_str(&table(&["CODE", "NAME", "PRICE>", "DIET", "STOCK", "OPTIONS"], &rows));
    }
    out
}

fn format_of(path: Option<&Path>, said: Option<Format>) -> Result<Format, Failure> {
    let extension = path.and_then(Path::extension).and_then(|extension| extension.to_str());
    match (said, extension, path) {
        (Some(format), ..) => Ok(format),
        (None, Some("toml"), _) | (None, _, None) => Ok(Format::Toml),
        (None, Some("csv"), _) => Ok(Format::Csv),
        _ => Err(Failure::Usage("say --format toml or --format csv: the file's name does not".to_owned())),
    }
}

fn read(path: &Path) -> Result<String, Refused> {
    use std::io::Read;
    let refuse = |why: String| {
        Refused::invalid("file", format!("{} cannot be read: {why}.", path.display())).help("Name a menu file.")
    };
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| refuse(error.to_string()))?;
    if bytes.len() > MAX_BYTES {
        return Err(refuse(format!("it is larger than {} MiB", MAX_BYTES / 1024 / 1024)));
    }
    String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8".to_owned()))
}

async fn import(import: Import, counter: &Counter<'_>) -> Done {
    let path = Some(import.file.as_path()).filter(|path| *path != Path::new("-"));
    let format = format_of(path, import.format)?;
    let text = read(&import.file)?;
    let file = match format {
        Format::Toml => MenuFile::from_toml(&text)?,
        Format::Csv => MenuFile::from_csv(&text)?,
    };
    let diff = if import.dry_run {
        counter.ask(MenuPreview { file }).await?
    } else {
        counter.execute(MenuImport { file, dry_run: false, reason: import.reason }).await?
    };
    counter.answer(&diff, || diff_words(&diff))
}

fn diff_words(diff: &MenuDiff) -> String {
    let mut out = String::new();
    for (sign, entries) in [("+", &diff.added), ("~", &diff.changed), ("-", &diff.removed)] {
        for entry in entries {
            let words = if entry.words.is_empty() { String::new() } else { format!(": {}", entry.words.join("; ")) };
            out.push_str(&format!("{sign} {} {} ({}){}\n", entry.kind, shown(&entry.name), entry.key, shown(&words)));
        }
    }
    let what = if diff.dry_run { "would be" } else { "were" };
    let (added, changed, removed) = (diff.added.len(), diff.changed.len(), diff.removed.len());
    out.push_str(&format!(
        "{added} {what} added, {changed} {what} changed, {removed} {what} removed, {} stay.",
        diff.unchanged
    ));
    out
}

async fn export(export: Export, counter: &Counter<'_>) -> Done {
    let format = format_of(export.output.as_deref(), export.format)?;
    let file = counter.ask(MenuExport).await?;
    let text = match format {
        Format::Toml => file.to_toml()?,
        Format::Csv => file.to_csv()?,
    };
    let Some(path) = export.output else {
        if counter.output().json {
            return counter.output().answer(&file, String::new);
        }
        return counter.output().raw(&text);
    };
    std::fs::write(&path, text)
        .map_err(|error| Refused::invalid("output", format!("{} cannot be written: {error}.", path.display())))?;
    let items = file.item.len();
    let written = serde_json::json!({ "file": path.display().to_string(), "items": items });
    counter.output().answer(&written, || format!("{items} items written to {}.", path.display()))
}

async fn switch(switch: Switch, available: bool, counter: &Counter<'_>) -> Done {
    let option = switch.option.clone();
    let changed: ItemChanged =
        counter.execute(SetAvailable { item: switch.item, option: switch.option, available }).await?;
    let value = shape::own(&changed, counter.house.site.currency)?;
    counter.output().answer(&value, || {
        let what =
            option.map_or_else(|| shown(&changed.name), |option| format!("{} / {}", changed.name, shown(&option)));
        let state = if available { "on" } else { "off" };
        if changed.changed { format!("{what} is {state}.") } else { format!("{what} was {state} already.") }
    })
}
