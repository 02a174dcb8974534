//! All that a plugin may know of packetboat.
//!
//! A plugin is a folder under `plugins/` whose crate depends on this one, on `packetboat-net` and on the codecs, and on
//! nothing else of ours. Read in this order:
//!
//! 1. [`message`], [`delivery`], [`evidence`]: what travels, and what is known of it.
//! 2. [`plugin`] and [`roles`]: what a plugin is and what it may be asked to do; the verdicts are enums.
//! 3. [`road`]: the narrow handles a plugin is given instead of the store; [`nowhere`]: such as lead nowhere.
//! 4. [`settings`], [`units`]: how its part of `packetboat.toml` is declared once and decoded strictly.
//! 5. [`serve`], [`spool`]: listening, TLS and drain, and the bounded buffer for what is being received.
//! 6. [`mask`]: what logs show of numbers and addresses.
//! 7. [`store`]: the contract of the store (for backends and the pipeline; no plugin is given one).

pub mod clock;
pub mod delivery;
pub mod evidence;
pub mod id;
pub mod mask;
pub mod memory;
pub mod message;
pub mod nowhere;
pub mod numbers;
pub mod party;
pub mod plugin;
pub mod road;
pub mod roles;
pub mod serve;
pub mod settings;
pub mod spool;
pub mod store;
pub mod units;

pub use async_trait::async_trait;
pub use packetboat_mime as mime;
