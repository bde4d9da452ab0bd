//! The console's health page: what is done from there. Its pictures, which would show this machine,
//! stand beside the page with a house of their own.

use super::house::House;
use super::picture;

/// To the health page.
const THERE: &str = ": h e a l t h enter";

#[test]
fn the_page_tells_of_store_worker_and_terminals() {
    let house = House::demo();
    for (width, height) in [(60, 20), (80, 24), (120, 40)] {
        let mut desk = house.console(width, height);
        desk.sign_in("asha");
        desk.press(THERE);
        let mut seen = desk.screen();
        desk.press("end");
        seen.push_str(&desk.screen());
        for words in ["Nobody runs the worker", "Start a kiosk", "looked at 12:0"] {
            assert!(seen.contains(words), "{words}:\n{seen}");
        }
    }
}

#[test]
fn a_backup_is_made_only_after_a_yes() {
    let house = House::demo();
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press(THERE);
    assert!(desk.screen().contains("none yet"), "{}", desk.screen());
    desk.press("b");
    assert!(desk.screen().contains("Everybody can go on"), "{}", desk.screen());
    desk.press("enter");
    assert!(desk.screen().contains("none yet"), "No stands first: {}", desk.screen());
    desk.press("b left enter");
    let seen = desk.screen();
    assert!(seen.contains("Backed up to") && !seen.contains("none yet"), "{seen}");
    let folder = house.opened().config.state_folder.join("backups");
    assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 1);
}

/// The dialog alone: what lies behind it tells of this machine.
#[test]
fn the_question_of_a_backup_has_a_picture() {
    for (width, height) in [(80, 24), (120, 40)] {
        let house = House::demo();
        let mut desk = house.console(width, height);
        desk.sign_in("asha");
        desk.press(THERE);
        desk.press("b");
        let seen = desk.screen();
        let rows: Vec<Vec<char>> = seen.lines().map(|row| row.chars().collect()).collect();
        let top =
            seen.lines().position(|row| row.contains("╭ Back up")).unwrap_or_else(|| panic!("no dialog:\n{seen}"));
        let title: Vec<char> = "╭ Back up".chars().collect();
        let left = rows[top].windows(title.len()).position(|part| part == title).unwrap_or_default();
        let foot = rows[top..].iter().position(|row| row.get(left) == Some(&'╰')).expect("its last row");
        let right = rows[top + foot].iter().skip(left).position(|mark| *mark == '╯').expect("its corner");
        let cut = |row: &Vec<char>| row.iter().skip(left).take(right + 1).collect::<String>();
        let dialog: Vec<String> = rows[top..=top + foot].iter().map(cut).collect();
        // As wide on either screen: the picture is one.
        picture("health_backup", &dialog.join("\n"));
    }
}

#[test]
fn the_proof_is_run_and_its_end_is_said() {
    let house = House::demo();
    house.orders();
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press(THERE);
    assert!(desk.screen().contains("Not run yet"), "{}", desk.screen());
    desk.press("v");
    let seen = desk.screen();
    assert!(seen.contains("Nothing disagrees:") && seen.contains("Nothing disagreed (< 5 min ago)"), "{seen}");
}

#[test]
fn it_looks_again_by_itself_every_ten_seconds() {
    let house = House::demo();
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press(THERE);
    let at = |desk: &super::house::Desk<'_>| {
        let seen = desk.screen();
        seen.lines().find_map(|line| line.split_once("looked at ").map(|(_, at)| at.trim().to_owned())).expect("a time")
    };
    // It says when it looked to the minute: the last look of a minute, and the first of the next.
    house.wait(55);
    desk.tick();
    let first = at(&desk);
    house.wait(9);
    desk.tick();
    assert_eq!(at(&desk), first);
    house.wait(1);
    desk.tick();
    assert_ne!(at(&desk), first);
}
