//! Draws a parsed terminal screen as a small SVG picture, for the README.
//!
//! One `<text>` for each run of equal cells, held to its exact width so that the picture does not depend on the
//! viewer's font; backgrounds, block characters and lines as one path for each colour (`shapes`). Styles are classes, shared by all runs. What a picture shows is decided by who records it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use vt100::{Cell, Color, Screen};

use super::shapes::{self, Rectangle};

/// A picture may not be larger: they all live in git. In bytes.
pub const LARGEST: usize = 40_000;

/// The size of a cell, in the picture's units. Tenths, so that all sums are exact.
pub const CELL_WIDTH: u32 = 84;
pub const CELL_HEIGHT: u32 = 180;
/// From the top of a cell to the line that characters stand on.
const BASELINE: u32 = 136;
/// Around the screen.
const MARGIN: u32 = 120;
/// The bar with the title.
const BAR: u32 = 320;

/// The colours of a picture.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    /// Text that has no colour of its own.
    pub foreground: Rgb,
    /// The screen.
    pub background: Rgb,
    /// The window's bar.
    pub bar: Rgb,
    /// The title and the window's edge.
    pub title: Rgb,
    /// The 16 colours that a terminal's user chooses.
    pub ansi: [Rgb; 16],
}

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// The colour `0xRRGGBB`.
const fn rgb(number: u32) -> Rgb {
    let [_, red, green, blue] = number.to_be_bytes();
    (red, green, blue)
}

/// Light text on a dark screen.
pub const DARK: Palette = Palette {
    foreground: rgb(0xd8_de_e9),
    background: rgb(0x16_1b_22),
    bar: rgb(0x24_2b_35),
    title: rgb(0x8b_96_a5),
    ansi: [
        rgb(0x3b_42_4d),
        rgb(0xf4_70_67),
        rgb(0x57_c7_6a),
        rgb(0xe3_b3_41),
        rgb(0x6c_b6_ff),
        rgb(0xdc_8c_f0),
        rgb(0x4f_d1_d9),
        rgb(0xc4_cc_d8),
        rgb(0x76_80_8f),
        rgb(0xff_93_8a),
        rgb(0x7e_e7_87),
        rgb(0xf7_d0_6a),
        rgb(0x96_ce_ff),
        rgb(0xec_b4_fa),
        rgb(0x8b_e9_ef),
        rgb(0xff_ff_ff),
    ],
};

/// Dark text on a light screen.
pub const LIGHT: Palette = Palette {
    foreground: rgb(0x24_29_2f),
    background: rgb(0xff_ff_ff),
    bar: rgb(0xec_ef_f3),
    title: rgb(0x6a_73_7d),
    ansi: [
        rgb(0x24_29_2f),
        rgb(0xc4_1e_2a),
        rgb(0x11_70_2c),
        rgb(0x8a_5a_00),
        rgb(0x09_58_c8),
        rgb(0x8a_3a_c0),
        rgb(0x1b_6c_75),
        rgb(0x6e_77_81),
        rgb(0x57_60_6a),
        rgb(0xa0_11_1f),
        rgb(0x1a_7f_37),
        rgb(0x70_4a_00),
        rgb(0x21_8b_ff),
        rgb(0xa4_75_f9),
        rgb(0x30_92_a0),
        rgb(0x8c_95_9f),
    ],
};

/// How a run of text looks. Runs that look the same share a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    colour: Rgb,
    bold: bool,
    italic: bool,
    underline: bool,
}

/// A run of cells in one row that look the same.
struct Run {
    look: Look,
    text: String,
    column: u32,
    cells: u32,
    wide: bool,
}

/// The picture of `screen` in a window with `title`.
pub fn render(screen: &Screen, title: &str, palette: &Palette) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (u32::from(rows.get()), u32::from(columns.get()));
    let width = columns * CELL_WIDTH + 2 * MARGIN;
    let height = rows * CELL_HEIGHT + BAR + 2 * MARGIN;

    // The shapes of each colour, backgrounds below characters.
    let mut backgrounds: BTreeMap<Rgb, Vec<Rectangle>> = BTreeMap::new();
    let mut blocks: BTreeMap<Rgb, Vec<Rectangle>> = BTreeMap::new();
    let mut lines: BTreeMap<Rgb, (Vec<Rectangle>, String)> = BTreeMap::new();
    let mut classes: BTreeMap<Look, usize> = BTreeMap::new();
    let mut texts = String::new();
    for row in 0..rows {
        let top = BAR + MARGIN + row * CELL_HEIGHT;
        let mut runs: Vec<Run> = Vec::new();
        for column in 0..columns {
            let (Ok(at_row), Ok(at_column)) = (u16::try_from(row), u16::try_from(column)) else { break };
            let Some(cell) = screen.cell(at_row, at_column) else { break };
            let (look, background) = look_of(cell, palette);
            let left = MARGIN + column * CELL_WIDTH;
            if background != palette.background {
                let whole = Rectangle { top, bottom: top + CELL_HEIGHT, left, right: left + CELL_WIDTH };
                backgrounds.entry(background).or_default().push(whole);
            }
            if cell.is_wide_continuation() {
                continue;
            }
            if let Some(filled) = shapes::block(cell.contents(), left, top) {
                blocks.entry(look.colour).or_default().extend(filled);
            } else if let Some(drawn) = shapes::line(cell.contents(), left, top) {
                lines.entry(look.colour).or_default().0.extend(drawn);
            } else if let Some(curve) = shapes::round_corner(cell.contents(), left, top) {
                lines.entry(look.colour).or_default().1.push_str(&curve);
            } else {
                add_to_runs(&mut runs, cell, look, column);
            }
        }
        for run in runs {
            write_run(&mut texts, &run, top, &mut classes);
        }
    }

    let mut svg = String::new();
    let (full_width, full_height) = (tenths(width), tenths(height));
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full_width} {full_height}" width="{full_width}" height="{full_height}" role="img" xml:space="preserve"><title>{title}</title><style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;white-space:pre;fill:{foreground}}}"#,
        title = escape(title),
        foreground = hex(palette.foreground),
    );
    for (look, number) in &classes {
        let _ = write!(svg, ".s{number}{{fill:{}", hex(look.colour));
        for (on, rule) in [
            (look.bold, ";font-weight:700"),
            (look.italic, ";font-style:italic"),
            (look.underline, ";text-decoration:underline"),
        ] {
            if on {
                svg.push_str(rule);
            }
        }
        svg.push('}');
    }
    svg.push_str("</style>\n");
    let _ = writeln!(
        svg,
        r#"<rect x=".5" y=".5" width="{}" height="{}" rx="9" fill="{}" stroke="{}" stroke-opacity=".35"/>"#,
        tenths(width - 10),
        tenths(height - 10),
        hex(palette.background),
        hex(palette.title),
    );
    let _ = writeln!(
        svg,
        r#"<path d="M1 {bar}V10a9 9 0 0 1 9-9H{right}a9 9 0 0 1 9 9V{bar}z" fill="{fill}"/>"#,
        bar = tenths(BAR),
        right = tenths(width - 100),
        fill = hex(palette.bar),
    );
    for (x, colour) in [(18, "#ff5f57"), (36, "#febc2e"), (54, "#28c840")] {
        let _ = write!(svg, r#"<circle cx="{x}" cy="16" r="5.5" fill="{colour}"/>"#);
    }
    let _ = writeln!(
        svg,
        r#"<text x="{}" y="20.5" text-anchor="middle" style="font:13px system-ui,sans-serif;fill:{}">{}</text>"#,
        tenths(width / 2),
        hex(palette.title),
        escape(title),
    );
    for (colour, filled) in backgrounds.into_iter().chain(blocks) {
        let path = shapes::path(filled);
        let _ = writeln!(svg, r#"<path fill="{}" shape-rendering="crispEdges" d="{path}"/>"#, hex(colour));
    }
    for (colour, (drawn, curves)) in lines {
        let _ = writeln!(svg, r#"<path fill="{}" d="{}{curves}"/>"#, hex(colour), shapes::path(drawn));
    }
    svg.push_str(&texts);
    svg.push_str("</svg>\n");
    svg
}

/// Whether this run is to record the committed pictures anew: `SERVERY_PICTURES=1`.
pub fn is_recording() -> bool {
    std::env::var("SERVERY_PICTURES").is_ok_and(|value| value == "1")
}

/// Where the committed pictures stand.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures")
}

/// Writes the picture `name`.svg into `folder`, and returns its path.
///
/// # Panics
/// When it cannot be written or would be larger than [`LARGEST`].
pub fn write(folder: &Path, name: &str, screen: &Screen, title: &str, palette: &Palette) -> PathBuf {
    let svg = render(screen, title, palette);
    assert!(svg.len() <= LARGEST, "the picture {name} has {} bytes, {LARGEST} are allowed", svg.len());
    std::fs::create_dir_all(folder).expect("the folder of the pictures");
    let path = folder.join(name).with_extension("svg");
    std::fs::write(&path, svg).expect("the picture");
    path
}

/// Appends a cell to the last run where it looks the same, else begins a run. Blank cells are kept only inside a
/// run, or where they are underlined.
fn add_to_runs(runs: &mut Vec<Run>, cell: &Cell, look: Look, column: u32) {
    let blank = matches!(cell.contents(), "" | " ");
    let text = if blank { " " } else { cell.contents() };
    let cells = if cell.is_wide() { 2 } else { 1 };
    if let Some(run) = runs.last_mut()
        && run.wide == cell.is_wide()
        && run.column + run.cells == column
        // A blank shows nothing of its colour, so it may stand between two words of one look.
        && (run.look == look || (blank && !look.underline && !run.look.underline))
    {
        run.text.push_str(text);
        run.cells += cells;
    } else if !blank || look.underline {
        runs.push(Run { look, text: text.to_owned(), column, cells, wide: cell.is_wide() });
    }
}

/// Writes one run as a `<text>`.
fn write_run(texts: &mut String, run: &Run, top: u32, classes: &mut BTreeMap<Look, usize>) {
    let shown = if run.look.underline { run.text.as_str() } else { run.text.trim_end_matches(' ') };
    let trimmed = u32::try_from(run.text.len() - shown.len()).unwrap_or(0);
    let next = classes.len();
    let class = classes.entry(run.look).or_insert(next);
    let _ = writeln!(
        texts,
        r#"<text x="{}" y="{}" textLength="{}" class="s{class}">{}</text>"#,
        tenths(MARGIN + run.column * CELL_WIDTH),
        tenths(top + BASELINE),
        tenths((run.cells - trimmed) * CELL_WIDTH),
        escape(shown),
    );
}

/// How a cell's text looks, and the colour behind it.
fn look_of(cell: &Cell, palette: &Palette) -> (Look, Rgb) {
    let mut colour = resolve(cell.fgcolor(), palette).unwrap_or(palette.foreground);
    let mut background = resolve(cell.bgcolor(), palette).unwrap_or(palette.background);
    if cell.inverse() {
        std::mem::swap(&mut colour, &mut background);
    }
    if cell.dim() {
        colour = blend(colour, background);
    }
    (Look { colour, bold: cell.bold(), italic: cell.italic(), underline: cell.underline() }, background)
}

/// The colour of a cell, or `None` for the terminal's own.
fn resolve(colour: Color, palette: &Palette) -> Option<Rgb> {
    match colour {
        Color::Default => None,
        Color::Rgb(red, green, blue) => Some((red, green, blue)),
        Color::Idx(index) => Some(match index {
            0..=15 => palette.ansi[usize::from(index)],
            // A cube of 6 x 6 x 6.
            16..=231 => {
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                let index = index - 16;
                (level(index / 36), level(index / 6 % 6), level(index % 6))
            }
            // Greys.
            232..=255 => {
                let grey = 8 + 10 * (index - 232);
                (grey, grey, grey)
            }
        }),
    }
}

/// Dim text: three parts of its colour and two of what is behind it.
fn blend(colour: Rgb, background: Rgb) -> Rgb {
    let mix = |front: u8, back: u8| {
        u8::try_from((u32::from(front) * 3 + u32::from(back) * 2) / 5).expect("a mean is not above its parts")
    };
    (mix(colour.0, background.0), mix(colour.1, background.1), mix(colour.2, background.2))
}

/// A number of tenths as a decimal number.
pub fn tenths(number: u32) -> String {
    if number.is_multiple_of(10) { format!("{}", number / 10) } else { format!("{}.{}", number / 10, number % 10) }
}

fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text for XML. Characters that XML has no place for become the replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Whether `text` is one well-formed element as this file writes them: tags closed in order, attributes quoted and
/// named once, no bare `&` or `<`. Comments, CDATA and declarations are refused: the pictures have none.
pub fn check_well_formed(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    let mut elements = 0;
    loop {
        let (content, after) = match rest.split_once('<') {
            Some((content, after)) => (content, Some(after)),
            None => (rest, None),
        };
        check_references(content)?;
        if open.is_empty() && !content.trim().is_empty() {
            return Err(format!("text outside of the element: {content:?}"));
        }
        let Some(after) = after else { break };
        let (tag, after) = after.split_once('>').ok_or("a tag without an end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name.trim_end()) {
                return Err(format!("</{name}> closes another element"));
            }
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.is_empty() || !name.chars().all(|character| character.is_ascii_alphanumeric()) {
            return Err(format!("not an element: <{tag}>"));
        }
        check_attributes(attributes)?;
        if open.is_empty() && elements > 0 {
            return Err("a second element".to_owned());
        }
        elements += 1;
        if !empty {
            open.push(name);
        }
    }
    match (open.last(), elements) {
        (Some(name), _) => Err(format!("<{name}> is not closed")),
        (None, 0) => Err("no element".to_owned()),
        (None, _) => Ok(()),
    }
}

fn check_attributes(attributes: &str) -> Result<(), String> {
    let mut names = Vec::new();
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").ok_or_else(|| format!("not an attribute: {rest:?}"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("the value of {name:?} has no end"))?;
        if name.is_empty() || name.contains(char::is_whitespace) || names.contains(&name) {
            return Err(format!("a wrong or repeated attribute: {name:?}"));
        }
        names.push(name);
        check_references(value)?;
        rest = after.trim_start();
    }
    Ok(())
}

fn check_references(text: &str) -> Result<(), String> {
    for part in text.split('&').skip(1) {
        let name = part.split_once(';').map_or("", |(name, _)| name);
        if !matches!(name, "amp" | "lt" | "gt" | "quot" | "apos") {
            return Err(format!("a bare & before {part:?}"));
        }
    }
    match text.chars().find(|character| character.is_control() && *character != '\n') {
        Some(character) => Err(format!("the control character {character:?}")),
        None => Ok(()),
    }
}
