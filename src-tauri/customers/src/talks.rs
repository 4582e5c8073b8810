//! What customers say: own texts, in Chinese and English.

/// A language's talks and what fits into every talk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Language {
    /// BCP 47.
    pub tag: String,
    /// Talks, each a run of messages.
    pub talks: Vec<Vec<String>>,
    /// When nobody answers.
    pub nudges: Vec<String>,
    /// When the talk is over.
    pub thanks: Vec<String>,
    /// With the stars.
    pub ratings: Vec<String>,
}

/// All languages of `talks.txt`.
pub fn languages() -> Vec<Language> {
    read(include_str!("talks.txt"))
}

fn read(text: &str) -> Vec<Language> {
    let mut languages: Vec<Language> = Vec::new();
    let mut open = None;
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some((tag, name)) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']')?.split_once(' '))
        {
            let at = languages
                .iter()
                .position(|language| language.tag == tag)
                .unwrap_or_else(|| {
                    languages.push(Language {
                        tag: tag.to_owned(),
                        ..Language::default()
                    });
                    languages.len() - 1
                });
            open = Some((at, name));
            let special = matches!(name, "nudge" | "thanks" | "rating");
            if let (false, Some(language)) = (special, languages.get_mut(at)) {
                language.talks.push(Vec::new());
            }
        } else if let Some((at, name)) = open
            && let Some(language) = languages.get_mut(at)
        {
            let lines = match name {
                "nudge" => Some(&mut language.nudges),
                "thanks" => Some(&mut language.thanks),
                "rating" => Some(&mut language.ratings),
                _ => language.talks.last_mut(),
            };
            if let Some(lines) = lines {
                lines.push(line.to_owned());
            }
        }
    }
    languages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_can_be_sent() {
        let languages = languages();
        assert_eq!(
            languages
                .iter()
                .map(|language| language.tag.as_str())
                .collect::<Vec<_>>(),
            ["zh", "en"]
        );
        for language in languages {
            assert!(language.talks.len() >= 10 && language.talks.iter().all(|talk| talk.len() >= 3));
            let rest = [&language.nudges, &language.thanks, &language.ratings];
            assert!(rest.iter().all(|lines| !lines.is_empty()));
            for text in language.talks.iter().flatten().chain(rest.into_iter().flatten()) {
                assert_eq!(zuoxi_wire::content::check_text(text), Ok(()), "{text}");
            }
        }
    }
}
