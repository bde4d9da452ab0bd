//! Money: whole minor units of an ISO 4217 currency, rates in parts per million, and the two ways of
//! rounding.
//!
//! All arithmetic is checked and none of it uses floating point. Which amount is rounded, and when,
//! is said where it happens (`pricing`, `tax`, `promo`); this file only knows how.

use crate::domain::error::Refused;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Parts per million in a whole.
pub const PPM: i64 = 1_000_000;

/// ISO 4217 codes without minor units.
const EXPONENT_0: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
];
/// ISO 4217 codes with two decimals.
const EXPONENT_2: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BMD", "BND",
    "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CNY", "COP", "COU",
    "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS",
    "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR",
    "KPW", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU",
    "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK",
    "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS",
    "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD",
    "USN", "UYU", "UZS", "VED", "VES", "WST", "XAD", "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG",
];
/// ISO 4217 codes with three decimals.
const EXPONENT_3: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// ISO 4217 codes with four decimals.
const EXPONENT_4: &[&str] = &["CLF", "UYW"];

/// Signs that stand before an amount instead of the code.
const SYMBOLS: &[(&str, &str)] = &[
    ("EUR", "€"),
    ("USD", "$"),
    ("GBP", "£"),
    ("INR", "₹"),
    ("JPY", "¥"),
    ("CNY", "CN¥"),
    ("KRW", "₩"),
    ("BRL", "R$"),
    ("AUD", "A$"),
    ("CAD", "C$"),
    ("NZD", "NZ$"),
    ("HKD", "HK$"),
    ("SGD", "S$"),
    ("TWD", "NT$"),
    ("MXN", "MX$"),
    ("ILS", "₪"),
    ("VND", "₫"),
    ("PHP", "₱"),
    ("THB", "฿"),
    ("TRY", "₺"),
    ("UAH", "₴"),
    ("NGN", "₦"),
    ("KZT", "₸"),
];

/// A currency of ISO 4217, written as its code in JSON and in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    code: &'static str,
    exponent: u8,
}

impl Currency {
    /// The currency of a new store.
    pub const EUR: Self = Self { code: "EUR", exponent: 2 };

    /// The currency of an upper-case ISO 4217 code.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `currency` for a code that is not in the table.
    pub fn parse(code: &str) -> Result<Self, Refused> {
        [(0, EXPONENT_0), (2, EXPONENT_2), (3, EXPONENT_3), (4, EXPONENT_4)]
            .into_iter()
            .find_map(|(exponent, codes)| {
                codes.iter().find(|known| **known == code).map(|known| Self { code: known, exponent })
            })
            .ok_or_else(|| Refused::invalid("currency", "Give a currency code of ISO 4217 in capitals, such as EUR."))
    }

    /// The three-letter code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// How many decimals an amount has.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// The sign of the currency, where it has a common one.
    #[must_use]
    pub fn symbol(self) -> Option<&'static str> {
        SYMBOLS.iter().find(|(code, _)| *code == self.code).map(|(_, symbol)| *symbol)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).map_err(|refused| serde::de::Error::custom(refused.message))
    }
}

/// How half a minor unit is rounded. Both are symmetric about zero, so a refund rounds as its charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// A half goes away from zero: what tax offices and customers expect.
    HalfUp,
    /// A half goes to the even neighbour: without drift over many amounts.
    HalfEven,
}

/// A rate in parts per million: 10.75 % is 107 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub i64);

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 100 %.
    pub const WHOLE: Self = Self(PPM);

    /// Reads a percentage with at most four decimals: `10.75` (a `%` at the end is allowed).
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `field` when it is no number, negative or too precise.
    pub fn parse_percent(field: &str, text: &str) -> Result<Self, Refused> {
        let number = text.trim();
        let number = number.strip_suffix('%').map_or(number, str::trim_end);
        let ppm = parse_decimal(field, number, 4)?;
        if ppm < 0 {
            return Err(Refused::invalid(field, "A rate cannot be negative."));
        }
        Ok(Self(ppm))
    }

    /// The percentage as it is typed, without useless zeros: `10.75`.
    #[must_use]
    pub fn plain(self) -> String {
        format_decimal(self.0, 4).trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl fmt::Display for Rate {
    /// The percentage without useless zeros: `10.75 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.plain())
    }
}

/// An amount in minor units (cents, paise, yen). The currency is the site's and stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Whether the amount is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` beyond the range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` beyond the range.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// So many times the amount, or `None` beyond the range.
    #[must_use]
    pub fn checked_mul(self, times: i64) -> Option<Self> {
        self.0.checked_mul(times).map(Self)
    }

    /// The amount with the other sign, or `None` beyond the range.
    #[must_use]
    pub fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// The sum of many amounts, or `None` beyond the range.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// This amount × `rate`, rounded once; `None` beyond the range.
    #[must_use]
    pub fn share(self, rate: Rate, rounding: Rounding) -> Option<Self> {
        self.ratio(rate.0, PPM, rounding)
    }

    /// This amount × `numerator` ÷ `denominator`, rounded once; `None` beyond the range or when the
    /// denominator is not positive.
    #[must_use]
    pub fn ratio(self, numerator: i64, denominator: i64, rounding: Rounding) -> Option<Self> {
        if denominator <= 0 {
            return None;
        }
        let product = i128::from(self.0).checked_mul(i128::from(numerator))?;
        let divisor = i128::from(denominator);
        let (quotient, remainder) = (product.checked_div(divisor)?, product.checked_rem(divisor)?);
        let twice = remainder.checked_abs()?.checked_mul(2)?;
        let away = match (twice.cmp(&divisor), rounding) {
            (std::cmp::Ordering::Greater, _) | (std::cmp::Ordering::Equal, Rounding::HalfUp) => true,
            (std::cmp::Ordering::Equal, Rounding::HalfEven) => quotient.checked_rem(2)? != 0,
            (std::cmp::Ordering::Less, _) => false,
        };
        let rounded = if away { quotient.checked_add(product.signum())? } else { quotient };
        i64::try_from(rounded).ok().map(Self)
    }

    /// Splits the amount in proportion to `weights` so that the shares sum to it exactly: each gets
    /// its part rounded towards zero, and the minor units left go to the largest remainders, ties to
    /// the earlier share. When all weights are zero the split is even.
    ///
    /// `None` when a weight is negative, or when there is an amount but no weight at all.
    #[must_use]
    pub fn allocate(self, weights: &[i64]) -> Option<Vec<Self>> {
        if weights.iter().any(|weight| *weight < 0) {
            return None;
        }
        if weights.is_empty() {
            return self.is_zero().then(Vec::new);
        }
        let even = weights.iter().all(|weight| *weight == 0);
        let weights: Vec<i128> = weights.iter().map(|weight| if even { 1 } else { i128::from(*weight) }).collect();
        let whole: i128 = weights.iter().sum();
        let amount = i128::from(self.0);
        let mut shares = Vec::with_capacity(weights.len());
        let mut remainders = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let product = amount.checked_mul(*weight)?;
            shares.push(product.checked_div(whole)?);
            remainders.push((product.checked_rem(whole)?.checked_abs()?, index));
        }
        let left = amount.checked_sub(shares.iter().sum())?;
        // A stable sort keeps the earlier of two equal remainders first.
        remainders.sort_by_key(|(remainder, _)| std::cmp::Reverse(*remainder));
        let count = usize::try_from(left.checked_abs()?).ok()?;
        for (_, index) in remainders.iter().take(count) {
            if let Some(share) = shares.get_mut(*index) {
                *share = share.checked_add(left.signum())?;
            }
        }
        shares.into_iter().map(|share| i64::try_from(share).ok().map(Self)).collect()
    }

    /// Reads a decimal amount: `12.50`, `12.5` or `-3` with at most the currency's decimals.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `field` for a comma, too many decimals, anything that is no number, or
    /// an amount beyond the range.
    pub fn parse(field: &str, text: &str, currency: Currency) -> Result<Self, Refused> {
        parse_decimal(field, text.trim(), currency.exponent()).map(Self)
    }

    /// As [`Money::parse`], of what a person types at a screen: `12,50` is `12.50`. A comma is taken for
    /// the point only where it can part no thousands: there is one, with one or two digits behind it.
    ///
    /// # Errors
    /// As [`Money::parse`].
    pub fn parse_typed(field: &str, text: &str, currency: Currency) -> Result<Self, Refused> {
        let text = text.trim();
        let decimal = text
            .split_once(',')
            .filter(|(whole, part)| !whole.contains('.') && matches!(part.len(), 1 | 2) && !part.contains(','));
        match decimal {
            Some((whole, part)) => Self::parse(field, &format!("{whole}.{part}"), currency),
            None => Self::parse(field, text, currency),
        }
    }

    /// The bare decimal number for JSON, CSV and input fields: `12.50`.
    #[must_use]
    pub fn plain(self, currency: Currency) -> String {
        format_decimal(self.0, currency.exponent())
    }

    /// The amount for people, with the currency's sign or code: `€12.50`, `-€3.00`, `CHF 12.50`.
    #[must_use]
    pub fn display(self, currency: Currency) -> String {
        let number = self.plain(currency);
        let (sign, digits) = number.strip_prefix('-').map_or(("", number.as_str()), |digits| ("-", digits));
        match currency.symbol() {
            Some(symbol) => format!("{sign}{symbol}{digits}"),
            None => format!("{} {sign}{digits}", currency.code()),
        }
    }
}

/// The refusal of a sum that does not fit; no menu comes near it, so a hostile quantity did.
#[must_use]
pub fn out_of_range() -> Refused {
    Refused::invalid("amount", "The amount is too large.")
}

/// Reads a decimal number with at most `decimals` decimals as a whole number of its smallest parts.
fn parse_decimal(field: &str, text: &str, decimals: u8) -> Result<i64, Refused> {
    if text.contains(',') {
        return Err(Refused::invalid(field, "Write a point for the decimals and nothing for the thousands: 1234.50."));
    }
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || part.is_some_and(|part| !is_number(part)) {
        return Err(Refused::invalid(field, "Write a number such as 12 or 12.50."));
    }
    let part = part.unwrap_or("");
    if part.len() > usize::from(decimals) {
        let message = match decimals {
            0 => "This amount has no decimals.".to_owned(),
            1 => "At most 1 decimal.".to_owned(),
            _ => format!("At most {decimals} decimals."),
        };
        return Err(Refused::invalid(field, message));
    }
    let smallest = format!("{}{whole}{part:0<width$}", if negative { "-" } else { "" }, width = usize::from(decimals));
    smallest.parse().map_err(|_| Refused::invalid(field, "The number is too large."))
}

/// Writes a whole number of smallest parts as a decimal number.
fn format_decimal(smallest: i64, decimals: u8) -> String {
    let sign = if smallest < 0 { "-" } else { "" };
    let width = usize::from(decimals);
    let digits = format!("{:0>width$}", smallest.unsigned_abs(), width = width.saturating_add(1));
    let (whole, part) = digits.split_at(digits.len().saturating_sub(width));
    if width == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect("known code")
    }

    #[test]
    fn a_typed_comma_is_a_point_only_where_it_parts_no_thousands() {
        let typed = |text| Money::parse_typed("price", text, currency("EUR")).ok();
        assert_eq!(typed("9,50"), Some(Money(950)));
        assert_eq!(typed(" -9,5 "), Some(Money(-950)));
        assert_eq!(typed("9.50"), Some(Money(950)));
        for unclear in ["1,200", "1,200.50", "1.200,50", "9,5,0", ",5", "9,", "9,x"] {
            assert_eq!(typed(unclear), None, "{unclear}");
        }
        assert_eq!(Money::parse_typed("price", "9,5", currency("JPY")).ok(), None);
    }

    #[test]
    fn three_for_ten_sums_to_ten() {
        // invariants.md, Money: 3 for 10.00.
        assert_eq!(Money(1000).allocate(&[1, 1, 1]), Some(vec![Money(334), Money(333), Money(333)]));
        assert_eq!(Money(-1000).allocate(&[1, 1, 1]), Some(vec![Money(-334), Money(-333), Money(-333)]));
    }

    #[test]
    fn a_rate_is_rounded_once_and_exactly() {
        // invariants.md, Money: 10.75 % on 24.99 (Medusa #14817) must be 2.69.
        let rate = Rate::parse_percent("rate", "10.75").expect("rate");
        assert_eq!(rate, Rate(107_500));
        assert_eq!(Money(2499).share(rate, Rounding::HalfUp), Some(Money(269)));
    }

    #[test]
    fn halves_go_where_they_are_told() {
        let half = Rate(500_000);
        for (amount, up, even) in [(1, 1, 0), (3, 2, 2), (5, 3, 2), (-1, -1, 0), (-3, -2, -2), (-5, -3, -2)] {
            assert_eq!(Money(amount).share(half, Rounding::HalfUp), Some(Money(up)));
            assert_eq!(Money(amount).share(half, Rounding::HalfEven), Some(Money(even)));
        }
    }

    #[test]
    fn shares_without_weight_are_even_or_none() {
        assert_eq!(Money(5).allocate(&[0, 0]), Some(vec![Money(3), Money(2)]));
        assert_eq!(Money(0).allocate(&[]), Some(vec![]));
        assert_eq!(Money(1).allocate(&[]), None);
        assert_eq!(Money(1).allocate(&[1, -1]), None);
        assert_eq!(Money(100).allocate(&[0, 7]), Some(vec![Money(0), Money(100)]));
    }

    #[test]
    fn nothing_overflows_in_silence() {
        assert_eq!(Money(i64::MAX).checked_add(Money(1)), None);
        assert_eq!(Money(i64::MIN).checked_sub(Money(1)), None);
        assert_eq!(Money(i64::MAX).checked_mul(2), None);
        assert_eq!(Money(i64::MIN).checked_neg(), None);
        assert_eq!(Money(i64::MAX).share(Rate(2 * PPM), Rounding::HalfUp), None);
        assert_eq!(Money(1).ratio(1, 0, Rounding::HalfUp), None);
        assert_eq!(Money::checked_sum([Money(i64::MAX), Money(1)]), None);
        assert_eq!(Money(i64::MIN).plain(currency("EUR")), "-92233720368547758.08");
    }

    #[test]
    fn currencies_have_their_own_decimals() {
        // invariants.md, Money: zero-decimal and three-decimal currency.
        for (code, text, minor, people) in [
            ("EUR", "12.50", 1250, "€12.50"),
            ("JPY", "1250", 1250, "¥1250"),
            ("KWD", "1.250", 1250, "KWD 1.250"),
            ("CLF", "0.1250", 1250, "CLF 0.1250"),
            ("INR", "-0.05", -5, "-₹0.05"),
            ("CHF", "-3.00", -300, "CHF -3.00"),
        ] {
            let currency = currency(code);
            assert_eq!(Money::parse("price", text, currency).expect(text), Money(minor));
            assert_eq!(Money(minor).plain(currency), text);
            assert_eq!(Money(minor).display(currency), people);
            assert_eq!(serde_json::to_value(currency).expect("json"), code);
            assert_eq!(serde_json::from_value::<Currency>(code.into()).expect("code"), currency);
        }
        assert!(Currency::parse("XYZ").is_err() && Currency::parse("eur").is_err());
        assert!(serde_json::from_str::<Currency>("\"XYZ\"").is_err());
    }

    #[test]
    fn every_code_is_in_the_table_once() {
        let mut codes: Vec<&str> = [EXPONENT_0, EXPONENT_2, EXPONENT_3, EXPONENT_4].concat();
        assert!(codes.iter().all(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())));
        assert!(SYMBOLS.iter().all(|(code, _)| codes.contains(code)));
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn doubtful_amounts_are_refused() {
        for text in
            ["12,50", "1.234,50", "12.505", "", ".5", "5.", "-", "1e3", "+3", "0x10", "99999999999999999999", "१२"]
        {
            let refused = Money::parse("price", text, Currency::EUR).expect_err(text);
            assert_eq!(refused.details["field"], "price");
        }
        assert!(Money::parse("price", "12.0", currency("JPY")).is_err());
        assert_eq!(Money::parse("price", " 12.5 ", Currency::EUR).expect("short"), Money(1250));
    }

    #[test]
    fn rates_read_as_percent() {
        assert_eq!(Currency::EUR.to_string(), "EUR");
        assert_eq!(Rate(107_500).to_string(), "10.75 %");
        assert_eq!(Rate::WHOLE.to_string(), "100 %");
        assert_eq!(Rate::parse_percent("rate", "5 %").expect("rate"), Rate(50_000));
        assert_eq!(Rate::parse_percent("rate", "0").expect("nothing"), Rate::ZERO);
        assert!(Rate::parse_percent("rate", "-1").is_err());
    }

    proptest! {
        #[test]
        fn shares_sum_exactly(amount in any::<i64>(), weights in prop::collection::vec(0_i64..=i64::MAX, 1..20)) {
            let shares = Money(amount).allocate(&weights).expect("weights are not negative");
            let sum: i128 = shares.iter().map(|share| i128::from(share.0)).sum();
            prop_assert_eq!(sum, i128::from(amount));
            prop_assert!(shares.iter().all(|share| share.0 == 0 || (share.0 < 0) == (amount < 0)));
        }

        #[test]
        fn a_share_never_exceeds_its_weight(weights in prop::collection::vec(0_i64..10_000, 1..20), part in 0_i64..=PPM) {
            let whole: i64 = weights.iter().sum();
            let amount = Money(whole).share(Rate(part), Rounding::HalfUp).expect("in range");
            let shares = amount.allocate(&weights).expect("weights are not negative");
            prop_assert!(shares.iter().zip(&weights).all(|(share, weight)| share.0 <= *weight));
        }

        #[test]
        fn text_and_amount_agree(minor in any::<i64>(), code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"])) {
            let currency = currency(code);
            prop_assert_eq!(Money::parse("x", &Money(minor).plain(currency), currency).expect("own text"), Money(minor));
        }

        #[test]
        fn rounding_is_symmetric_and_near(amount in any::<i32>(), rate in 0_i64..2_000_000) {
            for rounding in [Rounding::HalfUp, Rounding::HalfEven] {
                let share = Money(amount.into()).share(Rate(rate), rounding).expect("in range").0;
                let mirrored = Money(-i64::from(amount)).share(Rate(rate), rounding).expect("in range").0;
                prop_assert_eq!(share, -mirrored);
                let error = i128::from(share) * 1_000_000 - i128::from(amount) * i128::from(rate);
                prop_assert!(error.abs() * 2 <= 1_000_000);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Money::parse("x", &text, Currency::EUR).map(|money| money.display(Currency::EUR));
        }
    }
}
