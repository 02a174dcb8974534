//! Who may bring short messages that arrive, over HTTP: whoever knows a token of the operator's, comes from a network of
//! his, or both.

use ipnet::IpNet;

use super::Key;
use crate::callback::Call;

/// Fewest characters of a token that nobody guesses.
const SHORTEST: usize = 16;

/// The gate of one bearer.
pub struct Gate {
    path: &'static str,
    key: Key,
    token: Option<String>,
    networks: Vec<IpNet>,
}

impl Gate {
    /// A gate at `path`, or at `path/TOKEN` when there is a token. `None` when there is neither token nor network: it is shut.
    /// The error, in words, is about the token.
    pub fn new(
        path: &'static str,
        token: Option<String>,
        networks: &[IpNet],
        key: &Key,
    ) -> Result<Option<Gate>, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if token.as_ref().is_some_and(|token| token.len() < SHORTEST || !token.chars().all(plain)) {
            return Err(format!("the token has to be {SHORTEST} or more of A-Z a-z 0-9 . _ -, and nothing else"));
        }
        let open = token.is_some() || !networks.is_empty();
        Ok(open.then(|| Gate { path, key: key.clone(), token, networks: networks.to_vec() }))
    }

    /// Whether this is the path, the token and the network.
    pub fn lets(&self, call: &Call) -> bool {
        let peer = call.peer.to_canonical();
        let from_here = self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&peer));
        let Some(rest) = call.below(self.path) else { return false };
        let right = match (&self.token, rest.strip_prefix('/')) {
            (Some(token), Some(given)) => self.key.same(token, given),
            (None, None) => rest.is_empty(),
            _ => false,
        };
        right && from_here
    }
}
