//! Where cards stand: columns filled from the top, then the next column, then the next page. A card
//! that is longer than a column goes on in the next one, so that no line is ever hidden.

use ratatui::layout::Rect;

/// The fewest columns of the terminal in which a card can be read.
const CARD_WIDTH: u16 = 25;
/// Columns between two cards.
const GAP: u16 = 1;
/// Rows that the frame of a card takes.
const FRAME: u16 = 2;

/// A card, or a part of one, in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// The place of the ticket in the list.
    pub(super) ticket: usize,
    /// The first row of the ticket that stands here.
    pub(super) first: usize,
    /// How many rows of it.
    pub(super) rows: usize,
    /// Whether more rows follow in the next segment.
    pub(super) goes_on: bool,
    /// Where it stands, with its frame.
    pub(super) area: Rect,
}

/// The width of the inside of a card on a board of this area.
pub(super) fn inner_width(area: Rect) -> u16 {
    card_width(area).saturating_sub(3)
}

fn columns(area: Rect) -> u16 {
    (area.width.saturating_add(GAP) / CARD_WIDTH.saturating_add(GAP)).max(1)
}

fn card_width(area: Rect) -> u16 {
    let columns = columns(area);
    area.width.saturating_sub(GAP.saturating_mul(columns.saturating_sub(1))) / columns
}

/// The pages of a board, for cards with so many rows each.
pub(super) fn pages(rows: &[usize], area: Rect) -> Vec<Vec<Segment>> {
    let mut pages = vec![Vec::new()];
    let (columns, width) = (columns(area), card_width(area));
    let room = usize::from(area.height.saturating_sub(FRAME)).max(1);
    let (mut column, mut y) = (0_u16, 0_u16);
    for (ticket, &rows) in rows.iter().enumerate() {
        let (mut first, mut left) = (0_usize, rows.max(1));
        while left > 0 {
            let free = usize::from(area.height.saturating_sub(y).saturating_sub(FRAME));
            let fits = left <= free || y == 0;
            if !fits {
                (column, y) = (column.saturating_add(1), 0);
            }
            if column >= columns {
                column = 0;
                pages.push(Vec::new());
            }
            let taken = left.min(room);
            let height = u16::try_from(taken).unwrap_or(u16::MAX).saturating_add(FRAME);
            let x = area.x.saturating_add(column.saturating_mul(width.saturating_add(GAP)));
            let place = Rect { x, y: area.y.saturating_add(y), width, height }.intersection(area);
            left = left.saturating_sub(taken);
            if let Some(page) = pages.last_mut() {
                page.push(Segment { ticket, first, rows: taken, goes_on: left > 0, area: place });
            }
            first = first.saturating_add(taken);
            y = y.saturating_add(height);
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_are_filled_from_the_top() {
        let pages = pages(&[6, 6, 6, 20], Rect::new(1, 2, 78, 18));
        let places: Vec<_> = pages[0].iter().map(|segment| (segment.ticket, segment.area.x, segment.area.y)).collect();
        assert_eq!(places, [(0, 1, 2), (1, 1, 10), (2, 27, 2), (3, 53, 2)]);
        assert!(pages[0][3].goes_on);
        assert_eq!((pages[1][0].first, pages[1][0].rows), (16, 4));
    }

    proptest! {
        #[test]
        fn every_row_stands_once_and_nothing_overlaps(
            rows in prop::collection::vec(1_usize..60, 0..60), width in 1_u16..200, height in 3_u16..60,
        ) {
            let area = Rect::new(1, 3, width, height);
            let mut shown = vec![0; rows.len()];
            for page in pages(&rows, area) {
                for (at, segment) in page.iter().enumerate() {
                    prop_assert_eq!(segment.first, shown[segment.ticket]);
                    shown[segment.ticket] += segment.rows;
                    prop_assert_eq!(usize::from(segment.area.height), segment.rows + 2);
                    prop_assert_eq!(segment.area.intersection(area), segment.area);
                    for other in &page[..at] {
                        prop_assert!(!other.area.intersects(segment.area));
                    }
                }
            }
            prop_assert_eq!(shown, rows);
        }
    }
}
