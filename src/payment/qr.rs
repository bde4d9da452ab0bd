//! A QR code as modules and as rows of half blocks. Which colours it is drawn in is the screen's
//! business: dark modules have to be black and the rest white, whatever the theme.

use crate::domain::error::Refused;
use qrcode::{Color, EcLevel, QrCode, Version};

/// The longest text that fits version 4 at level L, in bytes; larger codes do not fit 80x24.
pub const MAX_PAYLOAD: usize = 78;
/// Light modules around the code, without which readers do not find it.
pub const QUIET_ZONE: usize = 4;

/// A QR code, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrPicture {
    /// Rows of modules, dark is true, the quiet zone included. A square.
    pub modules: Vec<Vec<bool>>,
    /// The same as text: each row of characters is two rows of modules (` `, `▀`, `▄`, `█`), for dark
    /// characters on a light ground.
    pub rows: Vec<String>,
}

impl QrPicture {
    /// How many columns the picture takes.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.modules.len()
    }

    /// How many rows of characters the picture takes.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.rows.len()
    }
}

/// Draws a text as a QR code of level L and at most version 4: at most 41 columns and 21 rows.
///
/// # Errors
/// `VALIDATION_ERROR` on `payload` for an empty text or one beyond [`MAX_PAYLOAD`] bytes.
pub fn draw(payload: &str) -> Result<QrPicture, Refused> {
    if payload.is_empty() || payload.len() > MAX_PAYLOAD {
        return Err(Refused::invalid("payload", format!("A code holds 1 to {MAX_PAYLOAD} bytes."))
            .with("length", payload.len()));
    }
    let code = QrCode::with_error_correction_level(payload, EcLevel::L).map_err(Refused::internal)?;
    if !matches!(code.version(), Version::Normal(1..=4)) {
        return Err(Refused::internal("the code is larger than version 4"));
    }
    let width = code.width();
    let colors = code.to_colors();
    let side = width + 2 * QUIET_ZONE;
    let mut modules = vec![vec![false; side]; side];
    for (row, line) in modules.iter_mut().skip(QUIET_ZONE).zip(colors.chunks(width)) {
        for (module, color) in row.iter_mut().skip(QUIET_ZONE).zip(line) {
            *module = *color == Color::Dark;
        }
    }
    let rows = modules.chunks(2).map(half_blocks).collect();
    Ok(QrPicture { modules, rows })
}

fn half_blocks(pair: &[Vec<bool>]) -> String {
    let (Some(top), bottom) = (pair.first(), pair.get(1)) else { return String::new() };
    let lower = |column: usize| bottom.and_then(|row| row.get(column)).copied().unwrap_or(false);
    top.iter()
        .enumerate()
        .map(|(column, upper)| match (*upper, lower(column)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the modules back from the rows of characters.
    fn read_rows(picture: &QrPicture) -> Vec<Vec<bool>> {
        let mut modules = Vec::new();
        for row in &picture.rows {
            modules.push(row.chars().map(|c| matches!(c, '█' | '▀')).collect());
            modules.push(row.chars().map(|c| matches!(c, '█' | '▄')).collect());
        }
        modules.truncate(picture.modules.len());
        modules
    }

    #[test]
    fn the_picture_is_the_code_with_its_quiet_zone() {
        for length in 1..=MAX_PAYLOAD {
            let payload = "x".repeat(length);
            let picture = draw(&payload).expect("a picture");
            let code = QrCode::with_error_correction_level(&payload, EcLevel::L).expect("a code");
            assert_eq!(picture.columns(), code.width() + 2 * QUIET_ZONE);
            assert_eq!(read_rows(&picture), picture.modules);
            for (y, row) in picture.modules.iter().enumerate() {
                for (x, dark) in row.iter().enumerate() {
                    let inside = |at: usize| (QUIET_ZONE..QUIET_ZONE + code.width()).contains(&at);
                    let wanted = inside(x) && inside(y) && code[(x - QUIET_ZONE, y - QUIET_ZONE)] == Color::Dark;
                    assert_eq!(*dark, wanted);
                }
            }
        }
    }

    #[test]
    fn the_longest_payload_fits_a_small_terminal() {
        let picture = draw(&"ü".repeat(MAX_PAYLOAD / 2)).expect("a picture");
        assert_eq!((picture.columns(), picture.lines()), (41, 21));
        assert!(picture.rows.iter().all(|row| row.chars().count() == 41));
        // The three finders stand in their corners.
        for (x, y) in [(4, 4), (4 + 26, 4), (4, 4 + 26)] {
            let row: String = (0..7).map(|step| if picture.modules[y + 3][x + step] { '#' } else { '.' }).collect();
            assert_eq!(row, "#.###.#");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(draw("").expect_err("empty").details["length"], 0);
        assert_eq!(draw(&"x".repeat(79)).expect_err("too long").details["length"], 79);
    }
}
