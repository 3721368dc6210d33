//! What a new runtime changes in the state that older ones left behind.
//!
//! A migration is typed and versioned (`frame_support::migrations::VersionedMigration`), and stays in its tuple for the
//! one release that it belongs to. What may not fit in a block is a stepped migration, which runs over many: until it is
//! done, blocks take no transactions.

/// Migrations that run at once, in the first block of a release.
pub type SingleBlock = ();

/// Migrations that run in steps, one after the other, from the first block of a release on.
#[cfg(not(feature = "runtime-benchmarks"))]
pub type MultiBlock = ();
/// Benchmarks run migrations of their own.
#[cfg(feature = "runtime-benchmarks")]
pub type MultiBlock = pallet_migrations::mock_helpers::MockedMigrations;
