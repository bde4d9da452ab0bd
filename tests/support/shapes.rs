//! Block and line characters as shapes, so that big digits, QR codes and borders have no gaps between cells,
//! whatever the viewer's font. Lengths are in tenths of the picture's unit.

use std::fmt::Write as _;

use super::svg::{CELL_HEIGHT, CELL_WIDTH, tenths};

/// The thickness of a light line, and of a heavy one.
const LIGHT: u32 = 12;
const HEAVY: u32 = 26;
/// The radius of a round corner.
const RADIUS: u32 = 36;

/// A filled rectangle. Ordered by row, so that neighbours in a row stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rectangle {
    pub top: u32,
    pub bottom: u32,
    pub left: u32,
    pub right: u32,
}

/// The rectangles as the data of one path, touching ones as one.
pub fn path(mut rectangles: Vec<Rectangle>) -> String {
    rectangles.sort_unstable();
    rectangles.dedup_by(|next, kept| {
        let touches = (next.top, next.bottom) == (kept.top, kept.bottom) && next.left <= kept.right;
        if touches {
            kept.right = kept.right.max(next.right);
        }
        touches
    });
    rectangles.sort_unstable_by_key(|rectangle| (rectangle.left, rectangle.right, rectangle.top));
    rectangles.dedup_by(|next, kept| {
        let touches = (next.left, next.right) == (kept.left, kept.right) && next.top <= kept.bottom;
        if touches {
            kept.bottom = kept.bottom.max(next.bottom);
        }
        touches
    });
    let mut path = String::new();
    for Rectangle { top, bottom, left, right } in rectangles {
        let (x, y, width, height) = (tenths(left), tenths(top), tenths(right - left), tenths(bottom - top));
        let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
    }
    path
}

/// A part of a cell in eighths: left, upper, right, lower.
type Part = (u32, u32, u32, u32);

/// The parts of a cell that a block character fills, `None` for other characters.
fn block_parts(text: &str) -> Option<&'static [Part]> {
    const UPPER_LEFT: Part = (0, 0, 4, 4);
    const UPPER_RIGHT: Part = (4, 0, 8, 4);
    const LOWER_LEFT: Part = (0, 4, 4, 8);
    const LOWER_RIGHT: Part = (4, 4, 8, 8);
    const UPPER: Part = (0, 0, 8, 4);
    const LOWER: Part = (0, 4, 8, 8);
    Some(match text {
        "█" => &[(0, 0, 8, 8)],
        "▀" => &[UPPER],
        "▔" => &[(0, 0, 8, 1)],
        "▁" => &[(0, 7, 8, 8)],
        "▂" => &[(0, 6, 8, 8)],
        "▃" => &[(0, 5, 8, 8)],
        "▄" => &[LOWER],
        "▅" => &[(0, 3, 8, 8)],
        "▆" => &[(0, 2, 8, 8)],
        "▇" => &[(0, 1, 8, 8)],
        "▉" => &[(0, 0, 7, 8)],
        "▊" => &[(0, 0, 6, 8)],
        "▋" => &[(0, 0, 5, 8)],
        "▌" => &[(0, 0, 4, 8)],
        "▍" => &[(0, 0, 3, 8)],
        "▎" => &[(0, 0, 2, 8)],
        "▏" => &[(0, 0, 1, 8)],
        "▐" => &[(4, 0, 8, 8)],
        "▕" => &[(7, 0, 8, 8)],
        "▖" => &[LOWER_LEFT],
        "▗" => &[LOWER_RIGHT],
        "▘" => &[UPPER_LEFT],
        "▝" => &[UPPER_RIGHT],
        "▙" => &[UPPER_LEFT, LOWER],
        "▛" => &[UPPER, LOWER_LEFT],
        "▜" => &[UPPER, LOWER_RIGHT],
        "▟" => &[UPPER_RIGHT, LOWER],
        "▚" => &[UPPER_LEFT, LOWER_RIGHT],
        "▞" => &[UPPER_RIGHT, LOWER_LEFT],
        _ => return None,
    })
}

/// What a block character fills of the cell at `left`, `top`. `None` for other characters.
pub fn block(text: &str, left: u32, top: u32) -> Option<Vec<Rectangle>> {
    let x = |eighths: u32| left + CELL_WIDTH * eighths / 8;
    let y = |eighths: u32| top + CELL_HEIGHT * eighths / 8;
    let rectangle = |&(left, upper, right, lower): &Part| Rectangle {
        top: y(upper),
        bottom: y(lower),
        left: x(left),
        right: x(right),
    };
    Some(block_parts(text)?.iter().map(rectangle).collect())
}

/// What a line character draws in the cell at `left`, `top`: its arms from the middle to the edges. `None` for other
/// characters, and for round corners.
pub fn line(text: &str, left: u32, top: u32) -> Option<Vec<Rectangle>> {
    // Up, right, down, left.
    let arms = match text {
        "─" => [0, LIGHT, 0, LIGHT],
        "│" => [LIGHT, 0, LIGHT, 0],
        "┌" => [0, LIGHT, LIGHT, 0],
        "┐" => [0, 0, LIGHT, LIGHT],
        "└" => [LIGHT, LIGHT, 0, 0],
        "┘" => [LIGHT, 0, 0, LIGHT],
        "├" => [LIGHT, LIGHT, LIGHT, 0],
        "┤" => [LIGHT, 0, LIGHT, LIGHT],
        "┬" => [0, LIGHT, LIGHT, LIGHT],
        "┴" => [LIGHT, LIGHT, 0, LIGHT],
        "┼" => [LIGHT, LIGHT, LIGHT, LIGHT],
        "━" => [0, HEAVY, 0, HEAVY],
        "┃" => [HEAVY, 0, HEAVY, 0],
        "┏" => [0, HEAVY, HEAVY, 0],
        "┓" => [0, 0, HEAVY, HEAVY],
        "┗" => [HEAVY, HEAVY, 0, 0],
        "┛" => [HEAVY, 0, 0, HEAVY],
        _ => return None,
    };
    let (middle_x, middle_y) = (left + CELL_WIDTH / 2, top + CELL_HEIGHT / 2);
    let (right, bottom) = (left + CELL_WIDTH, top + CELL_HEIGHT);
    let mut drawn = Vec::new();
    for (arm, thickness) in arms.into_iter().enumerate().filter(|(_, thickness)| *thickness > 0) {
        let half = thickness / 2;
        let (from_x, to_x) = (middle_x - half, middle_x + half);
        let (from_y, to_y) = (middle_y - half, middle_y + half);
        drawn.push(match arm {
            0 => Rectangle { top, bottom: to_y, left: from_x, right: to_x },
            1 => Rectangle { top: from_y, bottom: to_y, left: from_x, right },
            2 => Rectangle { top: from_y, bottom, left: from_x, right: to_x },
            _ => Rectangle { top: from_y, bottom: to_y, left, right: to_x },
        });
    }
    Some(drawn)
}

/// The path of a round corner in the cell at `left`, `top`. `None` for other characters.
pub fn round_corner(text: &str, left: u32, top: u32) -> Option<String> {
    // Where the arms go: to the right, and down.
    let (rightward, downward) = match text {
        "╭" => (true, true),
        "╮" => (false, true),
        "╰" => (true, false),
        "╯" => (false, false),
        _ => return None,
    };
    let (middle_x, middle_y) = (left + CELL_WIDTH / 2, top + CELL_HEIGHT / 2);
    let side = if rightward { left + CELL_WIDTH } else { left };
    let end = if downward { top + CELL_HEIGHT } else { top };
    // Along the arms, `distance` from the middle; a negative one lies outside of the curve.
    let x = |inward: bool, distance: u32| {
        tenths(if inward == rightward { middle_x + distance } else { middle_x - distance })
    };
    let y = |inward: bool, distance: u32| {
        tenths(if inward == downward { middle_y + distance } else { middle_y - distance })
    };
    let half = LIGHT / 2;
    Some(format!(
        "M{outer_x} {end}V{bend_y}Q{outer_x} {outer_y} {bend_x} {outer_y}H{side}V{inner_y}H{bend_x}Q{inner_x} {inner_y} {inner_x} {bend_y}V{end}z",
        outer_x = x(false, half),
        outer_y = y(false, half),
        inner_x = x(true, half),
        inner_y = y(true, half),
        bend_x = x(true, RADIUS),
        bend_y = y(true, RADIUS),
        side = tenths(side),
        end = tenths(end),
    ))
}
