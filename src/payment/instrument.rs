//! What a customer pays with, as it is handed to a gateway and to nothing else.
//!
//! A card lives in memory from the last key press to the gateway's answer and is overwritten when
//! dropped. It cannot be cloned, compared, serialised or printed: `Debug` shows brand and last four.

use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use chrono::Datelike;
use std::fmt;
use zeroize::Zeroizing;

/// What the customer pays with.
pub enum Instrument {
    /// A card.
    Card(CardDetails),
    /// The customer's own UPI app, which reads a code from the screen.
    UpiIntent,
}

impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(card) => card.fmt(f),
            Self::UpiIntent => f.write_str("UpiIntent"),
        }
    }
}

/// The scheme that a card number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brand {
    /// 4…
    Visa,
    /// 51…55, 2221…2720
    Mastercard,
    /// 34, 37
    AmericanExpress,
    /// 6011, 644…649, 65
    Discover,
    /// 300…305, 36, 38, 39
    DinersClub,
    /// 3528…3589
    Jcb,
    /// 62, 81
    UnionPay,
    /// Anything else.
    Unknown,
}

impl Brand {
    /// The word that attempts keep.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::AmericanExpress => "amex",
            Self::Discover => "discover",
            Self::DinersClub => "diners",
            Self::Jcb => "jcb",
            Self::UnionPay => "unionpay",
            Self::Unknown => "card",
        }
    }

    /// The brand of a number, from its first digits; usable while it is still being typed.
    #[must_use]
    pub fn of(digits: &str) -> Self {
        let first = |count: usize| digits.get(..count).and_then(|head| head.parse::<u32>().ok());
        match (first(1), first(2), first(3), first(4)) {
            (_, _, _, Some(2221..=2720)) | (_, Some(51..=55), _, _) => Self::Mastercard,
            (_, _, _, Some(6011)) | (_, Some(65), _, _) | (_, _, Some(644..=649), _) => Self::Discover,
            (_, _, _, Some(3528..=3589)) => Self::Jcb,
            (_, Some(34 | 37), _, _) => Self::AmericanExpress,
            (_, Some(36 | 38 | 39), _, _) | (_, _, Some(300..=305), _) => Self::DinersClub,
            (_, Some(62 | 81), _, _) => Self::UnionPay,
            (Some(4), _, _, _) => Self::Visa,
            _ => Self::Unknown,
        }
    }
}

/// A card as typed by the customer.
pub struct CardDetails {
    number: Zeroizing<String>,
    cvc: Zeroizing<String>,
    month: u8,
    year: i32,
}

impl CardDetails {
    /// Reads what was typed: a number (blanks and hyphens allowed), `MM/YY` or `MMYY`, and the code.
    /// Whether the card is good for a payment is the gateway's to say.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `number` (12 to 19 digits with a right check digit), `expiry` or `cvc`. What
    /// was typed is never repeated in the refusal.
    pub fn parse(number: &str, expiry: &str, cvc: &str) -> Result<Self, Refused> {
        let mut digits = Zeroizing::new(String::with_capacity(32));
        for character in number.chars().filter(|c| !matches!(c, ' ' | '-')) {
            if !character.is_ascii_digit() || digits.len() >= 19 {
                return Err(wrong_number());
            }
            digits.push(character);
        }
        if digits.len() < 12 || !passes_luhn(&digits) {
            return Err(wrong_number());
        }
        let (month, year) = parse_expiry(expiry)
            .ok_or_else(|| Refused::invalid("expiry", "Give month and year as on the card, such as 12/30."))?;
        let length = if Brand::of(&digits) == Brand::AmericanExpress { 4 } else { 3 };
        let cvc = cvc.trim();
        if cvc.len() != length || !cvc.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refused::invalid("cvc", format!("Give the {length} digits of the security code.")));
        }
        Ok(Self { number: digits, cvc: Zeroizing::new(cvc.to_owned()), month, year })
    }

    /// The brand.
    #[must_use]
    pub fn brand(&self) -> Brand {
        Brand::of(&self.number)
    }

    /// The last four digits: all that may be kept of the number.
    #[must_use]
    pub fn last_four(&self) -> &str {
        self.number.get(self.number.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// Whether the month on the card is over at `now` (UTC).
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let today = now.to_utc();
        (self.year, u32::from(self.month)) < (today.year(), today.month())
    }

    /// All digits: for a [`super::Gateway`] to send on, and for nothing else.
    #[must_use]
    pub fn expose_number(&self) -> &str {
        &self.number
    }

    /// The security code: for a [`super::Gateway`] to send on, and for nothing else.
    #[must_use]
    pub fn expose_security_code(&self) -> &str {
        &self.cvc
    }

    /// Month (1 to 12) and year (four digits) of the expiry.
    #[must_use]
    pub const fn expiry(&self) -> (u8, i32) {
        (self.month, self.year)
    }
}

impl fmt::Debug for CardDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardDetails({} ****{})", self.brand().as_str(), self.last_four())
    }
}

fn wrong_number() -> Refused {
    Refused::invalid("number", "This card number is not right.").help("Type the digits again as on the card.")
}

/// The check of ISO/IEC 7812-1 over all digits; false for anything but digits.
#[must_use]
pub fn passes_luhn(digits: &str) -> bool {
    let mut sum = 0_u32;
    for (place, byte) in digits.bytes().rev().enumerate() {
        if !byte.is_ascii_digit() {
            return false;
        }
        let digit = u32::from(byte - b'0');
        sum += match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled @ 10..) => doubled - 9,
            (_, doubled) => doubled,
        };
    }
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// `MM/YY`, `MMYY` or `MM/YYYY`; two digits of a year are of this century.
fn parse_expiry(text: &str) -> Option<(u8, i32)> {
    let text = text.trim();
    let (month, year) = match text.split_once('/') {
        Some((month, year)) => (month.trim(), year.trim()),
        None if text.len() == 4 => (text.get(..2)?, text.get(2..)?),
        None => return None,
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(month) || !plain(year) || month.len() > 2 {
        return None;
    }
    let month: u8 = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    let year: i32 = match year.len() {
        2 => 2000 + year.parse::<i32>().ok()?,
        4 => year.parse().ok()?,
        _ => return None,
    };
    Some((month, year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_checked() {
        for good in ["4242424242424242", "378282246310005", "5555555555554444", "3056930009020004"] {
            assert!(passes_luhn(good), "{good}");
        }
        for bad in ["4242424242424241", "", "4242 4242", "42424242424242٢2"] {
            assert!(!passes_luhn(bad), "{bad}");
        }
        // One wrong digit is always found.
        for place in 0..16 {
            for digit in b'0'..=b'9' {
                let mut number = *b"4242424242424242";
                let changed = number[place] != digit;
                number[place] = digit;
                assert_eq!(passes_luhn(std::str::from_utf8(&number).expect("digits")), !changed);
            }
        }
    }

    #[test]
    fn brands_are_told_by_their_first_digits() {
        for (number, brand) in [
            ("4", Brand::Visa),
            ("51", Brand::Mastercard),
            ("2221", Brand::Mastercard),
            ("2720", Brand::Mastercard),
            ("2721", Brand::Unknown),
            ("37", Brand::AmericanExpress),
            ("6011", Brand::Discover),
            ("3056", Brand::DinersClub),
            ("3566", Brand::Jcb),
            ("62", Brand::UnionPay),
            ("", Brand::Unknown),
            ("9", Brand::Unknown),
        ] {
            assert_eq!(Brand::of(number), brand, "{number}");
        }
    }

    #[test]
    fn typed_cards_are_read_or_refused_by_field() {
        let card = CardDetails::parse("4242 4242-4242 4242", " 07/30 ", "123").expect("a card");
        assert_eq!((card.month, card.year, card.last_four()), (7, 2030, "4242"));
        assert_eq!(CardDetails::parse("4242424242424242", "0730", "123").expect("a card").year, 2030);
        for (number, expiry, cvc, field) in [
            ("4242424242424243", "07/30", "123", "number"),
            ("4242", "07/30", "123", "number"),
            ("4242x24242424242", "07/30", "123", "number"),
            ("42424242424242424242424242", "07/30", "123", "number"),
            ("4242424242424242", "13/30", "123", "expiry"),
            ("4242424242424242", "00/30", "123", "expiry"),
            ("4242424242424242", "7é30", "123", "expiry"),
            ("4242424242424242", "+7/30", "123", "expiry"),
            ("4242424242424242", "", "123", "expiry"),
            ("4242424242424242", "07/30", "1234", "cvc"),
            ("4242424242424242", "07/30", "1é", "cvc"),
            ("378282246310005", "07/30", "123", "cvc"),
        ] {
            let refused = CardDetails::parse(number, expiry, cvc).expect_err("refused");
            assert_eq!(refused.details["field"], field);
            assert!(!refused.to_json().to_string().contains("42424242"));
        }
    }

    #[test]
    fn a_card_is_good_until_its_month_is_over() {
        let card = CardDetails::parse("4242424242424242", "02/28", "123").expect("a card");
        let at = |text: &str| Timestamp(chrono::DateTime::parse_from_rfc3339(text).expect("a date").timestamp_micros());
        assert!(!card.is_expired(at("2028-02-29T23:59:59Z")));
        assert!(card.is_expired(at("2028-03-01T00:00:00Z")));
    }

    #[test]
    fn nothing_of_a_card_is_printed_but_brand_and_last_four() {
        let card = CardDetails::parse("4000056655665556", "07/30", "987").expect("a card");
        for printed in [format!("{card:?}"), format!("{:#?}", Instrument::Card(card))] {
            assert_eq!(printed, "CardDetails(visa ****5556)");
        }
    }
}
