//! Amounts of CIRO as people write them.

use crate::CIRO;
use std::{fmt, str::FromStr};

/// Decimals of the token.
const DECIMALS: usize = 18;

/// An amount in base units, read and written as decimal CIRO without rounding: `1.5` is 1.5 × 10^18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub u128);

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
            return Err(format!(
                "\"{text}\" is not an amount: write CIRO in digits, like 2 or 1.5"
            ));
        }
        if fraction.len() > DECIMALS {
            return Err(format!(
                "\"{text}\" has more than {DECIMALS} digits after the point: the token has no smaller unit"
            ));
        }
        let too_large = || format!("\"{text}\" CIRO is more than any account can hold");
        let fraction: u128 = format!("{fraction:0<DECIMALS$}")
            .parse()
            .map_err(|_| too_large())?;
        whole
            .parse::<u128>()
            .ok()
            .and_then(|whole| whole.checked_mul(CIRO)?.checked_add(fraction))
            .map(Self)
            .ok_or_else(too_large)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / CIRO, self.0 % CIRO);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{fraction:0DECIMALS$}");
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl serde::Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, units) in [
            ("0", 0),
            ("1", CIRO),
            ("1.5", CIRO + CIRO / 2),
            ("0.1", CIRO / 10),
            ("0.000000000000000001", 1),
            ("340282366920938463463.374607431768211455", u128::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Amount(units)), "{text}");
            assert_eq!(Amount(units).to_string(), text);
        }
        assert_eq!("007.50".parse(), Ok(Amount(7 * CIRO + CIRO / 2)));
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            ".",
            ".5",
            "1.",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "1_000",
            " 1",
            "1.2.3",
            "0x1",
            "one",
            "0.0000000000000000001",
            "340282366920938463463.374607431768211456",
            "999999999999999999999999999999999999999999",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }
}
