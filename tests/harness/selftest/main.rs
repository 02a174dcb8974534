//! The harness on trial: every client, every peer and every fault, without the product.

mod clients;
mod daemon;
mod mail_peers;
mod mms_peers;
