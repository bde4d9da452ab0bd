//! The CSV form of a menu file: one row for each item, for people who keep their menu in a
//! spreadsheet. It holds items only; tax classes, stations and stock items are those of the store.
//!
//! Columns, in any order (`code`, `category`, `name`, `price` and `diet` are needed):
//! - `allergens`: words or letters, apart by spaces. `slots`: names, apart by `|`.
//! - `available`, `active`: `yes` or `no`; nothing means "as it is" and `yes`.
//! - `uses`: what one sale takes, `STOCK-CODE*UNITS`, apart by spaces.
//! - `options`: groups apart by `;`, each `NAME=MIN..MAX: CHOICE | CHOICE`, each choice
//!   `NAME=PRICE !off {STOCK-CODE*UNITS}`, of which only the name is needed:
//!   `Size=1..1: Half | Full=180.00 {chicken*1}; Extras=0..3: Egg=20.00 | Papadum=15.00 !off`.
//!   A `\` makes the next character part of a name.
//! - A cell that a spreadsheet would take for a formula is written with a `'` before it.

use super::menu_file::{ChoiceEntry, ItemEntry, MenuFile, OptionEntry, Uses, check_size};
use crate::domain::error::Refused;
use crate::domain::text;

/// The columns, in the order in which they are written.
const COLUMNS: [&str; 18] = [
    "code",
    "category",
    "name",
    "description",
    "price",
    "tax_class",
    "diet",
    "allergens",
    "spicy",
    "prep_minutes",
    "station",
    "slots",
    "available",
    "active",
    "glyph",
    "image_url",
    "uses",
    "options",
];
/// The columns that a file must have.
const NEEDED: [&str; 5] = ["code", "category", "name", "price", "diet"];
/// The characters with a meaning of their own in lists.
const MARKS: &[char] = &['\\', ';', ':', '|', '=', '{', '}', '!'];

fn at(line: u64, field: &str, message: &str) -> Refused {
    Refused::invalid(field, format!("Line {line}, {field}: {message}")).with("line", line)
}

/// Whether a spreadsheet would take the cell for a formula, any number of `'` before it left aside.
fn looks_like_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// The cell as no spreadsheet takes it for a formula.
pub(super) fn guarded(cell: String) -> String {
    if looks_like_formula(&cell) { format!("'{cell}") } else { cell }
}

fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| looks_like_formula(cell)).unwrap_or(cell)
}

fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        if MARKS.contains(&character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.trim().chars();
    while let Some(character) = characters.next() {
        out.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    out
}

/// The parts between the marks that no `\` stands before.
fn parts(text: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut start, mut skip) = (Vec::new(), 0, false);
    for (index, character) in text.char_indices() {
        if skip {
            skip = false;
        } else if character == '\\' {
            skip = true;
        } else if character == mark {
            parts.push(text.get(start..index).unwrap_or_default());
            start = index.saturating_add(mark.len_utf8());
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// What stands before the first such mark, and what stands after it.
fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    let parts = parts(text, mark);
    match parts.first() {
        Some(first) if parts.len() > 1 => (first, text.get(first.len().saturating_add(mark.len_utf8())..)),
        _ => (text, None),
    }
}

fn write_uses(uses: &Uses) -> String {
    uses.iter().map(|(code, units)| format!("{code}*{units}")).collect::<Vec<_>>().join(" ")
}

fn read_uses(cell: &str) -> Result<Uses, &'static str> {
    let mut uses = Uses::new();
    for word in cell.split_whitespace() {
        let (code, units) = word.split_once('*').unwrap_or((word, "1"));
        let units = units.parse().map_err(|_| "Write CODE*UNITS, such as paneer*1.")?;
        if uses.insert(code.to_owned(), units).is_some() {
            return Err("The same stock item stands here twice.");
        }
    }
    Ok(uses)
}

fn write_options(options: &[OptionEntry]) -> String {
    let choice = |choice: &ChoiceEntry| {
        let mut text = escaped(&choice.name);
        if let Some(price) = &choice.price {
            text.push('=');
            text.push_str(price);
        }
        if let Some(available) = choice.available {
            text.push_str(if available { " !on" } else { " !off" });
        }
        if !choice.uses.is_empty() {
            text.push_str(&format!(" {{{}}}", write_uses(&choice.uses)));
        }
        text
    };
    let group = |option: &OptionEntry| {
        let choices = option.choices.iter().map(choice).collect::<Vec<_>>().join(" | ");
        format!("{}={}..{}: {choices}", escaped(&option.name), option.min, option.max)
    };
    options.iter().map(group).collect::<Vec<_>>().join("; ")
}

fn read_options(cell: &str) -> Result<Vec<OptionEntry>, &'static str> {
    const SHAPE: &str = "Write NAME=MIN..MAX: CHOICE | CHOICE, such as Size=1..1: Half | Full=180.00.";
    let mut options = Vec::new();
    for group in parts(cell, ';').into_iter().filter(|group| !group.trim().is_empty()) {
        let (head, choices) = cut(group, ':');
        let (name, range) = cut(head, '=');
        let (min, max) = range.and_then(|range| range.split_once("..")).ok_or(SHAPE)?;
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| SHAPE);
        options.push(OptionEntry {
            name: unescaped(name),
            min: number(min)?,
            max: number(max)?,
            choices: parts(choices.ok_or(SHAPE)?, '|').into_iter().map(read_choice).collect::<Result<_, _>>()?,
        });
    }
    Ok(options)
}

fn read_choice(text: &str) -> Result<ChoiceEntry, &'static str> {
    let (text, uses) = cut(text, '{');
    let uses = match uses {
        None => Uses::new(),
        Some(uses) => read_uses(uses.trim_end().strip_suffix('}').ok_or("A { has no } after it.")?)?,
    };
    let (text, flag) = cut(text, '!');
    let available = match flag.map(str::trim) {
        None => None,
        Some("off") => Some(false),
        Some("on") => Some(true),
        Some(_) => return Err("After ! stands on or off."),
    };
    let (name, price) = cut(text, '=');
    Ok(ChoiceEntry { name: unescaped(name), price: price.map(|price| price.trim().to_owned()), available, uses })
}

impl MenuFile {
    /// Reads a CSV file.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` with line and column for what is no CSV, a column that is unknown or
    /// missing, or a cell that cannot be read.
    pub fn from_csv(csv: &str) -> Result<Self, Refused> {
        check_size(csv)?;
        // A spreadsheet may write a byte order mark.
        let csv = csv.strip_prefix('\u{feff}').unwrap_or(csv);
        let mut reader = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
        let broken = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            at(line, "file", &text::clean(&error.to_string(), 200, false))
        };
        let headers: Vec<String> =
            reader.headers().map_err(broken)?.iter().map(|name| name.trim().to_lowercase()).collect();
        let unknown = headers.iter().enumerate().find(|(_, name)| !COLUMNS.contains(&name.as_str()));
        if let Some((index, unknown)) = unknown {
            let message = format!("There is no such column. Known: {}.", COLUMNS.join(", "));
            let name = text::clean(unknown, 40, false);
            let name = if name.is_empty() { format!("column {}", index.saturating_add(1)) } else { name };
            return Err(at(1, &name, &message));
        }
        if let Some(missing) = NEEDED.into_iter().find(|name| !headers.iter().any(|header| header == name)) {
            return Err(at(1, missing, "This column is needed."));
        }
        if let Some((index, twice)) = headers
            .iter()
            .enumerate()
            .find(|(index, name)| headers.iter().skip(index.saturating_add(1)).any(|other| other == *name))
        {
            return Err(at(1, twice, &format!("Column {} stands here twice.", index.saturating_add(1))));
        }
        let mut file = Self::default();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |name: &str| {
                let index = headers.iter().position(|header| header == name);
                unguarded(index.and_then(|index| record.get(index)).unwrap_or_default())
            };
            file.item.push(read_item(line, &cell)?);
        }
        file.check_counts()?;
        Ok(file)
    }

    /// Writes the items as CSV.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` if the writer refuses, which no entry makes it do.
    pub fn to_csv(&self) -> Result<String, Refused> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS).map_err(Refused::internal)?;
        for item in &self.item {
            writer.write_record(cells(item).map(guarded)).map_err(Refused::internal)?;
        }
        let bytes = writer.into_inner().map_err(Refused::internal)?;
        String::from_utf8(bytes).map_err(Refused::internal)
    }
}

fn cells(item: &ItemEntry) -> [String; 18] {
    let yes_no = |value: bool| if value { "yes".to_owned() } else { "no".to_owned() };
    let slots: Vec<String> = item.slots.iter().map(|slot| escaped(slot)).collect();
    [
        item.code.clone(),
        item.category.clone(),
        item.name.clone(),
        item.description.clone(),
        item.price.clone(),
        item.tax_class.clone().unwrap_or_default(),
        item.diet.clone(),
        item.allergens.join(" "),
        item.spicy.to_string(),
        item.prep_minutes.to_string(),
        item.station.clone().unwrap_or_default(),
        slots.join("|"),
        item.available.map(yes_no).unwrap_or_default(),
        yes_no(item.active),
        item.glyph.clone().unwrap_or_default(),
        item.image_url.clone().unwrap_or_default(),
        write_uses(&item.uses),
        write_options(&item.option),
    ]
}

fn read_item<'a>(line: u64, cell: &impl Fn(&str) -> &'a str) -> Result<ItemEntry, Refused> {
    let some = |name: &str| Some(cell(name).trim().to_owned()).filter(|text| !text.is_empty());
    let flag = |name: &str| match cell(name).trim().to_lowercase().as_str() {
        "" => Ok(None),
        "yes" | "true" | "1" => Ok(Some(true)),
        "no" | "false" | "0" => Ok(Some(false)),
        _ => Err(at(line, name, "Write yes or no.")),
    };
    let number = |name: &str| match cell(name).trim() {
        "" => Ok(0_u16),
        text => text.parse().map_err(|_| at(line, name, "Write a small whole number.")),
    };
    let slots = cell("slots");
    Ok(ItemEntry {
        code: cell("code").trim().to_owned(),
        name: cell("name").to_owned(),
        category: cell("category").to_owned(),
        description: cell("description").to_owned(),
        price: cell("price").trim().to_owned(),
        tax_class: some("tax_class"),
        diet: cell("diet").trim().to_owned(),
        allergens: cell("allergens").split_whitespace().map(str::to_owned).collect(),
        spicy: u8::try_from(number("spicy")?).map_err(|_| at(line, "spicy", "From 0 to 3."))?,
        prep_minutes: number("prep_minutes")?,
        station: some("station"),
        slots: if slots.trim().is_empty() {
            Vec::new()
        } else {
            parts(slots, '|').into_iter().map(unescaped).collect()
        },
        available: flag("available")?,
        active: flag("active")?.unwrap_or(true),
        glyph: some("glyph"),
        image_url: some("image_url"),
        uses: read_uses(cell("uses")).map_err(|why| at(line, "uses", why))?,
        option: read_options(cell("options")).map_err(|why| at(line, "options", why))?,
        line: usize::try_from(line).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::menu_file::{CategoryEntry, StationEntry, StockEntry, TaxClassEntry};
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    /// Text as a store holds it: clean, and with every character that the formats give a meaning.
    fn name() -> impl Strategy<Value = String> {
        r#"[A-Za-zäß'"\\;:|={}!*+@,.#\[\]-][A-Za-z \\;:|={}!'"é₹,-]{0,12}[a-z;:|\\'"]"#
            .prop_map(|text| text::clean(&text, 40, false))
    }

    fn uses() -> impl Strategy<Value = Uses> {
        btree_map("[a-z][a-z0-9-]{0,6}", 1_i64..50, 0..3)
    }

    fn choice() -> impl Strategy<Value = ChoiceEntry> {
        (name(), option::of("-?[0-9]{1,3}\\.[0-9]{2}"), option::of(any::<bool>()), uses())
            .prop_map(|(name, price, available, uses)| ChoiceEntry { name, price, available, uses })
    }

    fn option_entry() -> impl Strategy<Value = OptionEntry> {
        (name(), 0_u32..5, 0_u32..9, vec(choice(), 1..4)).prop_map(|(name, min, max, choices)| OptionEntry {
            name,
            min,
            max,
            choices,
        })
    }

    fn item() -> impl Strategy<Value = ItemEntry> {
        let words = (name(), name(), name(), option::of(name()), option::of(name()), vec(name(), 0..3));
        let figures = (0_u8..4, 0_u16..100, option::of(any::<bool>()), any::<bool>());
        let lists = (vec("[a-z]{3,9}", 0..3), uses(), vec(option_entry(), 0..3));
        ("[a-z][a-z0-9-]{0,9}", words, figures, lists, option::of("[★☕🍛]")).prop_map(
            |(code, words, figures, (allergens, uses, option), glyph)| {
                let (name, category, description, tax_class, station, slots) = words;
                let (spicy, prep_minutes, available, active) = figures;
                ItemEntry {
                    code,
                    name,
                    category,
                    description: format!("{description}\nand \"more\""),
                    price: "12.50".to_owned(),
                    tax_class,
                    diet: "veg".to_owned(),
                    allergens,
                    spicy,
                    prep_minutes,
                    station,
                    slots,
                    available,
                    active,
                    glyph,
                    image_url: None,
                    uses,
                    option,
                    line: 0,
                }
            },
        )
    }

    fn file() -> impl Strategy<Value = MenuFile> {
        let tax = (name(), any::<bool>()).prop_map(|(name, default)| TaxClassEntry {
            name,
            rate: "10.75".to_owned(),
            default,
        });
        let station = (name(), any::<bool>()).prop_map(|(name, default)| StationEntry { name, default });
        let stock = ("[a-z]{1,9}", name(), 0_i64..99, 0_i64..9).prop_map(|(code, name, opening, low)| StockEntry {
            code,
            name,
            unit: "piece".to_owned(),
            opening,
            low,
        });
        let category = (name(), any::<bool>()).prop_map(|(name, active)| CategoryEntry { name, active });
        let sections = (
            option::of(vec(tax, 1..3)),
            option::of(vec(station, 1..3)),
            option::of(vec(stock, 1..3)),
            option::of(vec(category, 1..3)),
        );
        (sections, vec(item(), 0..4)).prop_map(|((tax_class, station, stock, category), item)| MenuFile {
            currency: Some("INR".to_owned()),
            tax_class,
            station,
            stock,
            category,
            item,
        })
    }

    fn without_lines(mut file: MenuFile) -> MenuFile {
        file.item.iter_mut().for_each(|item| item.line = 0);
        file
    }

    proptest! {
        #[test]
        fn toml_survives_a_round_trip(file in file()) {
            let again = MenuFile::from_toml(&file.to_toml().expect("toml")).expect("reads its own");
            prop_assert_eq!(without_lines(again), file);
        }

        #[test]
        fn the_items_of_csv_survive_a_round_trip(file in file()) {
            let again = MenuFile::from_csv(&file.to_csv().expect("csv")).expect("reads its own");
            prop_assert_eq!(without_lines(again), MenuFile { item: file.item, ..MenuFile::default() });
        }

        #[test]
        fn no_text_makes_a_reader_panic(text in any::<String>(), cell in any::<String>()) {
            let _ = MenuFile::from_csv(&text);
            let _ = MenuFile::from_toml(&text);
            let _ = read_options(&cell);
            let _ = read_uses(&cell);
        }
    }

    #[test]
    fn the_example_of_the_documentation_reads() {
        let options =
            read_options("Size=1..1: Half | Full=180.00 {chicken*1}; Extras=0..3: Egg=20.00 | Papadum=15.00 !off")
                .expect("reads");
        assert_eq!(options.len(), 2);
        assert_eq!(options[0].choices[1].uses.get("chicken"), Some(&1));
        assert_eq!(options[1].choices[1].available, Some(false));
        assert_eq!((options[1].min, options[1].max), (0, 3));
    }

    #[test]
    fn mistakes_name_line_and_column() {
        let refused = |csv: &str| MenuFile::from_csv(csv).expect_err("refused");
        let head = "code,category,name,price,diet,prep_minutes,options\n";
        let wrong = refused(&format!("{head}a,B,C,1.00,veg,5,\nd,B,E,1.00,veg,soon,\n"));
        assert_eq!((wrong.details["line"].as_u64(), wrong.details["field"].as_str()), (Some(3), Some("prep_minutes")));
        let options = refused(&format!("{head}a,B,C,1.00,veg,5,Size: Half\n"));
        assert_eq!((options.details["line"].as_u64(), options.details["field"].as_str()), (Some(2), Some("options")));
        assert_eq!(refused("code,colour\n").details["field"].as_str(), Some("colour"));
        // A column without a name, as a spreadsheet leaves it, is named by its place.
        for head in ["code,category,", "code,category, \n", "code,category,\u{202e}\u{200b}\n"] {
            assert_eq!(refused(head).details["field"].as_str(), Some("column 3"), "{head:?}");
        }
        assert_eq!(refused("code,category,name,price\n").details["field"].as_str(), Some("diet"));
        let toml = MenuFile::from_toml("currency = \"INR\"\n[[item]]\ncode = \"a\"\nprice = 5\n").expect_err("refused");
        assert!(toml.details["line"].as_u64().is_some_and(|line| line >= 2), "{toml:?}");
    }

    #[test]
    fn formulas_are_defused() {
        for cell in ["=1+1", "'=x", "@sum", "-5", "plain", "'quoted'"] {
            let written = guarded(cell.to_owned());
            assert!(!written.starts_with(['=', '+', '-', '@']));
            assert_eq!(unguarded(&written), cell);
        }
    }
}
