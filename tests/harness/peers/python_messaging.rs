//! python-messaging 0.5.13: another decoder of MMS 1.0 PDUs.

use super::{peer_file, venv_python};
use crate::process::Output;
use crate::scene::Scene;
use serde_json::Value;
use std::process::Command;

/// Decodes PDUs; the answers are in their order: `{"headers": {…}, "parts": [{"content_type", "headers", "size",
/// "sha256"}]}`, or `{"error": …}`.
///
/// # Panics
/// When Python fails as a whole.
pub fn decode_all(scene: &Scene, pdus: &[&[u8]]) -> Vec<Value> {
    let files = pdus.iter().enumerate().map(|(number, pdu)| scene.file(&format!("messaging/{number}.mms"), pdu));
    let mut command = Command::new(venv_python());
    command.arg(peer_file("messaging/decode.py")).args(files);
    let output = Output::of(&mut command).expect_success();
    output.text().lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect()
}
