//! The tool that makes the pictures in `assets/pictures` from the running program, and what holds them true.
//!
//! `SERVERY_PICTURES=1 cargo test --test pictures` drives the program in a terminal and writes each screen anew
//! (`pictures/record.rs`, on the house of `pty/house.rs`). Each picture is small, well-formed, and drawn by
//! `tests/support/svg.rs`, which is tested here.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says where it stopped")]

mod support;

#[path = "pty/house.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "pictures are taken of a part of what is tested")]
mod house;
#[path = "pty/office.rs"]
#[expect(dead_code, reason = "pictures need no settings")]
mod office;
#[path = "pictures/record.rs"]
mod record;
#[path = "pictures/rush.rs"]
mod rush;

use support::pty::parsed as screen;
use support::svg::{self, DARK, LARGEST, LIGHT};

/// The `<text>` elements of a picture's screen, without the title's.
fn texts(svg: &str) -> Vec<&str> {
    svg.lines().filter(|line| line.starts_with("<text") && line.contains("textLength")).collect()
}

#[test]
fn a_run_of_equal_cells_is_one_text_at_its_exact_place_and_width() {
    let svg = svg::render(&screen(20, 3, "\x1b[2;3Hone two\x1b[31m red"), "t", &DARK);
    assert_eq!(
        texts(&svg),
        [
            r#"<text x="28.8" y="75.6" textLength="58.8" class="s0">one two</text>"#,
            r#"<text x="96" y="75.6" textLength="25.2" class="s1">red</text>"#,
        ]
    );
    assert!(svg.contains(".s1{fill:#f47067}"), "{svg}");
    svg::check_well_formed(&svg).expect("well-formed");
}

#[test]
fn attributes_become_classes_and_equal_ones_share_one() {
    let svg = svg::render(&screen(40, 1, "\x1b[1ma\x1b[0;3mb\x1b[0;4mc \x1b[0mx\x1b[1md"), "t", &LIGHT);
    let classes: Vec<&str> = texts(&svg).iter().map(|text| &text[text.find("class").expect("a class")..]).collect();
    assert_eq!(
        classes,
        [
            r#"class="s0">a</text>"#,
            r#"class="s1">b</text>"#,
            r#"class="s2">c </text>"#,
            r#"class="s3">x</text>"#,
            r#"class="s0">d</text>"#,
        ]
    );
    assert!(svg.contains(".s0{fill:#24292f;font-weight:700}"), "{svg}");
    assert!(svg.contains(".s1{fill:#24292f;font-style:italic}"), "{svg}");
    assert!(svg.contains(".s2{fill:#24292f;text-decoration:underline}"), "{svg}");
}

#[test]
fn wide_characters_take_two_cells() {
    let svg = svg::render(&screen(20, 1, "a日本\u{3000} b"), "t", &DARK);
    assert_eq!(
        texts(&svg),
        [
            r#"<text x="12" y="57.6" textLength="8.4" class="s0">a</text>"#,
            r#"<text x="20.4" y="57.6" textLength="50.4" class="s0">日本　</text>"#,
            r#"<text x="79.2" y="57.6" textLength="8.4" class="s0">b</text>"#,
        ]
    );
}

#[test]
fn backgrounds_and_blocks_are_paths_without_gaps() {
    // Two cells of a coloured background are one rectangle; an inverse cell takes the text's colour.
    let svg = svg::render(&screen(10, 1, "\x1b[42m  \x1b[0m\x1b[7m \x1b[0;35m▀█"), "t", &DARK);
    assert!(svg.contains(r##"fill="#57c76a" shape-rendering="crispEdges" d="M12 44h16.8v18h-16.8z""##), "{svg}");
    assert!(svg.contains(r##"fill="#d8dee9" shape-rendering="crispEdges" d="M28.8 44h8.4v18h-8.4z""##), "{svg}");
    let magenta = r##"fill="#dc8cf0" shape-rendering="crispEdges" d="M37.2 44h8.4v9h-8.4zM45.6 44h8.4v18h-8.4z""##;
    assert!(svg.contains(magenta), "{svg}");
    assert!(texts(&svg).is_empty(), "{svg}");
}

#[test]
fn borders_are_lines_without_gaps() {
    // Four corners and the edges between them: each edge is one rectangle, however many cells it has.
    let svg = svg::render(&screen(4, 3, "┌──┐\r\n│  │\r\n└──┘"), "t", &DARK);
    let line = svg.lines().find(|line| line.starts_with("<path") && line.contains("M15.6 ")).expect("the lines");
    assert_eq!(line.matches('M').count(), 4, "{line}");
    for edge in ["M15.6 52.4h26.4v1.2h-26.4z", "M15.6 88.4h26.4v1.2h-26.4z", "M15.6 52.4h1.2v37.2h-1.2z"] {
        assert!(line.contains(edge), "{edge} in {line}");
    }
    assert!(texts(&svg).is_empty(), "{svg}");
    let svg = svg::render(&screen(4, 3, "╭╮\r\n╰╯"), "t", &DARK);
    assert_eq!(svg.matches('Q').count(), 8, "{svg}");
    svg::check_well_formed(&svg).expect("well-formed");
}

#[test]
fn indexed_colours_are_the_cube_and_the_greys() {
    let svg = svg::render(&screen(10, 1, "\x1b[38;5;196ma\x1b[38;5;244mb\x1b[38;2;1;2;3mc\x1b[0;2md"), "t", &LIGHT);
    for colour in ["#ff0000", "#808080", "#010203", "#7b7e82"] {
        assert!(svg.contains(&format!("{{fill:{colour}}}")), "{colour} in {svg}");
    }
}

#[test]
fn text_and_title_are_escaped() {
    let svg = svg::render(&screen(20, 1, "<a & \"b\">"), "x < y & \u{7} z", &DARK);
    assert!(svg.contains("&lt;a &amp; &quot;b&quot;&gt;"), "{svg}");
    assert!(svg.contains("<title>x &lt; y &amp; \u{fffd} z</title>"), "{svg}");
    svg::check_well_formed(&svg).expect("well-formed");
}

#[test]
fn a_full_screen_of_small_runs_stays_small() {
    // Far busier than a real screen: 40 rows of 20 words, every second one in another colour.
    let mut bytes = String::new();
    for row in 1..=40 {
        bytes.push_str(&format!("\x1b[{row};1H"));
        for word in 0..10 {
            bytes.push_str(&format!("\x1b[3{}mword {word:<6}", word % 7 + 1));
        }
    }
    let svg = svg::render(&screen(120, 40, &bytes), "busy", &DARK);
    assert!(svg.len() <= LARGEST, "{} bytes", svg.len());
    svg::check_well_formed(&svg).expect("well-formed");
}

#[test]
fn a_picture_is_written_under_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = screen(10, 2, "hello");
    let path = svg::write(folder.path(), "kiosk", &shown, "Kiosk", &DARK);
    assert_eq!(path, folder.path().join("kiosk.svg"));
    assert_eq!(std::fs::read_to_string(path).expect("the picture"), svg::render(&shown, "Kiosk", &DARK));
}

#[test]
fn the_check_of_pictures_refuses_what_is_not_well_formed() {
    for (text, why) in [
        ("", "no element"),
        ("<a><b></a></b>", "closes another"),
        ("<a>", "is not closed"),
        ("<a/><b/>", "a second element"),
        ("<a x=1/>", "not an attribute"),
        (r#"<a x="1" x="2"/>"#, "repeated"),
        ("<a>x & y</a>", "a bare &"),
        ("<a>\u{1}</a>", "control character"),
        ("<a/>tail", "outside"),
        ("<a", "without an end"),
    ] {
        let refused = svg::check_well_formed(text).expect_err(text);
        assert!(refused.contains(why), "{text:?}: {refused}");
    }
}

#[test]
fn the_committed_pictures_are_well_formed_and_small() {
    for entry in std::fs::read_dir(svg::folder()).expect("the folder of the pictures") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "svg") {
            continue;
        }
        let svg = std::fs::read_to_string(&path).expect("a picture is text");
        svg::check_well_formed(&svg).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(svg.len() <= LARGEST, "{} has {} bytes", path.display(), svg.len());
    }
}
