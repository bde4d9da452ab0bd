//! Finds rows that only moved: a list that went on by a row need not be written again, the terminal can
//! move what it shows. Pure search over two pictures; the codes are written by [`super::repaint`].
//!
//! Rows move over their whole width, so beside a detail that stays there is nothing to find.

use super::picture::{BLANK, Picture, Scroll, end_of_text};
use ratatui::buffer::Cell;

/// What the codes that move rows cost, in bytes: the part of the screen, the place, the rows, the whole screen.
const PRICE: i64 = 22;
/// What it costs to go to a place in a row.
const GO: i64 = 4;
/// So many ways of moving, those with the most equal rows, are looked at closely.
const CANDIDATES: usize = 4;

/// The move that spares most of the bytes on the way from one picture to the next; `None` where none does.
pub fn find(shown: &Picture, next: &Picture) -> Option<Scroll> {
    let (shown, next) = (shown.rows(), next.rows());
    let height = shown.len().min(next.len());
    let blank = vec![BLANK; next.first().map_or(0, Vec::len)];
    let as_it_is: Vec<i64> = shown.iter().zip(next).map(|(shown, next)| price(shown, next)).collect();
    candidates(shown, next, &as_it_is)
        .into_iter()
        .filter_map(|(by, up)| {
            // What each row gains where the row `by` before or after it comes, and where a blank one comes.
            // Seen in the direction of the move, so that up and down are the same search.
            let mut gains: Vec<(i64, i64)> = (0..height)
                .map(|y| {
                    let from = if up { y.checked_add(by) } else { y.checked_sub(by) };
                    let (now, wanted) = (as_it_is.get(y).copied().unwrap_or(0), next.get(y));
                    let gain = |row: Option<&Vec<Cell>>| match (row, wanted) {
                        (Some(row), Some(wanted)) => now.saturating_sub(price(row, wanted)),
                        _ => 0,
                    };
                    (gain(from.and_then(|from| shown.get(from))), gain(Some(&blank)))
                })
                .collect();
            if !up {
                gains.reverse();
            }
            let (gain, first, last) = best_part(&gains, by)?;
            let mirrored = |y: usize| height.saturating_sub(1).saturating_sub(y);
            let (top, bottom) = if up { (first, last) } else { (mirrored(last), mirrored(first)) };
            (gain > PRICE).then_some((gain, Scroll { top, bottom, by, up }))
        })
        .max_by_key(|(gain, _)| *gain)
        .map(|(_, scroll)| scroll)
}

/// The moves by which a changed row gets just what it should show, those first that put most right.
fn candidates(shown: &[Vec<Cell>], next: &[Vec<Cell>], as_it_is: &[i64]) -> Vec<(usize, bool)> {
    let mut worth: Vec<(i64, usize, bool)> = (1..shown.len())
        .flat_map(|by| [(by, true), (by, false)])
        .map(|(by, up)| {
            let (from, to) = if up { (by, 0) } else { (0, by) };
            let moved = shown.iter().skip(from).zip(next.iter().zip(as_it_is).skip(to));
            let right = moved.filter(|(shown, (next, price))| **price > 0 && shown == next);
            (right.map(|(_, (_, price))| *price).sum(), by, up)
        })
        .filter(|(worth, ..)| *worth > 0)
        .collect();
    worth.sort_by_key(|(worth, ..)| -worth);
    worth.into_iter().take(CANDIDATES).map(|(_, by, up)| (by, up)).collect()
}

/// The part of the screen that gains most when its rows move up by `by` and the last `by` of it are blank then: what
/// it gains, its first and its last row.
fn best_part(gains: &[(i64, i64)], by: usize) -> Option<(i64, usize, usize)> {
    let mut best: Option<(i64, usize, usize)> = None;
    let (mut sum, mut first) = (0_i64, 0);
    for (end, ((moved, _), freed)) in gains.iter().zip(gains.windows(by).skip(1)).enumerate() {
        if sum < 0 {
            (sum, first) = (0, end);
        }
        sum = sum.saturating_add(*moved);
        let blank: i64 = freed.iter().map(|(_, blank)| blank).sum();
        let gain = sum.saturating_add(blank);
        if best.is_none_or(|(most, ..)| gain > most) {
            best = Some((gain, first, end.saturating_add(by)));
        }
    }
    best
}

/// About what it costs to write one row where another one stands, in bytes.
fn price(shown: &[Cell], next: &[Cell]) -> i64 {
    let text = end_of_text(next);
    let (mut price, mut apart) = (0_i64, true);
    for (shown, next) in shown.iter().zip(next).take(text) {
        if shown != next {
            let bytes = i64::try_from(next.symbol().len()).unwrap_or(i64::MAX);
            price = price.saturating_add(bytes).saturating_add(if apart { GO } else { 0 });
        }
        apart = shown == next;
    }
    // The rest of the row is erased.
    if end_of_text(shown) > text { price.saturating_add(GO) } else { price }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Size;

    fn picture(rows: &[&str]) -> Picture {
        let mut picture = Picture::blank(Size::new(40, u16::try_from(rows.len()).expect("few rows")));
        for (y, row) in (0..).zip(rows) {
            for (x, letter) in (0..).zip(row.chars()) {
                picture.put(x, y, Cell::new(" ").set_char(letter));
            }
        }
        picture
    }

    const LIST: [&str; 8] = [
        "Orders                          page",
        "1 chicken biryani with an egg",
        "2 lemon rice and some pickle",
        "3 vegetable samosa, a plate of",
        "4 masala dosa, the long one",
        "5 a cola without any ice",
        "6 filter coffee in a tumbler",
        "Help",
    ];

    #[test]
    fn a_list_that_goes_on_moves_between_its_head_and_its_foot() {
        let mut next = LIST;
        next[1..7].rotate_left(1);
        next[6] = "7 a sweet lassi";
        let up = Scroll { top: 1, bottom: 6, by: 1, up: true };
        assert_eq!(find(&picture(&LIST), &picture(&next)), Some(up));
        // And back.
        let down = Scroll { up: false, ..up };
        assert_eq!(find(&picture(&next), &picture(&LIST)), Some(down));
    }

    #[test]
    fn nothing_is_found_where_nothing_moved() {
        let mut next = LIST;
        assert_eq!(find(&picture(&LIST), &picture(&next)), None);
        next[3] = "3 something else altogether";
        assert_eq!(find(&picture(&LIST), &picture(&next)), None);
        // Beside a detail that stays, what moves would have to be put back.
        let beside = |list: &[&str]| -> Vec<String> {
            list.iter().zip(LIST.iter().rev()).map(|(row, detail)| format!("{row:.6} {detail:.33}")).collect()
        };
        let rows = |rows: Vec<String>| picture(&rows.iter().map(String::as_str).collect::<Vec<_>>());
        let mut moved = LIST;
        moved[1..7].rotate_left(1);
        assert_eq!(find(&rows(beside(&LIST)), &rows(beside(&moved))), None);
        assert_eq!(find(&picture(&[]), &picture(&[])), None);
    }
}
