//! A text part as a phone should show it.

use bytes::Bytes;

use crate::charset;
use crate::compose::select::Source;
use crate::history::{strip_history, tidy};
use crate::html::html_to_text;

/// The octets of a source, read by the caller, as readable text with LF line ends; empty when they say nothing.
pub(crate) fn readable<B>(source: &Source<B>, octets: &[u8], strip: bool) -> String {
    let text = charset::decode(octets, "utf-8");
    let text = match (source.html, source.flowed) {
        (true, _) => html_to_text(&text),
        (false, true) => unflow(&text, source.delete_space),
        (false, false) => text.replace("\r\n", "\n"),
    };
    match strip {
        true => strip_history(&text),
        false => tidy(&text.lines().collect::<Vec<_>>()),
    }
}

/// Text as a canonical text/plain body (RFC 2046 4.1.1).
pub(crate) fn body(text: &str) -> Bytes {
    text.replace('\n', "\r\n").into()
}

/// Soft line breaks joined (RFC 3676 4): a line that ends in a blank goes on in the next of the same quote depth.
fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let content = line[depth..].strip_prefix(' ').unwrap_or(&line[depth..]); // space-stuffing
        if open != Some(depth) {
            if !out.is_empty() {
                out.push('\n');
            }
            if depth > 0 {
                out.push_str(&">".repeat(depth));
                out.push(' ');
            }
        }
        let soft = content.ends_with(' ') && content != "-- ";
        let content = if soft && delete_space { &content[..content.len() - 1] } else { content };
        out.push_str(content);
        open = soft.then_some(depth);
    }
    out
}
