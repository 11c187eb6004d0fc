//! What no reader sees.
//!
//! Owns which characters hide, reorder or break what stands around them. Never changes a text. Invariant: what is
//! invisible is judged by its general category, so that what Unicode adds to one is among them by itself; but for the few
//! letters and signs that are blank whatever their category says.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Whether it shows nothing though its category does not say so: what Unicode calls ignorable by default (fillers of Hangul,
/// vowels of Khmer that are inherent, selectors of variants, and places that are kept for more of them), the sign of Braille
/// without a dot, and what is no character and never will be.
fn is_blank(c: char) -> bool {
    let is_noncharacter = matches!(c, '\u{FDD0}'..='\u{FDEF}') || u32::from(c) & 0xFFFE == 0xFFFE;
    is_noncharacter
        || matches!(
            c,
            '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2065}'
                | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

/// Whether a character has no place in an identifier: controls (a NUL among them, which PostgreSQL cannot hold), separators
/// of lines, formatting characters, those whose meaning is private, and those that are blank.
pub fn is_invisible(c: char) -> bool {
    match c.general_category() {
        _ if is_blank(c) => true,
        GeneralCategory::Control
        | GeneralCategory::Format
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate => true,
        GeneralCategory::UppercaseLetter
        | GeneralCategory::LowercaseLetter
        | GeneralCategory::TitlecaseLetter
        | GeneralCategory::ModifierLetter
        | GeneralCategory::OtherLetter
        | GeneralCategory::NonspacingMark
        | GeneralCategory::SpacingMark
        | GeneralCategory::EnclosingMark
        | GeneralCategory::DecimalNumber
        | GeneralCategory::LetterNumber
        | GeneralCategory::OtherNumber
        | GeneralCategory::ConnectorPunctuation
        | GeneralCategory::DashPunctuation
        | GeneralCategory::OpenPunctuation
        | GeneralCategory::ClosePunctuation
        | GeneralCategory::InitialPunctuation
        | GeneralCategory::FinalPunctuation
        | GeneralCategory::OtherPunctuation
        | GeneralCategory::MathSymbol
        | GeneralCategory::CurrencySymbol
        | GeneralCategory::ModifierSymbol
        | GeneralCategory::OtherSymbol
        | GeneralCategory::SpaceSeparator
        | GeneralCategory::Unassigned => false,
    }
}

/// Whether it breaks a line, or would be read as a command: in a line of text a blank stands for it.
pub fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether an invisible character is part of what is seen all the same: joiners and selectors of variants make emoji and
/// scripts, and some signs of Arabic and Syriac stand around the digits that follow them. Tags make flags, and are invisible
/// behind all else.
pub fn is_part_of_a_script(c: char) -> bool {
    matches!(
        c,
        '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}'
    ) || matches!(
        c,
        '\u{0600}'
            ..='\u{0605}' | '\u{06DD}' | '\u{070F}' | '\u{0890}' | '\u{0891}' | '\u{08E2}' | '\u{110BD}' | '\u{110CD}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_reorders_is_invisible_whichever_block_it_stands_in() {
        for c in "\0\u{7f}\u{85}\u{ad}\u{61c}\u{180e}\u{200b}\u{200f}\u{2028}\u{202e}\u{2066}\u{206a}\u{feff}\u{fff9}\u{e000}\u{e0001}\
            \u{34f}\u{115f}\u{2800}\u{3164}\u{ffa0}\u{fe0f}\u{180b}\u{2065}\u{fff0}\u{fdd0}\u{fffe}\u{ffff}\u{1ffff}\u{e0100}\u{e0fff}\u{10fffe}"
            .chars()
        {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in "aÉß中ا٣-_ 👩\u{301}€".chars() {
            assert!(!is_invisible(c), "{c:?}");
        }
    }
}
