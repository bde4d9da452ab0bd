//! Menu files into the import: files that are right, spoiled byte by byte, and files whose entries are made at random,
//! as TOML and as CSV, through reading and planning as `servery menu import --dry-run` does both.
//!
//! Each one becomes a plan within the limits of the domain, or a refusal that says what is wrong and where. A sample is
//! imported into a real store, which then holds what the file says and which `doctor` finds in order; a smaller one goes
//! through the command itself.

use crate::bytes;
use crate::campaign::{Campaign, inputs};
use crate::house::House;
use crate::support::process::Servery;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::menu::{MAX_CATEGORY_NAME, MAX_CODE, MAX_DESCRIPTION, MAX_NAME, MAX_OPTION_NAME, MAX_PRICE};
use servery::domain::text::{graphemes, is_hostile};
use servery::service::menu_file::{
    CategoryEntry, ChoiceEntry, ItemEntry, MenuFile, OptionEntry, StationEntry, StockEntry, TaxClassEntry,
};
use servery::service::menu_import::{MenuExport, MenuImport, Plan, plan};
use servery::service::{Caller, doctor};
use servery::store::menu::{LoadedMenu, load};
use servery::store::stock::{MAX_ON_HAND, StockRow, list};
use std::io::Write as _;
use std::process::Stdio;
use uuid::Uuid;

/// Of the ten million inputs, those that are menu files.
const LONG: u64 = 2_000_000;
/// The menu of the demo, which is large: only some inputs are made of it.
const DEMO: &str = include_str!("../../assets/demo/menu.toml");
/// Every kind of entry once or twice.
const SMALL: &str = r#"currency = "INR"
[[tax_class]]
name = "Food 5 %"
rate = "5"
default = true
[[station]]
name = "Grill"
default = true
[[stock]]
code = "egg"
name = "Eggs"
opening = 40
low = 5
[[category]]
name = "Mains"
[[item]]
code = "biryani"
name = "Biryani"
category = "Mains"
description = """Rice, \"slow\"
and hot."""
price = "320.00"
diet = "non_veg"
allergens = ["milk", "A"]
spicy = 2
prep_minutes = 15
station = "Grill"
slots = ["Lunch"]
glyph = "🍛"
uses = { egg = 1 }
[[item.option]]
name = "Size"
min = 1
choices = [{ name = "Half" }, { name = "Full", price = "90.00", uses = { egg = 2 } }]
[[item]]
code = "dal"
name = "Dal"
category = "Mains"
price = "120"
diet = "vegan"
"#;
const SMALL_CSV: &str = "code,category,name,price,diet,allergens,spicy,slots,available,uses,options\n\
    biryani,Mains,\"Biryani, hot\",320.00,non_veg,milk A,2,Lunch|Dinner,yes,egg*2,\
    \"Size=1..1: Half | Full=90.00 {egg*1}; Extras=0..3: Egg=20.00 | Papadum=15.00 !off\"\n\
    dal,Mains,Dal,'120,vegan,,,,,,\n";
/// Pieces of the formats.
const PIECES: [&[u8]; 30] = [
    b"[[item]]\n",
    b"[item]\n",
    b"[[item.option]]\nname = \"Size\"\nchoices = []\n",
    b"[[stock]]\ncode = \"egg\"\n",
    b"[[category]]\nname = \"mains\"\n",
    b"code = \"dal\"\n",
    b"name = \"\"\n",
    b"price = \"-1.00\"\n",
    b"price = 120\n",
    b"price = \"1e9\"\n",
    b"price = \"10000000000.00\"\n",
    b"rate = \"1000.001\"\n",
    b"spicy = 256\n",
    b"spicy = -1\n",
    b"prep_minutes = 65536\n",
    b"min = 4294967296\n",
    b"max = 0\n",
    b"opening = 9223372036854775808\n",
    b"uses = { egg = -9223372036854775808 }\n",
    b"uses = { nothing = 1 }\n",
    b"uses.egg.egg = 1\n",
    b"glyph = \"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7xyz\"\n",
    b"default = true\n",
    b"\"\".\"\" = 1\n",
    b",\"",
    b"\"\"",
    b"Size=1..1: ",
    b"Size=4294967296..0: A | A;",
    b" !off {egg*1} ",
    b"'=1+1",
];

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Toml,
    Csv,
}

/// A word for an entry, mostly one that stands in other entries too.
fn word(random: &mut ChaCha8Rng) -> String {
    const WORDS: [&str; 14] = [
        "Mains", "mains", "Grill", "Food 5 %", "egg", "biryani", "dal", "Half", "Size", "veg", "milk", "5", "1.00", "",
    ];
    match random.random_range(0..10) {
        0 => bytes::number(random),
        1 => {
            let mut spoiled = WORDS[random.random_range(0..WORDS.len())].as_bytes().to_vec();
            (0..random.random_range(1..4)).for_each(|_| bytes::spoil(random, &mut spoiled, &PIECES));
            String::from_utf8_lossy(&spoiled).into_owned()
        }
        2 if random.random_range(0..20) == 0 => "Ω\u{301}x".repeat(random.random_range(1..900)),
        _ => WORDS[random.random_range(0..WORDS.len())].to_owned(),
    }
}

/// What stands there most of the time, and else anything.
fn mostly(random: &mut ChaCha8Rng, usual: &str) -> String {
    if random.random_range(0..25) > 0 { usual.to_owned() } else { word(random) }
}

fn figure<T: TryFrom<i64>>(random: &mut ChaCha8Rng, usual: T) -> T {
    if random.random_range(0..15) > 0 {
        return usual;
    }
    let number = bytes::number(random).parse::<i64>().unwrap_or(random.random_range(0..300));
    T::try_from(number).unwrap_or(usual)
}

fn price(random: &mut ChaCha8Rng) -> String {
    if random.random_range(0..20) > 0 {
        format!("{}.{:02}", random.random_range(0..2_000), random.random_range(0..100))
    } else {
        bytes::number(random)
    }
}

fn some<T>(random: &mut ChaCha8Rng, most: usize, mut make: impl FnMut(&mut ChaCha8Rng, usize) -> T) -> Vec<T> {
    (0..random.random_range(0..=most)).map(|at| make(random, at)).collect()
}

fn uses(random: &mut ChaCha8Rng) -> servery::service::menu_file::Uses {
    let rows = some(random, 1, |random, _| (mostly(random, "egg"), figure(random, 1)));
    rows.into_iter().collect()
}

/// A file whose entries are made at random and mostly fit together.
fn made(random: &mut ChaCha8Rng) -> MenuFile {
    let often = |random: &mut ChaCha8Rng| random.random_range(0..8) > 0;
    let item = |random: &mut ChaCha8Rng, at: usize| ItemEntry {
        code: mostly(random, &format!("dish-{at}")),
        name: mostly(random, &format!("Dish {at}")),
        category: mostly(random, "Mains"),
        description: mostly(random, "Good."),
        price: price(random),
        tax_class: (!often(random)).then(|| mostly(random, "Food 5 %")),
        diet: mostly(random, "veg"),
        allergens: some(random, 1, |random, _| mostly(random, "milk")),
        spicy: figure(random, 1),
        prep_minutes: figure(random, 10),
        station: (!often(random)).then(|| mostly(random, "Grill")),
        slots: some(random, 1, |random, _| mostly(random, "Lunch")),
        available: random.random_range(0..3).eq(&0).then_some(true),
        active: often(random),
        glyph: (!often(random)).then(|| mostly(random, "★")),
        image_url: (!often(random)).then(|| word(random)),
        uses: uses(random),
        option: some(random, 2, |random, at| OptionEntry {
            name: mostly(random, &format!("Option {at}")),
            min: figure(random, 0),
            max: figure(random, 1),
            choices: some(random, 3, |random, at| ChoiceEntry {
                name: mostly(random, &format!("Choice {at}")),
                price: often(random).then(|| price(random)),
                available: None,
                uses: uses(random),
            }),
        }),
        line: 0,
    };
    MenuFile {
        currency: often(random).then(|| mostly(random, "INR")),
        tax_class: often(random).then(|| {
            let default = often(random);
            vec![TaxClassEntry { name: mostly(random, "Food 5 %"), rate: mostly(random, "5"), default }]
        }),
        station: (!often(random)).then(|| {
            some(random, 2, |random, at| StationEntry {
                name: mostly(random, &format!("Grill {at}")),
                default: at == 0,
            })
        }),
        stock: often(random).then(|| {
            let (code, name) = (mostly(random, "egg"), mostly(random, "Eggs"));
            let (opening, low) = (figure(random, 40), figure(random, 5));
            vec![StockEntry { code, name, unit: mostly(random, "piece"), opening, low }]
        }),
        category: often(random)
            .then(|| vec![CategoryEntry { name: mostly(random, "Mains"), active: random.random_range(0..9) > 0 }]),
        item: some(random, 4, item),
    }
}

/// Something of a file nested deeper than anybody writes it.
fn nested(random: &mut ChaCha8Rng) -> Vec<u8> {
    let depth = random.random_range(1..20_000);
    let (before, each, after) = [
        ("slots = ", "[", "]"),
        ("uses = ", "{a=", "}"),
        ("item = ", "[{option=", "}]"),
        ("", "[[item.option]]\n", ""),
        ("", "a.", " = 1"),
        ("[", "item.", "x]"),
        ("x = ", "\"\"\"", ""),
        ("x = ", "-", "1"),
    ][random.random_range(0..8)];
    let mut file = before.as_bytes().to_vec();
    file.extend(each.repeat(depth).bytes());
    if random.random_range(0..2) == 0 {
        file.extend(after.repeat(depth).bytes());
    }
    file
}

/// The same text as another program would save it.
fn saved_elsewhere(random: &mut ChaCha8Rng, text: &str) -> Vec<u8> {
    match random.random_range(0..5) {
        0 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        1 => text.replace('\n', "\r\n").into_bytes(),
        2 => text.replace('\n', "\r").into_bytes(),
        3 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect(),
    }
}

/// One input.
fn input(random: &mut ChaCha8Rng) -> (Form, Vec<u8>) {
    let form = if random.random_range(0..3) > 0 { Form::Toml } else { Form::Csv };
    let small = if form == Form::Toml { SMALL } else { SMALL_CSV };
    let mut file = match random.random_range(0..100) {
        0 => saved_elsewhere(random, small),
        1 if random.random_range(0..50) == 0 => nested(random),
        2 if form == Form::Toml && random.random_range(0..20) == 0 => DEMO.as_bytes().to_vec(),
        3..50 => {
            let file = made(random);
            let text = if form == Form::Toml { file.to_toml() } else { file.to_csv() };
            text.expect("a file can be written").into_bytes()
        }
        _ => small.as_bytes().to_vec(),
    };
    let spoiled = if random.random_range(0..3) == 0 { 0 } else { random.random_range(1..5) };
    (0..spoiled).for_each(|_| bytes::spoil(random, &mut file, &PIECES));
    if random.random_range(0..4) > 0 {
        // What is no text is refused before anything else: most inputs shall come further.
        file = String::from_utf8_lossy(&file).into_owned().into_bytes();
    }
    (form, file)
}

/// Reads a file as the command does.
fn read(form: Form, file: &[u8]) -> Option<Result<MenuFile, Refused>> {
    let text = std::str::from_utf8(file).ok()?;
    Some(if form == Form::Toml { MenuFile::from_toml(text) } else { MenuFile::from_csv(text) })
}

/// A refusal says what is wrong, and where: the line, or the section by its name, or the field.
fn check_refusal(refused: &Refused) {
    assert_eq!(refused.code, ErrorCode::ValidationError, "{refused:?}");
    assert!(!refused.message.trim().is_empty() && !refused.help.trim().is_empty(), "{refused:?}");
    assert!(refused.details["field"].as_str().is_some_and(|field| !field.is_empty()), "{refused:?}");
    let told = format!("{} {}", refused.message, refused.details);
    assert!(!told.chars().any(is_hostile), "{told:?}");
    assert!(told.chars().count() < 4_000, "{told:?}");
}

fn check_text(text: &str, most: usize) {
    let hostile = |character: char| character != '\n' && is_hostile(character);
    assert!(!text.chars().any(hostile) && graphemes(text) <= most, "{text:?}");
}

/// Nothing in a plan is outside of what the domain allows.
fn check_plan(plan: &Plan) {
    for item in &plan.items {
        item.validate().expect("within the limits");
        assert!(item.price.0 > 0 && item.price <= MAX_PRICE && item.spicy <= 3, "{item:?}");
        check_text(&item.code, MAX_CODE);
        check_text(&item.name, MAX_NAME);
        check_text(&item.description, MAX_DESCRIPTION);
        item.slots.iter().for_each(|slot| check_text(slot, MAX_CODE));
        item.image_url.iter().for_each(|url| check_text(url, 500));
        item.glyph.iter().for_each(|glyph| check_text(glyph, 1));
        for group in &item.option_groups {
            check_text(&group.name, MAX_OPTION_NAME);
            group.choices.iter().for_each(|choice| check_text(&choice.name, MAX_OPTION_NAME));
        }
    }
    for category in &plan.categories {
        category.validate().expect("within the limits");
        check_text(&category.name, MAX_CATEGORY_NAME);
    }
    for stored in &plan.tax_classes {
        stored.class.validate().expect("within the limits");
        check_text(&stored.class.name, MAX_OPTION_NAME);
    }
    for station in &plan.stations {
        check_text(&station.name, 50);
        assert!(!station.name.is_empty());
    }
    for (_, entry) in &plan.new_stock {
        check_text(&entry.name, MAX_NAME);
        assert!((0..=MAX_ON_HAND).contains(&entry.opening) && (0..=MAX_ON_HAND).contains(&entry.low), "{entry:?}");
    }
    for row in &plan.consumption {
        row.validate().expect("within the limits");
    }
    for entry in plan.diff.added.iter().chain(&plan.diff.changed).chain(&plan.diff.removed) {
        check_text(&entry.key, MAX_NAME);
        check_text(&entry.name, MAX_NAME);
        entry.words.iter().for_each(|words| assert!(!words.chars().any(is_hostile), "{words:?}"));
    }
}

/// What stands in the store of a house.
fn stored(house: &House) -> (LoadedMenu, Vec<StockRow>) {
    house.run(async {
        let mut tx = house.opened().store.read().await.expect("a transaction");
        let menu = load(&mut tx, "main").await.expect("the menu");
        (menu, list(&mut tx, "main").await.expect("the stock"))
    })
}

fn import(house: &House, file: MenuFile) -> Result<servery::service::menu_import::MenuDiff, Refused> {
    house.run(house.opened().door.execute(
        &Caller::System,
        None,
        MenuImport { file, dry_run: false, reason: Some("fuzzed".to_owned()) },
    ))
}

fn check_house(house: &House) {
    let report = house.run(doctor::examine(&house.opened().door, &Caller::System)).expect("doctor");
    let violations: Vec<_> = report.violations().collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

/// Reads and plans a file, and looks at what came of it.
fn tried(form: Form, file: &[u8], menu: &LoadedMenu, shelves: &[StockRow]) -> &'static str {
    let file = match read(form, file) {
        None => return "not text",
        Some(Ok(file)) => file,
        Some(Err(refused)) => {
            check_refusal(&refused);
            return "refused as it was read";
        }
    };
    let mut id = 0_u128;
    let mut ids = || {
        id += 1;
        Uuid::from_u128(id)
    };
    match plan(&file, menu, shelves, &mut ids) {
        Ok(plan) => {
            check_plan(&plan);
            "planned"
        }
        Err(refused) => {
            check_refusal(&refused);
            "refused as it was planned"
        }
    }
}

#[test]
fn menu_files() {
    let campaign = Campaign::begin("menu files", inputs(2_500, LONG));
    let house = House::demo();
    import(&house, MenuFile::from_toml(SMALL).expect("a file")).expect("imported");
    let (menu, shelves) = stored(&house);
    for number in campaign.numbers(1) {
        let (form, file) = input(&mut campaign.random(number));
        let what = || format!("{form:?}, {}", bytes::shown(&file));
        let outcome = campaign.attempt(number, &what, || tried(form, &file, &menu, &shelves));
        campaign.count(outcome);
    }
    assert!(campaign.seen("planned") * 20 > campaign.seen("refused as it was read"), "too few come so far");
    campaign.end();
}

/// Files as large as they may be (a quarter of it in a usual run), each of many small things of one kind: what is read or planned in more than the time
/// that its length asks for would not come back from one of these.
fn large() -> Vec<(Form, String)> {
    let large = usize::try_from(inputs(1, 4)).expect("a number").min(4) * 1024 * 1024 - 1024;
    let filled = |before: &str, each: &dyn Fn(usize) -> String, after: &str| {
        let mut file = before.to_owned();
        for number in 0.. {
            let more = each(number);
            if file.len() + more.len() + after.len() > large {
                break;
            }
            file.push_str(&more);
        }
        file.push_str(after);
        file
    };
    let dish = |number: usize| {
        format!("[[item]]\ncode=\"d{number}\"\nname=\"D\"\ncategory=\"C\"\nprice=\"1\"\ndiet=\"veg\"\n")
    };
    let egg = "[[stock]]\ncode=\"e\"\nname=\"E\"\n";
    let group = |number: usize| {
        let choice = |number: usize| format!("{{name=\"{number}\",uses={{e=1}}}},");
        let choices: String = (0..480).map(choice).collect();
        format!("[[item.option]]\nname=\"{number}\"\nchoices=[{choices}]\n")
    };
    let five_thousand: String = (0..5_000).map(dish).collect();
    let with_uses = |number: usize| {
        let options: String = (0..3).map(|at| format!("{{name=\"{at}\",uses={{e=1}}}},")).collect();
        format!("{}option=[{{name=\"o\",choices=[{options}]}}]\nuses={{e=2}}\n", dish(number))
    };
    let head = "code,category,name,price,diet,options\n";
    vec![
        (Form::Toml, filled("", &dish, "")),
        (Form::Toml, filled(&format!("{five_thousand}description=\"\"\""), &|_| "a\u{301}\n".to_owned(), "\"\"\"")),
        (Form::Toml, filled(&format!("{egg}{}", dish(0)), &group, "")),
        (Form::Toml, format!("{egg}{}", (0..5_000).map(with_uses).collect::<String>())),
        (Form::Toml, filled(&format!("{}uses={{", dish(0)), &|number| format!("e{number}=1,"), "z=1}")),
        (Form::Toml, filled("", &|number| format!("[[stock]]\ncode=\"e{number}\"\nname=\"E\"\n"), "")),
        (Form::Toml, filled("x=", &|_| "[".to_owned(), "")),
        (Form::Toml, filled("", &|_| "a.".to_owned(), "a=1")),
        (Form::Csv, filled(head, &|number| format!("d{number},C,D,1,veg,\n"), "")),
        (Form::Csv, filled(&format!("{head}d,C,D,1,veg,A=1..1: a"), &|number| format!("|{number}"), "\n")),
        (Form::Csv, filled(&format!("{head}d,C,D,1,veg,"), &|_| "A=0..1: a;".to_owned(), "\n")),
        (Form::Csv, filled(&format!("{head}d,C,\""), &|_| "\"\"\n".to_owned(), "\",1,veg,\n")),
        (Form::Csv, filled("", &|number| format!("c{number},"), "\n")),
    ]
}

#[test]
fn menu_files_as_large_as_they_may_be() {
    let campaign = Campaign::begin("large menu files", 0);
    let house = House::demo();
    let (menu, shelves) = stored(&house);
    for (number, (form, file)) in (0_u64..).zip(large()) {
        let what = || format!("{form:?}, {}", bytes::shown(file.as_bytes()));
        let outcome = campaign.attempt(number, &what, || tried(form, file.as_bytes(), &menu, &shelves));
        campaign.count(outcome);
    }
    assert_eq!((campaign.seen("planned"), campaign.seen("not text")), (2, 0), "two of them are menus");
    campaign.end();
}

#[test]
fn menu_files_in_a_store() {
    // The files that are only refused were tried elsewhere: each of these is written, as far as the store lets it.
    let campaign = Campaign::begin("menu files in a store", inputs(250, 20_000));
    let house = House::demo();
    let mut imported = 0_u64;
    for number in campaign.numbers(1) {
        let (form, file) = input(&mut campaign.random(number));
        let what = || format!("{form:?}, {}", bytes::shown(&file));
        let outcome = campaign.attempt(number, &what, || {
            let Some(Ok(file)) = read(form, &file) else { return "not read" };
            match import(&house, file.clone()) {
                Ok(_) => {
                    let again = import(&house, file).expect("what was taken is taken again");
                    assert!(again.is_empty(), "a file that was imported changes nothing: {again:#?}");
                    "imported"
                }
                Err(refused) => {
                    check_refusal(&refused);
                    "refused"
                }
            }
        });
        campaign.count(outcome);
        if outcome == "imported" {
            imported += 1;
            if imported % 50 == 1 {
                campaign.attempt(number, &what, || check_house(&house));
            }
        }
    }
    check_house(&house);
    let export = house.run(house.opened().door.ask(&Caller::System, MenuExport)).expect("the menu as a file");
    let again = MenuFile::from_toml(&export.to_toml().expect("toml")).expect("reads its own");
    assert!(import(&house, again).expect("taken").is_empty(), "the house's own file changes nothing");
    campaign.end();
    assert!(imported > 0, "none was imported");
}

#[test]
fn menu_files_through_the_command() {
    let campaign = Campaign::begin("menu files through the command", inputs(12, 600));
    let servery = Servery::without_store();
    let run = |arguments: &[&str], input: &[u8]| {
        let mut command = servery.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        // It may refuse before it has read everything.
        let _ = child.stdin.take().expect("its input").write_all(input);
        child.wait_with_output().expect("its end")
    };
    let signed_in = run(&["login", "asha"], b"demo-asha-2026\n");
    assert!(signed_in.status.success(), "{signed_in:?}");
    for number in campaign.numbers(1) {
        let (form, file) = input(&mut campaign.random(number));
        let format = if form == Form::Toml { "toml" } else { "csv" };
        let what = || format!("{form:?}, {}", bytes::shown(&file));
        let outcome = campaign.attempt(number, &what, || {
            let arguments = ["menu", "import", "-", "--dry-run", "--json", "--staff", "asha", "--format", format];
            let output = run(&arguments, &file);
            let told = String::from_utf8(output.stdout).expect("text");
            let value: serde_json::Value = serde_json::from_str(&told)
                .unwrap_or_else(|error| panic!("{error}: {told} {}", String::from_utf8_lossy(&output.stderr)));
            if output.status.success() {
                assert_eq!(value["dry_run"], true, "{value}");
                return "planned";
            }
            assert_eq!(output.status.code(), Some(1), "{value}");
            assert_eq!(value["error"]["code"], "VALIDATION_ERROR", "{value}");
            "refused"
        });
        campaign.count(outcome);
    }
    campaign.end();
}
