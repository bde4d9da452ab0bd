//! What things look like: semantic tokens, the three built-in themes, a file of overrides, and the
//! lowering of colours to what the terminal can show.
//!
//! This is the only file that may name a colour. Text and background are the terminal's own; state
//! is never told by colour alone, so each token also has modifiers for a terminal without colours.

use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColorProfile {
    /// None (`NO_COLOR`): bold, reverse and underline only.
    None,
    /// The 16 colours of the terminal's own palette.
    Ansi16,
    /// The 256 colours of xterm.
    Ansi256,
    /// 24 bits.
    TrueColor,
}

/// The terminal's background, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Background {
    /// Dark.
    Dark,
    /// Light.
    Light,
    /// Not known: colours that can be read on both are taken.
    #[default]
    Unknown,
}

macro_rules! tokens {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// What a piece of the screen means. Screens name these and never colours.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Token {
            $($(#[$doc])* $variant,)*
        }

        impl Token {
            /// Every token.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name of its table in the file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

tokens! {
    /// Ordinary text.
    Text => "text",
    /// The ground of the whole screen.
    Background => "background",
    /// What matters less: hints, descriptions, old things.
    Muted => "muted",
    /// What leads the eye: keys, the active part.
    Accent => "accent",
    /// The selected row.
    Selected => "selected",
    /// Refused, late, gone.
    Danger => "danger",
    /// Soon late, few left.
    Warning => "warning",
    /// An order that can be picked up.
    Ready => "ready",
    /// Done, paid.
    Success => "success",
    /// Lines around things.
    Border => "border",
    /// Headings.
    Title => "title",
    /// Amounts of money.
    Price => "price",
    /// A small mark on its own ground.
    Badge => "badge",
    /// The ground of what lies over the screen.
    Overlay => "overlay",
    /// A code for a camera: dark on light whatever the theme.
    Scan => "scan",
}

/// Why a theme file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// The file is not TOML of the expected shape.
    #[error("the theme cannot be read: {0}")]
    Syntax(String),
    /// A table that is no token.
    #[error("the theme names \"{0}\", which is not a part of the screen")]
    UnknownToken(String),
    /// A colour that is none.
    #[error(
        "the theme, [{token}]: \"{color}\" is not a colour; write a name such as cyan, a number 0 to 255, \"#rrggbb\" or \"default\""
    )]
    UnknownColor {
        /// The table.
        token: &'static str,
        /// What stands there.
        color: String,
    },
    /// A modifier that is none.
    #[error("the theme, [{token}]: \"{modifier}\" is not one of bold, dim, italic, underlined, reversed")]
    UnknownModifier {
        /// The table.
        token: &'static str,
        /// What stands there.
        modifier: String,
    },
}

#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum WrittenColor {
    Index(u8),
    Text(String),
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    foreground: Option<WrittenColor>,
    background: Option<WrittenColor>,
    #[serde(default)]
    modifiers: Vec<String>,
    /// The modifiers on a terminal without colours, where they differ.
    without_color: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    foreground: Option<Color>,
    background: Option<Color>,
    modifiers: Modifier,
    without_color: Modifier,
}

/// A loaded theme, already lowered to what the terminal can show.
#[derive(Debug, Clone)]
pub struct Theme {
    styles: BTreeMap<Token, Style>,
    profile: ColorProfile,
}

impl Theme {
    /// The built-in theme for `background`, with the entries of `overrides` (a file's content) put
    /// in place of its own, lowered to `profile`.
    ///
    /// # Errors
    /// [`ThemeError`] names the first entry that is wrong.
    pub fn load(background: Background, profile: ColorProfile, overrides: Option<&str>) -> Result<Self, ThemeError> {
        let mut looks = parse(match background {
            Background::Dark => include_str!("../../assets/themes/dark.toml"),
            Background::Light => include_str!("../../assets/themes/light.toml"),
            Background::Unknown => include_str!("../../assets/themes/neutral.toml"),
        })?;
        if let Some(text) = overrides {
            looks.extend(parse(text)?);
        }
        let styles = looks.into_iter().map(|(token, look)| (token, lower(look, profile))).collect();
        Ok(Self { styles, profile })
    }

    /// How a token looks here.
    #[must_use]
    pub fn style(&self, token: Token) -> Style {
        self.styles.get(&token).copied().unwrap_or_default()
    }

    /// What the terminal can show.
    #[must_use]
    pub const fn profile(&self) -> ColorProfile {
        self.profile
    }

    /// Whether a code for a camera can be drawn dark on light here; otherwise show it as text.
    #[must_use]
    pub fn can_draw_scan_codes(&self) -> bool {
        self.profile != ColorProfile::None
    }
}

fn parse(text: &str) -> Result<BTreeMap<Token, Look>, ThemeError> {
    let entries: BTreeMap<String, Entry> =
        toml::from_str(text).map_err(|error| ThemeError::Syntax(super::text::clean(&error.to_string())))?;
    let mut looks = BTreeMap::new();
    for (name, entry) in entries {
        let Some(token) = Token::ALL.iter().copied().find(|token| token.name() == name) else {
            return Err(ThemeError::UnknownToken(super::text::clean(&name)));
        };
        let color = |written: Option<WrittenColor>| written.map(|written| read_color(token, written)).transpose();
        let modifiers = read_modifiers(token, &entry.modifiers)?;
        let without_color = entry.without_color.map_or(Ok(modifiers), |names| read_modifiers(token, &names))?;
        let (foreground, background) = (color(entry.foreground)?, color(entry.background)?);
        looks.insert(token, Look { foreground, background, modifiers, without_color });
    }
    Ok(looks)
}

fn read_color(token: Token, written: WrittenColor) -> Result<Color, ThemeError> {
    let text = match written {
        WrittenColor::Index(index) => return Ok(Color::Indexed(index)),
        WrittenColor::Text(text) => text,
    };
    if text == "default" {
        return Ok(Color::Reset);
    }
    text.parse().map_err(|_| ThemeError::UnknownColor { token: token.name(), color: super::text::clean(&text) })
}

fn read_modifiers(token: Token, names: &[String]) -> Result<Modifier, ThemeError> {
    let mut modifiers = Modifier::empty();
    for name in names {
        modifiers |= match name.as_str() {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            _ => {
                let modifier = super::text::clean(name);
                return Err(ThemeError::UnknownModifier { token: token.name(), modifier });
            }
        };
    }
    Ok(modifiers)
}

fn lower(look: Look, profile: ColorProfile) -> Style {
    let style = Style::default();
    if profile == ColorProfile::None {
        return style.add_modifier(look.without_color);
    }
    Style {
        fg: look.foreground.map(|color| lower_color(color, profile)),
        bg: look.background.map(|color| lower_color(color, profile)),
        ..style.add_modifier(look.modifiers)
    }
}

fn lower_color(color: Color, profile: ColorProfile) -> Color {
    match (color, profile) {
        (Color::Rgb(red, green, blue), ColorProfile::Ansi256) => Color::Indexed(nearest((red, green, blue), 16..=255)),
        (Color::Rgb(red, green, blue), ColorProfile::Ansi16) => named(nearest((red, green, blue), 0..=15)),
        (Color::Indexed(index), ColorProfile::Ansi16) if index > 15 => named(nearest(indexed_rgb(index), 0..=15)),
        (Color::Indexed(index), ColorProfile::Ansi16) => named(index),
        _ => color,
    }
}

/// The colour of the palette's part that is nearest to the eye: green counts most, blue least.
fn nearest(wanted: (u8, u8, u8), among: std::ops::RangeInclusive<u8>) -> u8 {
    let distance = |index: &u8| {
        let (red, green, blue) = indexed_rgb(*index);
        let part = |weight: u32, one: u8, other: u8| {
            let gap = u32::from(one.abs_diff(other));
            weight.saturating_mul(gap).saturating_mul(gap)
        };
        part(3, red, wanted.0).saturating_add(part(4, green, wanted.1)).saturating_add(part(2, blue, wanted.2))
    };
    among.min_by_key(distance).unwrap_or_default()
}

/// What xterm shows for an index of its palette.
fn indexed_rgb(index: u8) -> (u8, u8, u8) {
    const BASE: [(u8, u8, u8); 16] = [
        (0, 0, 0),
        (205, 0, 0),
        (0, 205, 0),
        (205, 205, 0),
        (0, 0, 238),
        (205, 0, 205),
        (0, 205, 205),
        (229, 229, 229),
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (255, 255, 0),
        (92, 92, 255),
        (255, 0, 255),
        (0, 255, 255),
        (255, 255, 255),
    ];
    if let Some(rgb) = BASE.get(usize::from(index)) {
        return *rgb;
    }
    if index >= 232 {
        let level = (index - 232).saturating_mul(10).saturating_add(8);
        return (level, level, level);
    }
    let level = |step: u8| if step == 0 { 0 } else { step.saturating_mul(40).saturating_add(55) };
    let cube = index.saturating_sub(16);
    (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
}

fn named(index: u8) -> Color {
    const NAMES: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    NAMES.get(usize::from(index)).copied().unwrap_or(Color::Reset)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKGROUNDS: [Background; 3] = [Background::Dark, Background::Light, Background::Unknown];

    fn luminance(color: Color) -> f64 {
        let Color::Rgb(red, green, blue) = color else { panic!("{color:?} is not an RGB colour") };
        let part = |value: u8| {
            let share = f64::from(value) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
    }

    fn contrast(one: Color, other: Color) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        if one > other { one / other } else { other / one }
    }

    #[test]
    fn every_token_can_be_read_on_its_ground() {
        let grounds = |background| match background {
            Background::Dark => vec![Color::Rgb(0, 0, 0), Color::Rgb(30, 30, 36)],
            Background::Light => vec![Color::Rgb(255, 255, 255), Color::Rgb(250, 246, 236)],
            Background::Unknown => vec![Color::Rgb(0, 0, 0), Color::Rgb(255, 255, 255)],
        };
        for background in BACKGROUNDS {
            let theme = Theme::load(background, ColorProfile::TrueColor, None).expect("built-in theme");
            for token in Token::ALL {
                let style = theme.style(*token);
                let wanted = if *token == Token::Border { 2.0 } else { 4.2 };
                match (style.fg, style.bg) {
                    (Some(fg), Some(bg)) if bg != Color::Reset => {
                        assert!(contrast(fg, bg) >= wanted, "{background:?} {token:?} {}", contrast(fg, bg));
                    }
                    (Some(fg), _) if fg != Color::Reset => {
                        for ground in grounds(background) {
                            let seen = contrast(fg, ground);
                            assert!(seen >= wanted, "{background:?} {token:?} on {ground:?}: {seen:.2}");
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn every_built_in_theme_knows_every_token_and_no_colour_means_none() {
        for background in BACKGROUNDS {
            let theme = Theme::load(background, ColorProfile::None, None).expect("built-in theme");
            assert_eq!(theme.styles.len(), Token::ALL.len());
            for token in Token::ALL {
                let style = theme.style(*token);
                assert_eq!((style.fg, style.bg, style.underline_color), (None, None, None), "{token:?}");
            }
            let marked = theme.style(Token::Selected).add_modifier;
            assert!(marked.contains(Modifier::REVERSED), "the selection must show without colours");
        }
    }

    #[test]
    fn sixteen_colours_means_the_palette_of_the_terminal() {
        for background in BACKGROUNDS {
            let theme = Theme::load(background, ColorProfile::Ansi16, None).expect("built-in theme");
            for token in Token::ALL {
                let style = theme.style(*token);
                for color in [style.fg, style.bg].into_iter().flatten() {
                    assert!(!matches!(color, Color::Rgb(..) | Color::Indexed(_)), "{token:?} {color:?}");
                }
            }
        }
        assert_eq!(lower_color(Color::Rgb(0, 255, 255), ColorProfile::Ansi256), Color::Indexed(51));
        assert_eq!(lower_color(Color::Indexed(196), ColorProfile::Ansi16), Color::LightRed);
    }

    #[test]
    fn overrides_are_read_and_wrong_ones_refused() {
        let load = |text| Theme::load(Background::Dark, ColorProfile::TrueColor, Some(text));
        let theme =
            load("[accent]\nforeground = 39\nmodifiers = [\"bold\"]\n[price]\nforeground = \"#102030\"").expect("ok");
        assert_eq!(theme.style(Token::Accent).fg, Some(Color::Indexed(39)));
        assert_eq!(theme.style(Token::Price).fg, Some(Color::Rgb(16, 32, 48)));
        assert!(theme.style(Token::Danger).fg.is_some());
        for wrong in [
            "[acent]",
            "[accent]\nforeground = \"blurple\"",
            "[accent]\nforeground = 300",
            "[accent]\nmodifiers = [\"loud\"]",
            "[accent]\ncolour = \"red\"",
            "accent",
        ] {
            assert!(load(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_other_file_of_the_screens_names_a_colour() {
        fn visit(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).expect("folder") {
                let path = entry.expect("entry").path();
                if path.is_dir() {
                    visit(&path, found);
                // The one chooses colours, the other writes down whichever was chosen. Tests may have any.
                } else if !["tui/theme.rs", "tui/cell_codes.rs"].iter().any(|file| path.ends_with(file)) {
                    let text = std::fs::read_to_string(&path).expect("source");
                    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                    let names = ["Color::", "Stylize"].iter().any(|name| text.contains(name));
                    if names {
                        found.push(path.display().to_string());
                    }
                }
            }
        }
        let mut found = Vec::new();
        visit(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui"), &mut found);
        assert!(found.is_empty(), "colours outside the theme: {found:?}");
    }
}
