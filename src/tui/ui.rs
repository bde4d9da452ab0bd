//! What all screens of a process share and only read: the theme, the key map and the words.

use super::keymap::{Keymap, KeymapError};
use super::locale::{Locale, LocaleError};
use super::theme::{Background, ColorProfile, Theme, ThemeError};

/// Theme, key map and words, loaded. Screens get them through [`super::app::Env`].
#[derive(Debug, Clone)]
pub struct Ui {
    /// What things look like.
    pub theme: Theme,
    /// What keys do.
    pub keymap: Keymap,
    /// What is written.
    pub locale: Locale,
}

/// The contents of the files with which a user replaces parts of the built-in ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overrides<'a> {
    /// A theme file.
    pub theme: Option<&'a str>,
    /// A key map file.
    pub keymap: Option<&'a str>,
    /// A translation.
    pub locale: Option<&'a str>,
}

/// Why the files of a user are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UiError {
    /// The theme.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// The key map.
    #[error(transparent)]
    Keymap(#[from] KeymapError),
    /// The words.
    #[error(transparent)]
    Locale(#[from] LocaleError),
}

impl Ui {
    /// The built-in files with the overrides in place, for a terminal of this background and these
    /// colours.
    ///
    /// # Errors
    /// [`UiError`] names the first entry of a file that is wrong.
    pub fn load(background: Background, profile: ColorProfile, overrides: &Overrides<'_>) -> Result<Self, UiError> {
        Ok(Self {
            theme: Theme::load(background, profile, overrides.theme)?,
            keymap: Keymap::load(overrides.keymap)?,
            locale: Locale::load(overrides.locale)?,
        })
    }
}
