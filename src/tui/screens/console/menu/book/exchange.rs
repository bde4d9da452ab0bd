//! The menu as a file: reading one of the two forms, writing it, and the list of what an import would
//! change, which is looked at before it is confirmed. The files themselves are the runner's business.

use crate::domain::error::Refused;
use crate::service::menu_file::MenuFile;
use crate::service::menu_import::{DiffEntry, MenuDiff};
use crate::tui::app::ViewCtx;
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::{footer, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::cell::Cell;

/// Columns of the list of changes, where the screen has them.
const WIDTH: u16 = 76;

/// Which form a file has, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Toml,
    Csv,
}

fn format_of(name: &str) -> Result<Format, Refused> {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    match end.as_deref() {
        Some("toml") => Ok(Format::Toml),
        Some("csv") => Ok(Format::Csv),
        _ => Err(Refused::invalid("file", "The file's name ends in .toml or .csv.")),
    }
}

/// Reads a menu from the content of the file of this name.
///
/// # Errors
/// `VALIDATION_ERROR` for another ending, and for what the file has wrong.
pub(super) fn read(name: &str, content: &str) -> Result<MenuFile, Refused> {
    match format_of(name)? {
        Format::Toml => MenuFile::from_toml(content),
        Format::Csv => MenuFile::from_csv(content),
    }
}

/// The content of the file of this name.
///
/// # Errors
/// As [`read`].
pub(super) fn write(name: &str, menu: &MenuFile) -> Result<String, Refused> {
    match format_of(name)? {
        Format::Toml => menu.to_toml(),
        Format::Csv => menu.to_csv(),
    }
}

/// Whether a file of this name can be read and written.
///
/// # Errors
/// As [`read`].
pub(super) fn check_name(name: &str) -> Result<(), Refused> {
    format_of(name).map(|_| ())
}

/// How much changes, in words.
pub(super) fn counts(diff: &MenuDiff, locale: &Locale) -> String {
    locale.t_args(
        "menu_book.diff_counts",
        &[
            ("added", &diff.added.len()),
            ("changed", &diff.changed.len()),
            ("removed", &diff.removed.len()),
            ("unchanged", &diff.unchanged),
        ],
    )
}

/// What an import would change, before it is confirmed.
#[derive(Debug)]
pub(super) struct Preview {
    pub(super) file: MenuFile,
    diff: MenuDiff,
    skip: usize,
    /// How far it can be scrolled: only drawing knows.
    most: Cell<usize>,
}

impl Preview {
    pub(super) const fn new(file: MenuFile, diff: MenuDiff) -> Self {
        Self { file, diff, skip: 0, most: Cell::new(0) }
    }

    /// Whether the file says what the store has already.
    pub(super) fn is_empty(&self) -> bool {
        self.diff.is_empty()
    }

    /// Whether something that is on the menu changes or goes: then it asks why.
    pub(super) fn overwrites(&self) -> bool {
        self.diff.overwrites()
    }

    /// How much changes, in words.
    pub(super) fn counts(&self, locale: &Locale) -> String {
        counts(&self.diff, locale)
    }

    pub(super) fn on_action(&mut self, action: Action) {
        let (at, most) = (self.skip.min(self.most.get()), self.most.get());
        self.skip = match action {
            Action::Up => at.saturating_sub(1),
            Action::Down => at.saturating_add(1).min(most),
            Action::PageUp => at.saturating_sub(10),
            Action::PageDown => at.saturating_add(10).min(most),
            Action::Home => 0,
            Action::End => most,
            _ => at,
        };
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let width = WIDTH.min(area.width);
        let lines = self.lines(usize::from(width.saturating_sub(4)), ctx);
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(6);
        let inner = panel::overlay(frame, area, (width, wanted), &ctx.locale.t("menu_book.preview_title"), ctx);
        let [list, _, sums, keys] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let visible = usize::from(list.height);
        self.most.set(lines.len().saturating_sub(visible));
        let shown: Vec<Line<'_>> = lines.into_iter().skip(self.skip.min(self.most.get())).take(visible).collect();
        frame.render_widget(Paragraph::new(shown), list);
        let words = counts(&self.diff, ctx.locale);
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Title))), sums);
        let hints: &[Action] = if self.is_empty() { &[Action::Back] } else { &[Action::Import, Action::Back] };
        footer::draw(frame, keys, Context::ConsoleMenu, hints, ctx);
    }

    fn lines(&self, width: usize, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if self.is_empty() {
            lines.push(Line::styled(ctx.locale.t("menu_book.nothing_changes"), ctx.style(Token::Muted)));
        }
        let parts = [
            ("+", Token::Success, &self.diff.added),
            ("~", Token::Warning, &self.diff.changed),
            ("-", Token::Danger, &self.diff.removed),
        ];
        for (sign, token, entries) in parts {
            for entry in entries {
                entry_lines(sign, token, entry, width, ctx, &mut lines);
            }
        }
        lines
    }
}

fn entry_lines(
    sign: &'static str,
    token: Token,
    entry: &DiffEntry,
    width: usize,
    ctx: &ViewCtx<'_>,
    lines: &mut Vec<Line<'static>>,
) {
    let room = width.saturating_sub(2);
    let words = ctx.locale.t_args("menu_book.diff_entry", &[("name", &entry.name), ("kind", &entry.kind)]);
    let words = text::truncate_to_width(&words, room);
    lines.push(Line::from(vec![
        Span::styled(format!("{sign} "), ctx.style(token)),
        Span::styled(words, ctx.style(token)),
    ]));
    for change in &entry.words {
        for row in text::wrap(change, room.saturating_sub(2)) {
            lines.push(Line::from(vec![Span::raw("    "), Span::styled(row, ctx.style(Token::Muted))]));
        }
    }
}
