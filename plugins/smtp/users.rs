//! Who may submit, by password. Only hashes are on disk (argon2); a wrong password and an unknown user cost the same time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHashString, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use packetboat_api::party::MailAddress;
use tokio::sync::Semaphore;

/// Verifications at once: each takes a core and some megabytes for a while, on purpose.
const AT_ONCE: usize = 2;

/// The users of a listener.
pub struct Users {
    known: HashMap<String, User>,
    /// Verified against when the user is unknown, so that the answer takes as long.
    nobody: PasswordHashString,
    lane: Semaphore,
}

#[derive(Clone, Debug)]
struct User {
    hash: PasswordHashString,
    senders: Vec<String>,
}

impl Users {
    /// From a users file.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        let mut known: HashMap<String, User> = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: &str| format!("{}:{}: {what}", path.display(), number + 1);
            let mut fields = line.splitn(3, ':');
            let (name, hash) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            let senders = fields.next().unwrap_or_default().split(',').map(|s| s.trim().to_ascii_lowercase());
            let hash = PasswordHashString::new(hash)
                .map_err(|_| wrong("write name:hash, the hash as `argon2` prints it ($argon2id$v=19$…)"))?;
            // One of another kind would be read, and never match.
            if Algorithm::try_from(hash.algorithm()).is_err() {
                return Err(wrong("this is a hash of another kind; argon2 hashes begin with $argon2"));
            }
            let user = User { hash, senders: senders.filter(|s| !s.is_empty()).collect() };
            if name.is_empty() {
                return Err(wrong("the name is missing"));
            }
            if known.insert(name.to_owned(), user).is_some() {
                return Err(wrong(&format!("user \"{name}\" is there twice")));
            }
        }
        // With the parameters of the file's own hashes, so that both verifications cost the same.
        let nobody = match known.values().next() {
            Some(user) => user.hash.clone(),
            None => nobody().map_err(|e| e.to_string())?,
        };
        Ok(Users { known, nobody, lane: Semaphore::new(AT_ONCE) })
    }

    /// Whether this password is that user's.
    pub async fn verify(self: &Arc<Self>, name: &str, password: String) -> bool {
        let Ok(_permit) = self.lane.acquire().await else { return false };
        let (users, name) = (self.clone(), name.to_owned());
        let verified = tokio::task::spawn_blocking(move || {
            let user = users.known.get(&name);
            let hash = user.map_or(&users.nobody, |user| &user.hash);
            let right = matches(&hash.password_hash(), password.as_bytes());
            right && user.is_some()
        });
        verified.await.unwrap_or(false)
    }

    /// Whether that user may send as `sender`; the null sender is everybody's.
    pub fn may_send_as(&self, name: &str, sender: Option<&MailAddress>) -> bool {
        let (Some(user), Some(sender)) = (self.known.get(name), sender) else { return true };
        let (whole, domain) = (sender.to_string().to_ascii_lowercase(), format!("*@{}", sender.domain()));
        user.senders.is_empty() || user.senders.iter().any(|allowed| *allowed == whole || *allowed == domain)
    }

    /// Whether that user's file entry names this sender expressly.
    pub fn owns(&self, name: &str, sender: &MailAddress) -> bool {
        self.known.get(name).is_some_and(|user| !user.senders.is_empty()) && self.may_send_as(name, Some(sender))
    }
}

/// A hash that no password is asked for, with the parameters that hashes have by default.
fn nobody() -> Result<PasswordHashString, argon2::password_hash::Error> {
    let salt = SaltString::encode_b64(b"nobody's salt")?;
    Ok(Argon2::default().hash_password(b"", &salt)?.serialize())
}

fn matches(hash: &PasswordHash<'_>, password: &[u8]) -> bool {
    let params = Params::try_from(hash).unwrap_or_default();
    let Ok(algorithm) = Algorithm::try_from(hash.algorithm) else { return false };
    Argon2::new(algorithm, Version::V0x13, params).verify_password(password, hash).is_ok()
}
