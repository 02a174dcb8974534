//! What a person wrote, without what their mail program added: quoted history, signatures, adverts, disclaimers.
//!
//! Toward phones only; the message kept is never touched. A rule that would leave nothing leaves the text as it is:
//! somebody who writes below a quotation, or forwards one, meant it.

/// The text without quoted history, signature, "Sent from my …" and legal boilerplate; lines ended by LF.
pub fn strip_history(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let rules: [Rule; 5] = [original_message, attribution, signature, advert, disclaimer];
    for rule in rules {
        if let Some(at) = rule(&lines)
            && lines[..at].iter().any(|line| says_something(line))
        {
            lines.truncate(at);
        }
    }
    if lines.iter().any(|line| says_something(line) && !is_attribution(line)) {
        lines = without_quotes(&lines);
    }
    tidy(&lines)
}

/// Finds the line from which on a text is its mail program's.
type Rule = fn(&[&str]) -> Option<usize>;

/// Lines without blanks at their ends, no more than one empty line in a row, none at either end; ended by LF.
pub(crate) fn tidy(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut empty = 0;
    for line in lines.iter().map(|line| line.trim_end()) {
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.push_str(line);
    }
    out
}

fn says_something(line: &str) -> bool {
    !line.trim().is_empty() && !is_quoted(line)
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// Quoted lines and the lines that announce them, wherever they stand.
fn without_quotes<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    let mut was_quoted = false;
    for line in lines {
        if is_quoted(line) {
            if !was_quoted {
                drop_attribution(&mut kept);
            }
            was_quoted = true;
        } else {
            was_quoted = was_quoted && line.is_empty();
            kept.push(line);
        }
    }
    kept
}

fn drop_attribution(kept: &mut Vec<&str>) {
    let filled = kept.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
    for length in 1..=filled.min(3) {
        if is_attribution(&kept[filled - length..filled].join(" ")) {
            kept.truncate(filled - length);
            return;
        }
    }
}

/// `On …, … wrote:` in the languages of the big mail programs.
fn is_attribution(line: &str) -> bool {
    #[rustfmt::skip]
    const FORMS: &[(&str, &str)] = &[
        ("on ", "wrote:"), ("am ", "schrieb"), ("le ", "a écrit"), ("el ", "escribió:"), ("il ", "ha scritto:"),
        ("op ", "schreef"), ("den ", "skrev"), ("em ", "escreveu:"), ("dnia ", "napisał"), ("w dniu ", "pisze:"),
    ];
    let line = line.trim().to_lowercase();
    line.ends_with(':')
        && line.len() < 400
        && FORMS.iter().any(|(start, verb)| line.starts_with(start) && line.contains(verb))
}

/// An attribution with only quotation after it.
fn attribution(lines: &[&str]) -> Option<usize> {
    (0..lines.len()).find(|&at| {
        let length =
            (1..=3).find(|&length| lines.get(at..at + length).is_some_and(|some| is_attribution(&some.join(" "))));
        length.is_some_and(|length| {
            let mut after = lines[at + length..].iter().filter(|line| !line.is_empty());
            after.all(|line| is_quoted(line))
        })
    })
}

/// Outlook's and webmail's ways to begin history without quotation marks.
fn original_message(lines: &[&str]) -> Option<usize> {
    #[rustfmt::skip]
    const DIVIDERS: &[&str] = &[
        "original message", "ursprüngliche nachricht", "originalnachricht", "message d'origine", "mensaje original",
        "messaggio originale", "oorspronkelijk bericht", "ursprungligt meddelande", "mensagem original",
    ];
    #[rustfmt::skip]
    const FORWARDS: &[&str] = &[
        "forwarded message", "begin forwarded message", "weitergeleitete nachricht", "message transféré", "mensaje reenviado",
        "messaggio inoltrato", "doorgestuurd bericht", "vidarebefordrat meddelande", "mensagem encaminhada",
    ];
    for (at, line) in lines.iter().enumerate() {
        let dashed = line.starts_with("--") && line.ends_with("--");
        let inner = line.trim_matches(|c: char| c == '-' || c == ':' || c.is_whitespace()).to_lowercase();
        if FORWARDS.contains(&inner.as_str()) {
            return None; // what is forwarded is what was meant
        }
        if dashed && DIVIDERS.contains(&inner.as_str()) || header_block(&lines[at..]) {
            return Some(at);
        }
    }
    None
}

/// `From: … Sent: … To: … Subject: …`, with a rule of underscores above it or not.
fn header_block(lines: &[&str]) -> bool {
    const FROM: &[&str] = &["from:", "von:", "de:", "da:", "van:", "från:"];
    const SENT: &[&str] =
        &["sent:", "date:", "gesendet:", "datum:", "envoyé", "enviado", "inviato:", "verzonden:", "skickat:"];
    const SUBJECT: &[&str] =
        &["subject:", "betreff:", "objet", "asunto:", "oggetto:", "onderwerp:", "ämne:", "assunto:"];
    let starts = |line: &str, forms: &[&str]| {
        let line = line.trim_matches(|c: char| c == '*' || c.is_whitespace()).to_lowercase();
        forms.iter().any(|form| line.replace('*', "").starts_with(form))
    };
    let Some(first) = lines.first() else { return false };
    let ruled = first.len() >= 20 && first.chars().all(|c| c == '_');
    if !ruled && !starts(first, FROM) {
        return false;
    }
    let block: Vec<&&str> = lines.iter().skip(usize::from(ruled)).filter(|line| !line.is_empty()).take(7).collect();
    block.first().is_some_and(|line| starts(line, FROM))
        && block.iter().any(|line| starts(line, SENT))
        && block.iter().any(|line| starts(line, SUBJECT))
}

/// The separator line of RFC 3676 4.3; its trailing blank is often lost.
fn signature(lines: &[&str]) -> Option<usize> {
    lines.iter().position(|line| *line == "--")
}

/// A mail program's advert among the last lines.
fn advert(lines: &[&str]) -> Option<usize> {
    #[rustfmt::skip]
    const ADVERTS: &[&str] = &[
        "sent from my ", "sent from mail for ", "sent from yahoo", "sent from outlook", "sent from samsung", "sent from gmail",
        "sent via ", "sent with proton", "sent using ", "get outlook for ", "get bluemail for ", "von meinem ", "gesendet von ",
        "gesendet mit ", "envoyé de mon ", "envoyé depuis ", "enviado desde mi ", "enviado do meu ", "inviato da ",
        "verzonden vanaf ", "skickat från min ", "sendt fra min ",
    ];
    let filled: Vec<usize> = (0..lines.len()).filter(|at| says_something(lines[*at])).collect();
    filled.into_iter().rev().take(3).find(|&at| {
        let line = lines[at].trim().to_lowercase();
        line.len() < 150 && ADVERTS.iter().any(|advert| line.starts_with(advert))
    })
}

/// The first paragraph, if any, that only a legal department writes.
fn disclaimer(lines: &[&str]) -> Option<usize> {
    #[rustfmt::skip]
    const STARTS: &[&str] = &[
        "confidentiality notice", "disclaimer", "legal notice", "this e-mail", "this email", "this message", "this communication",
        "the information contained", "the information in this", "diese e-mail", "ce message", "este mensaje", "important notice",
    ];
    #[rustfmt::skip]
    const SAYS: &[&str] = &[
        "intended recipient", "intended solely", "confidential", "privileged", "vertraulich", "confidentiel", "confidencial",
    ];
    (0..lines.len()).find(|&at| {
        let begins = at == 0 || lines[at - 1].is_empty();
        let line = lines[at].trim_matches(|c: char| "*_- ".contains(c)).to_lowercase();
        begins && STARTS.iter().any(|start| line.starts_with(start)) && {
            let paragraph: Vec<&str> = lines[at..].iter().copied().take_while(|line| !line.is_empty()).collect();
            let paragraph = paragraph.join(" ").to_lowercase();
            paragraph.len() > 100 && SAYS.iter().any(|word| paragraph.contains(word))
        }
    })
}
