//! What other pallets see of the pool.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::dispatch::DispatchResult;
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// An amount of the chain's token, in plancks.
pub type Balance = u128;

/// What an operator's stake stands for. One stake may stand for both.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Role {
    /// Runs and proves jobs.
    #[codec(index = 0)]
    Worker,
    /// Makes and finalises blocks.
    #[codec(index = 1)]
    Validator,
}

/// What other pallets may know of stake, and do with it. Amounts are in plancks.
///
/// Stake stays on hold in the accounts that own it.
pub trait StakeLedger<AccountId, Balance, BlockNumber> {
    /// The operator's own stake and what others have staked for it, less what is being unbonded.
    fn stake(operator: &AccountId) -> Balance;

    /// The operator's own stake, less what is being unbonded.
    fn own_stake(operator: &AccountId) -> Balance;

    /// Whether the operator's stake stands for `role`: it took the role on, and its own stake is not below the minimum.
    fn has_role(operator: &AccountId, role: Role) -> bool;

    /// All operators whose stake stands for `role`, with [`Self::stake`]; at most `MaxOperators` of them.
    fn operators(role: Role) -> alloc::vec::Vec<(AccountId, Balance)>;

    /// Sets `amount` of the operator's own stake aside for a job: until it is released it can be neither unbonded nor
    /// reserved again.
    ///
    /// # Errors
    /// The operator's own stake has not that much left, or the operator is not a worker.
    fn reserve(operator: &AccountId, amount: Balance) -> DispatchResult;

    /// Ends a reservation, of which a slash may have taken some meanwhile. The operator may use again what is left of its
    /// own stake beyond its other reservations.
    fn release(operator: &AccountId, amount: Balance);

    /// Takes `amount` of what was reserved from the operator's own stake: to `to` as free funds, or burned if `None` or if
    /// that account cannot hold it. How much was taken: less than `amount` if a slash has taken some meanwhile.
    fn forfeit(operator: &AccountId, amount: Balance, to: Option<&AccountId>) -> Balance;

    /// Takes `fraction` of the stake of the operator and of all who stake for it, including what began to be unbonded
    /// in block `offence_at` or later. `reward_share` of what is taken goes to `reporter`, the rest where slashed funds go. How
    /// much was taken.
    fn slash(
        operator: &AccountId,
        fraction: Perbill,
        offence_at: BlockNumber,
        reporter: Option<(&AccountId, Perbill)>,
    ) -> Balance;

    /// Credits `amount`, which is minted, to the operator and those who stake for it, to be claimed. How much was
    /// credited: nothing if there is no stake, and of the first credit ever not what keeps the pot's account alive.
    fn reward(operator: &AccountId, amount: Balance) -> Balance;
}
