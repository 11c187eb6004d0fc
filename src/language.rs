//! The two languages that people are spoken to in.
//!
//! Owns the choice between them. Never holds a sentence: each room keeps its own. Invariant: whatever a caller sends,
//! one of the two is chosen, and French where nothing speaks for English.
//!
//! The header is read here, in twenty lines: of the crates that do, `accept-language` knows neither `*` nor the bounds of a
//! weight, and `fluent-langneg` no weights at all.

/// A language that the service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// The practice's own, unless it says otherwise.
    #[default]
    French,
    /// For whoever prefers it.
    English,
}

impl Language {
    /// Chooses by an `accept-language` header (RFC 9110, section 12.5.4): the one of greater weight, French in a tie.
    ///
    /// A language that is not named weighs what `*` weighs, and nothing without it. What cannot be read counts for
    /// nothing.
    pub fn preferred(accept_language: Option<&str>) -> Self {
        let header = accept_language.unwrap_or_default();
        if weight(header, "en") > weight(header, "fr") { Self::English } else { Self::French }
    }

    /// Its tag, as BCP 47 writes it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

/// The greatest weight of `language` in the header, in thousandths.
fn weight(header: &str, language: &str) -> u16 {
    let named = |wanted: &str| {
        header
            .split(',')
            .filter_map(|range| {
                let (tag, parameters) = range.split_once(';').unwrap_or((range, "q=1"));
                let primary = tag.trim().split('-').next().unwrap_or_default();
                primary.eq_ignore_ascii_case(wanted).then(|| thousandths(parameters))?
            })
            .max()
    };
    named(language).or_else(|| named("*")).unwrap_or(0)
}

fn thousandths(parameters: &str) -> Option<u16> {
    let weight: f32 = parameters.trim().strip_prefix("q=")?.trim().parse().ok()?;
    // The range is checked first, so the cast neither wraps nor loses anything that counts.
    (0.0..=1.0).contains(&weight).then_some((weight * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::Language::{self, English, French};

    #[test]
    fn the_heavier_language_wins_and_french_wins_a_tie() {
        for (header, expected) in [
            ("", French),
            ("fr", French),
            ("en", English),
            ("EN-gb", English),
            ("de, en;q=0.5", English),
            ("fr;q=0.4, en;q=0.5", English),
            ("en;q=0.4, fr;q=0.5", French),
            ("fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", French),
            ("en-US,en;q=0.9,fr;q=0.8", English),
            ("en, fr", French),
            ("*", French),
            ("en;q=0, *", French),
            ("fr;q=0, *;q=0.1", English),
            ("de", French),
        ] {
            assert_eq!(Language::preferred(Some(header)), expected, "{header:?}");
        }
        assert_eq!(Language::preferred(None), French);
    }

    #[test]
    fn nonsense_is_french() {
        for header in [";;;", "en;q=NaN", "en;q=2", "en;q=-1", "en;q=", ",,,,", "en;level=1", "e\u{301}n"] {
            assert_eq!(Language::preferred(Some(header)), French, "{header:?}");
        }
    }
}
