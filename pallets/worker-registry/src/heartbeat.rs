//! Heartbeats: their keys, and when they are due.

use sp_application_crypto::KeyTypeId;

/// Under what a keystore keeps heartbeat keys.
pub const HEARTBEAT_KEY_TYPE: KeyTypeId = KeyTypeId(*b"cihb");

mod app {
    use sp_application_crypto::{app_crypto, sr25519};

    app_crypto!(sr25519, super::HEARTBEAT_KEY_TYPE);
}

sp_application_crypto::with_pair! {
    /// A pair of heartbeat keys: sr25519.
    pub type HeartbeatPair = app::Pair;
}

/// What heartbeats are verified against.
pub type HeartbeatKey = app::Public;

/// The signature of a heartbeat.
pub type HeartbeatSignature = app::Signature;

/// Number of a span of [`crate::Config::HeartbeatPeriod`] blocks, counted from block 0. One heartbeat is due in each.
pub type Window = u32;
