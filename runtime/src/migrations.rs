//! What a new runtime changes in the state that older ones left behind.
//!
//! A migration is typed and versioned (`frame_support::migrations::VersionedMigration`), and stays in its tuple for the
//! one release that it belongs to. What may not fit in a block is a stepped migration, which runs over many: until it is
//! done, blocks take no transactions.

use crate::Runtime;

/// Migrations that run at once, in the first block of a release. Version 2 of models brings royalties; version 2 of jobs
/// levels, auctions and collateral out of stake.
pub type SingleBlock = (
    pallet_model_registry::migrations::v2::Migrate<Runtime>,
    pallet_job_market::migrations::v2::Migrate<Runtime>,
);

/// Migrations that run in steps, one after the other, from the first block of a release on.
#[cfg(not(feature = "runtime-benchmarks"))]
pub type MultiBlock = ();
/// Benchmarks run migrations of their own.
#[cfg(feature = "runtime-benchmarks")]
pub type MultiBlock = pallet_migrations::mock_helpers::MockedMigrations;
