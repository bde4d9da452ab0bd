//! What the console writes for the house: the proof of its books, a backup, and reports in files. Each is looked at
//! where it lies, not only on the screen.

use std::path::PathBuf;
use std::sync::Arc;

use servery::domain::error::Refused;
use servery::service::audit::{SealsStatus, SealsView};
use servery::service::{SystemClock, backup};

use crate::console::signed_in;
use crate::house::{House, PATIENCE, on_both_databases};
use crate::office::{self, Office};
use crate::support::pty::Key;
use crate::support::wait;

on_both_databases!(
    the_books_are_proved_and_the_store_is_copied_from_the_health_page,
    a_report_is_written_for_spreadsheets_and_for_programs,
);

/// Two samosas, paid by card.
fn sale(house: &House) {
    let place = ["order", "place", "--item", "samosa=2", "--method", "card", "--pay", "--test-card", "approved"];
    house.servery.json(&place);
}

/// The files of a folder of the house's own.
fn files(house: &House, folder: &str) -> Vec<PathBuf> {
    let folder = house.servery.home().join("state").join("servery").join(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Asks something of the store beside the console.
fn at_the_office<T>(house: &House, ask: impl AsyncFnOnce(&Office) -> Result<T, Refused>) -> T {
    office::block_on(async {
        let office = Office::open(house, Arc::new(SystemClock)).await;
        ask(&office).await.expect("an answer")
    })
}

fn seals(house: &House) -> SealsView {
    at_the_office(house, async |office| office.door.ask(&office.admin, SealsStatus).await)
}

fn the_books_are_proved_and_the_store_is_copied_from_the_health_page(house: &House) {
    sale(house);
    let console = signed_in(house, "asha", "Asha, admin");
    console.send("9");
    console.wait_for("Answers in", PATIENCE);
    console.wait_for("Not run yet", PATIENCE);
    assert_eq!(seals(house).verified_at, None, "nobody has gone through the books");
    console.send("v");
    console.wait_for("Nothing disagrees: ", PATIENCE);
    let proved = seals(house);
    assert!(proved.verified_at.is_some() && proved.violation.is_none(), "{proved:?}");
    console.wait_gone("Not run yet", PATIENCE);

    console.send("b");
    console.wait_for("Everybody can go on", PATIENCE);
    // The first Enter is a no: nothing is copied by a slip of the finger.
    console.key(Key::Enter);
    console.wait_gone("Everybody can go on", PATIENCE);
    assert!(files(house, "backups").is_empty(), "{:?}", files(house, "backups"));
    console.send("b");
    console.wait_for("Everybody can go on", PATIENCE);
    console.keys(&[Key::Left, Key::Enter]);
    console.wait_for("Backed up to", PATIENCE);
    let made = files(house, "backups");
    let [file] = made.as_slice() else { panic!("one backup: {made:?}") };
    let copy = std::fs::read(file).expect("the backup");
    let magic: &[u8] = if house.database.is_some() { b"PGDMP" } else { b"SQLite format 3\0" };
    assert!(copy.starts_with(magic), "it begins with {:?}", copy.get(..16));
    let last = at_the_office(house, async |office| backup::status(&office.door, &office.admin).await);
    let last = last.last_backup.expect("it was noted");
    assert_eq!(last.size_bytes, i64::try_from(copy.len()).ok(), "{last:?}");
    assert_eq!(Some(last.file_name.as_str()), file.to_str(), "{last:?}");
    assert!(last.error.is_none() && last.finished_at.is_some(), "{last:?}");
    console.send("q");
    assert!(console.wait_exit(PATIENCE).success());
    console.assert_restored();
}

fn a_report_is_written_for_spreadsheets_and_for_programs(house: &House) {
    sale(house);
    let console = signed_in(house, "asha", "Asha, admin");
    console.send("7");
    console.wait_for("1 paid order", PATIENCE);
    console.send("w");
    console.wait_for("CSV, for spreadsheets", PATIENCE);
    console.key(Key::Esc);
    console.wait_gone("CSV, for spreadsheets", PATIENCE);
    assert!(files(house, "exports").is_empty(), "nothing was chosen");
    for (choice, ending) in [("1", "csv"), ("2", "json")] {
        console.send("w");
        console.wait_for("CSV, for spreadsheets", PATIENCE);
        console.send(choice);
        console.wait_for("Written to", PATIENCE);
        wait::until(PATIENCE, ending, || {
            files(house, "exports").iter().any(|file| file.extension().is_some_and(|is| is == ending))
        });
    }
    let written = files(house, "exports");
    let [csv, json] = written.as_slice() else { panic!("one of each: {written:?}") };
    let name = csv.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(name.starts_with("sales-"), "{name}");

    let table = std::fs::read_to_string(csv).expect("the table");
    let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = rows.next().expect("a head");
    let whole = rows.find(|row| row.first() == Some(&"whole")).unwrap_or_else(|| panic!("no sum:\n{table}"));
    let cell = |name: &str| head.iter().position(|column| *column == name).and_then(|at| whole.get(at)).copied();
    assert_eq!(
        (cell("orders"), cell("collected"), cell("net")),
        (Some("1"), Some("126.00"), Some("126.00")),
        "{table}"
    );

    let text = std::fs::read_to_string(json).expect("the report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (&report["whole"]["orders"], &report["whole"]["collected"]),
        (&1.into(), &"126.00".into()),
        "{report:#}"
    );
}
