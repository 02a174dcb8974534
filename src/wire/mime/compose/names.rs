//! Names phones can take: ASCII, with the extension of the type, unique in the message; and the types themselves
//! under the names phones know (OMA MMS Conformance Document 7).

use std::collections::HashSet;

use crate::MediaType;
use crate::limits::FILE_NAME;

/// Types and their extensions: the first row of a type names its extension, the first row of an extension its type.
#[rustfmt::skip]
const EXTENSIONS: &[(&str, &str)] = &[
    ("image/jpeg", "jpg"), ("image/jpeg", "jpeg"), ("image/jpeg", "jpe"), ("image/gif", "gif"), ("image/png", "png"),
    ("image/vnd.wap.wbmp", "wbmp"), ("image/bmp", "bmp"), ("image/webp", "webp"), ("image/heic", "heic"),
    ("image/heif", "heif"), ("image/avif", "avif"), ("image/tiff", "tif"), ("image/tiff", "tiff"), ("image/svg+xml", "svg"),
    ("audio/amr", "amr"), ("audio/amr-wb", "awb"), ("audio/mpeg", "mp3"), ("audio/mp4", "m4a"), ("audio/aac", "aac"),
    ("audio/midi", "mid"), ("audio/midi", "midi"), ("audio/sp-midi", "mid"), ("audio/wav", "wav"), ("audio/qcelp", "qcp"),
    ("audio/x-caf", "caf"), ("audio/ogg", "ogg"), ("audio/ogg", "oga"), ("audio/ogg", "opus"), ("audio/3gpp", "3ga"),
    ("video/3gpp", "3gp"), ("video/3gpp2", "3g2"), ("video/mp4", "mp4"), ("video/mp4", "m4v"), ("video/quicktime", "mov"),
    ("video/webm", "webm"), ("video/mpeg", "mpg"), ("video/x-msvideo", "avi"), ("text/plain", "txt"), ("text/html", "html"),
    ("text/vcard", "vcf"), ("text/x-vcard", "vcf"), ("text/directory", "vcf"), ("text/calendar", "ics"),
    ("text/x-vcalendar", "vcs"), ("text/csv", "csv"), ("application/smil", "smil"), ("application/pdf", "pdf"),
    ("application/zip", "zip"), ("application/vnd.oma.drm.message", "dm"), ("application/vnd.oma.drm.content", "dcf"),
];

/// Other names for the same type.
#[rustfmt::skip]
const ALIASES: &[(&str, &str)] = &[
    ("image/jpg", "image/jpeg"), ("image/pjpeg", "image/jpeg"), ("image/x-png", "image/png"),
    ("image/x-ms-bmp", "image/bmp"), ("image/heic-sequence", "image/heic"), ("audio/x-amr", "audio/amr"),
    ("audio/mid", "audio/midi"), ("audio/x-midi", "audio/midi"), ("audio/mp3", "audio/mpeg"), ("audio/x-mp3", "audio/mpeg"),
    ("audio/x-m4a", "audio/mp4"), ("audio/m4a", "audio/mp4"), ("audio/x-wav", "audio/wav"), ("audio/vnd.wave", "audio/wav"),
    ("audio/x-aac", "audio/aac"), ("audio/vnd.qcelp", "audio/qcelp"), ("video/3gp", "video/3gpp"),
    ("video/3g2", "video/3gpp2"), ("video/x-m4v", "video/mp4"),
];

/// The type under its usual name, its parameters kept.
pub(crate) fn normal_type(media: &MediaType) -> MediaType {
    match ALIASES.iter().find(|(alias, _)| *alias == media.essence()) {
        Some((_, usual)) => {
            media.params().iter().fold(MediaType::new(usual), |media, (name, value)| media.with(name, value))
        }
        None => media.clone(),
    }
}

/// The type a file name's extension stands for.
pub(crate) fn type_by_name(name: &str) -> Option<&'static str> {
    let extension = name.rsplit_once('.')?.1;
    EXTENSIONS.iter().find(|(_, known)| known.eq_ignore_ascii_case(extension)).map(|(essence, _)| *essence)
}

fn extension(essence: &str) -> Option<&'static str> {
    EXTENSIONS.iter().find(|(known, _)| *known == essence).map(|(_, extension)| *extension)
}

/// Gives out names, each once.
#[derive(Default)]
pub(crate) struct Namer {
    taken: HashSet<String>,
}

impl Namer {
    /// A name for a part of that type: from `wish` when its letters can be written in ASCII, else `image1.jpg`,
    /// `audio1.amr`, `file1.pdf`.
    pub(crate) fn name(&mut self, wish: Option<&str>, media: &MediaType) -> String {
        let wished = wish.map(ascii).unwrap_or_default();
        let (stem, own) = match wished.rsplit_once('.') {
            Some((stem, extension)) if !extension.is_empty() && extension.len() <= 5 => (stem, Some(extension)),
            _ => (wished.as_str(), None),
        };
        let known = own.is_some_and(|own| type_by_name(&format!("x.{own}")) == Some(media.essence()));
        let extension = match (known, extension(media.essence()), own) {
            (false, Some(extension), _) => extension.to_owned(),
            (_, _, Some(own)) => own.to_ascii_lowercase(),
            (_, _, None) => "bin".to_owned(),
        };
        let stem: String = stem.trim_matches(['.', '_', '-']).chars().take(FILE_NAME - 8).collect();
        if stem.is_empty() {
            let kind = if matches!(media.top(), "image" | "audio" | "video") { media.top() } else { "file" };
            return self.numbered(kind, "", 1, &extension);
        }
        match self.claim(format!("{stem}.{extension}")) {
            Some(name) => name,
            None => self.numbered(&stem, "_", 2, &extension),
        }
    }

    /// `text_0.txt`, `text_1.txt`, …
    pub(crate) fn text(&mut self) -> String {
        self.numbered("text", "_", 0, "txt")
    }

    /// That very name; it is asked for before any other.
    pub(crate) fn exactly(&mut self, name: &str) -> String {
        self.taken.insert(name.to_ascii_lowercase());
        name.to_owned()
    }

    fn numbered(&mut self, stem: &str, joint: &str, first: usize, extension: &str) -> String {
        let mut number = first;
        loop {
            if let Some(name) = self.claim(format!("{stem}{joint}{number}.{extension}")) {
                return name;
            }
            number += 1;
        }
    }

    fn claim(&mut self, name: String) -> Option<String> {
        self.taken.insert(name.to_ascii_lowercase()).then_some(name)
    }
}

/// What of a name ASCII can say: letters without their accents, blanks as `_`, a path's last member.
fn ascii(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => out.push(c),
            ' ' | '\u{a0}' | '\u{202f}' | '(' | ')' | '+' | ',' | '&' => {
                if !out.ends_with('_') {
                    out.push('_');
                }
            }
            _ => out.push_str(transliterate(c)),
        }
    }
    out
}

/// Latin letters with marks, as their base letters.
fn transliterate(c: char) -> &'static str {
    #[rustfmt::skip]
    const TABLE: &[(&str, &str)] = &[
        ("àáâãåāăąǎ", "a"), ("ÀÁÂÃÅĀĂĄǍ", "A"), ("ä", "ae"), ("Ä", "Ae"), ("æ", "ae"), ("Æ", "Ae"), ("çćĉċč", "c"), ("ÇĆĈĊČ", "C"),
        ("ďđð", "d"), ("ĎĐÐ", "D"), ("èéêëēĕėęě", "e"), ("ÈÉÊËĒĔĖĘĚ", "E"), ("ĝğġģ", "g"), ("ĜĞĠĢ", "G"), ("ĥħ", "h"), ("ĤĦ", "H"),
        ("ìíîïĩīĭįı", "i"), ("ÌÍÎÏĨĪĬĮİ", "I"), ("ĵ", "j"), ("Ĵ", "J"), ("ķ", "k"), ("Ķ", "K"), ("ĺļľŀł", "l"), ("ĹĻĽĿŁ", "L"),
        ("ñńņň", "n"), ("ÑŃŅŇ", "N"), ("òóôõōŏő", "o"), ("ÒÓÔÕŌŎŐ", "O"), ("öœ", "oe"), ("ÖŒ", "Oe"), ("ø", "o"), ("Ø", "O"),
        ("ŕŗř", "r"), ("ŔŖŘ", "R"), ("śŝşšș", "s"), ("ŚŜŞŠȘ", "S"), ("ß", "ss"), ("ţťŧț", "t"), ("ŢŤŦȚ", "T"), ("þ", "th"), ("Þ", "Th"),
        ("ùúûũūŭůűų", "u"), ("ÙÚÛŨŪŬŮŰŲ", "U"), ("ü", "ue"), ("Ü", "Ue"), ("ŵ", "w"), ("Ŵ", "W"), ("ýÿŷ", "y"), ("ÝŸŶ", "Y"),
        ("źżž", "z"), ("ŹŻŽ", "Z"),
    ];
    TABLE.iter().find(|(letters, _)| letters.contains(c)).map_or("", |(_, ascii)| ascii)
}
