//! Which language a text is in, roughly: for fonts and quotation marks, nothing more.

/// BCP 47 of a text, by its scripts; empty where nothing speaks for one.
pub(crate) fn guess(text: &str) -> &'static str {
    let mut han = false;
    let mut latin = false;
    for c in text.chars() {
        match c {
            // Kana and Hangul decide: Japanese has Han beside them.
            '\u{3040}'..='\u{30ff}' => return "ja",
            '\u{ac00}'..='\u{d7af}' => return "ko",
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => han = true,
            'a'..='z' | 'A'..='Z' => latin = true,
            _ => {}
        }
    }
    if han {
        "zh"
    } else if latin {
        "en"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::guess;

    #[test]
    fn scripts_decide() {
        assert_eq!(guess("您好，iPhone 有货吗？"), "zh");
        assert_eq!(guess("Where is my order?"), "en");
        assert_eq!(guess("注文はどこですか"), "ja");
        assert_eq!(guess("주문 어디"), "ko");
        assert_eq!(guess("12345 👍"), "");
    }
}
