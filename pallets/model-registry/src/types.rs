//! What the registry stores, and the part of it that other pallets see.

use ciro_primitives::ModelId;
use ciro_zkml_air::VerifyingKey;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{dispatch::DispatchResult, pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::Permill;

/// Longest name of a model, in bytes.
pub const MAX_NAME: u32 = 64;

/// Highest royalty of a model: half of what its jobs pay.
pub const MAX_ROYALTY: Permill = Permill::from_percent(50);

/// A model's name: UTF-8, 1 to [`MAX_NAME`] bytes. Names need not be unique; the [`ModelId`] is.
pub type ModelName = BoundedVec<u8, ConstU32<MAX_NAME>>;

/// A registered model.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ModelInfo<AccountId, Balance> {
    /// Who gets the royalties, and may change the terms, pass the model on, or deregister it.
    pub owner: AccountId,
    /// What people call it.
    pub name: ModelName,
    /// The least that a job must pay for each sample, in plancks.
    pub price_floor: Balance,
    /// The owner's share of what a job pays: at most [`MAX_ROYALTY`].
    pub royalty: Permill,
    /// What proofs are verified against. Its hash is the model's identity.
    pub key: VerifyingKey,
    /// What the owner has on hold for this entry, in plancks.
    pub deposit: Balance,
    /// Jobs that are not settled yet. While there are any, the model cannot be deregistered.
    pub open_jobs: u32,
}

/// What other pallets may know of models, and must tell about their jobs.
pub trait ModelDirectory<AccountId, Balance> {
    /// The model registered as `id`, if there is one.
    fn model(id: &ModelId) -> Option<ModelInfo<AccountId, Balance>>;

    /// Counts one more job that needs the model, which keeps the model registered until [`Self::job_closed`].
    ///
    /// # Errors
    /// If there is no such model, or 2^32 - 1 jobs are open.
    fn job_opened(id: &ModelId) -> DispatchResult;

    /// Counts one job fewer. Once for every [`Self::job_opened`].
    fn job_closed(id: &ModelId);
}
