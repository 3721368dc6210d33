//! # Attesters
//!
//! Who is believed about other chains, as long as no light client follows them.
//!
//! Governance invites attesters; each bonds at least [`Config::MinBond`]. They vote for the messages that they saw
//! final on another chain. Once two thirds of them and one have voted for the same message of a lane and nonce, it is
//! handed to [`Config::Receiver`]: each nonce of a lane once, in whatever order, up to [`WINDOW`] above the first that
//! is missing.
//!
//! The chain cannot know by itself what is true elsewhere, and a vote that differs from the others' is no offence. Two
//! things are:
//!
//! * to vote for two different messages of one lane and nonce;
//! * to have voted for another message than the one that [`Config::LightClient`] proves.
//!
//! Either costs the whole bond and the seat. What is proven is executed at once, whatever the votes. Should the
//! attesters have had another message executed before, they have lied together: all who did lose their bonds, and no
//! message is taken any more until [`Config::SafetyOrigin`] says so.
//!
//! What was said about an executed message is kept for [`Config::EvidencePeriod`], and whoever leaves answers with the
//! bond for longer than that. Of the votes that are kept none counts that is not a present attester's.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bonds;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
mod types;
mod votes;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use ciro_bridge_primitives::{Hash, LaneId, Message, Payload};
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{BalancedHold, Credit, Inspect, Mutate, MutateHold},
            OnUnbalanced,
        },
    };
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// An attester on this chain.
    pub type AttesterOf<T> = Attester<BlockNumberFor<T>>;

    /// What was said about a nonce on this chain.
    pub type BallotOf<T> = Ballot<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

    /// Funds that belong to nobody yet.
    pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Token>;

    /// What the light client takes as evidence.
    pub type EvidenceOf<T> = <<T as Config>::LightClient as VerifyMessage>::Evidence;

    /// Attesters and their votes.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies. Amounts are in plancks, times in blocks.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token that is bonded.
        type Token: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + MutateHold<Self::AccountId, Reason: From<HoldReason>>
            + BalancedHold<Self::AccountId>;

        /// Where the bonds of liars go.
        type SlashDestination: OnUnbalanced<CreditOf<Self>>;

        /// Who invites attesters, and removes them.
        type InviteOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Who stops the pallet, and lets it go on.
        type SafetyOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Who acts on the messages.
        type Receiver: ReceiveMessage;

        /// Who can prove them.
        type LightClient: VerifyMessage;

        /// Least bond.
        #[pallet::constant]
        type MinBond: Get<Balance>;

        /// Blocks for which it is remembered who voted for what, once a message was executed.
        #[pallet::constant]
        type EvidencePeriod: Get<BlockNumberFor<Self>>;

        /// Blocks for which the bond of who leaves stays on hold: more than [`Config::EvidencePeriod`].
        #[pallet::constant]
        type UnbondingPeriod: Get<BlockNumberFor<Self>>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// What the benchmarks need beyond this pallet.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper;
    }

    /// Why the pallet holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bond of an attester.
        #[codec(index = 0)]
        Bond,
    }

    /// Everyone who is invited, votes, or waits for its bond.
    #[pallet::storage]
    pub type Attesters<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, AttesterOf<T>, OptionQuery>;

    /// Who votes, in ascending order.
    #[pallet::storage]
    pub type Members<T: Config> =
        StorageValue<_, BoundedVec<T::AccountId, ConstU32<MAX_MEMBERS>>, ValueQuery>;

    /// Which messages of each lane were executed.
    #[pallet::storage]
    pub type Lanes<T: Config> = StorageMap<_, Blake2_128Concat, LaneId, Progress, ValueQuery>;

    /// What was said about each nonce of each lane.
    #[pallet::storage]
    pub type Ballots<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, LaneId, Twox64Concat, u64, BallotOf<T>, OptionQuery>;

    /// The ballots of executed messages by their places, in the order in which they were executed.
    #[pallet::storage]
    pub type Fading<T: Config> = StorageMap<_, Twox64Concat, u64, (LaneId, u64), OptionQuery>;

    /// The first place of [`Fading`] that is taken, and the first that never was.
    #[pallet::storage]
    pub type FadingRange<T: Config> = StorageValue<_, (u64, u64), ValueQuery>;

    /// Whether no message is taken.
    #[pallet::storage]
    pub type Halted<T: Config> = StorageValue<_, bool, ValueQuery>;

    /// Attesters of development chains.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Who votes from the first block on, each with [`Config::MinBond`] of its own.
        pub members: Vec<T::AccountId>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for who in &self.members {
                Self::bond(who).expect("genesis endows the attesters, and there are not too many");
            }
        }
    }

    impl<T: Config> GenesisConfig<T> {
        fn bond(who: &T::AccountId) -> DispatchResult {
            Pallet::<T>::do_invite(who)?;
            Pallet::<T>::do_join(who, T::MinBond::get())
        }
    }

    /// What happened to attesters and messages.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Someone may join.
        AttesterInvited {
            /// Who.
            who: T::AccountId,
        },
        /// An invitation was taken back.
        AttesterUninvited {
            /// Whose.
            who: T::AccountId,
        },
        /// An attester has bonded, and votes.
        AttesterJoined {
            /// Who.
            who: T::AccountId,
            /// What is on hold.
            bond: Balance,
        },
        /// An attester votes no more.
        AttesterLeft {
            /// Who.
            who: T::AccountId,
            /// The first block in which it may take its bond back.
            ripe_at: BlockNumberFor<T>,
        },
        /// A bond was released.
        BondWithdrawn {
            /// Whose.
            who: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// An attester has lied, and lost its bond and its seat.
        AttesterSlashed {
            /// Who.
            who: T::AccountId,
            /// What was taken.
            amount: Balance,
            /// The lane it lied about.
            lane: LaneId,
            /// The nonce it lied about.
            nonce: u64,
            /// The message that it had voted for first.
            said: Hash,
            /// The message that it voted for then, or that was proven.
            shown: Hash,
        },
        /// An attester has voted.
        Attested {
            /// Who.
            who: T::AccountId,
            /// The lane.
            lane: LaneId,
            /// The nonce.
            nonce: u64,
            /// The message.
            id: Hash,
        },
        /// A message was executed.
        MessageExecuted {
            /// The lane.
            lane: LaneId,
            /// The nonce.
            nonce: u64,
            /// The message.
            id: Hash,
            /// Whether it was proven, and not voted for.
            proven: bool,
        },
        /// It was proven that the attesters have had a false message executed. The pallet is halted.
        FalseMessageExecuted {
            /// The lane.
            lane: LaneId,
            /// The nonce.
            nonce: u64,
            /// What was executed.
            executed: Hash,
            /// What was sent.
            proven: Hash,
        },
        /// No message is taken any more, or again.
        HaltedSet {
            /// Whether the pallet is halted now.
            halted: bool,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// No message is taken now, and no bond released.
        Halted,
        /// The account is invited or an attester already, or its last bond is not withdrawn yet.
        AlreadyKnown,
        /// The account is not invited.
        NotInvited,
        /// The account is no attester.
        NotMember,
        /// The bond is less than the least.
        BondTooSmall,
        /// There are as many attesters as there may be.
        TooManyMembers,
        /// The account is not leaving.
        NotLeaving,
        /// The bond still answers for what was said.
        NotRipe,
        /// Nobody here acts on such a message of this lane.
        NotAccepted,
        /// Too many messages before this one are still missing.
        TooFarAhead,
        /// The caller has voted for this message, and it takes more votes.
        AlreadyVoted,
        /// The message was executed so long ago that it does not matter any more who says what.
        TooOld,
        /// Nothing depends on the proof: the message was executed, and nobody is known to have voted for another.
        NothingToProve,
        /// The light client does not confirm the message.
        NotProven(Doubt),
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Invites an attester, who votes once it has joined.
        ///
        /// # Errors
        /// The origin is not [`Config::InviteOrigin`], [`Error::AlreadyKnown`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::invite())]
        pub fn invite(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            T::InviteOrigin::ensure_origin(origin)?;
            Self::do_invite(&who)
        }

        /// Takes an invitation back, or has an attester leave as by [`Pallet::leave`].
        ///
        /// # Errors
        /// The origin is not [`Config::InviteOrigin`], [`Error::NotMember`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::remove())]
        pub fn remove(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            T::InviteOrigin::ensure_origin(origin)?;
            match Attesters::<T>::get(&who).map(|attester| attester.standing) {
                Some(Standing::Invited) => {
                    Attesters::<T>::remove(&who);
                    Self::deposit_event(Event::AttesterUninvited { who });
                    Ok(())
                }
                _ => Self::do_leave(&who),
            }
        }

        /// Puts `bond` of the caller's funds on hold; from now on its votes count. The caller must be invited.
        ///
        /// # Errors
        /// [`Error::NotInvited`], [`Error::BondTooSmall`], [`Error::TooManyMembers`], or the caller cannot
        /// have the bond held: the funds are lacking or frozen.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::join())]
        pub fn join(origin: OriginFor<T>, bond: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_join(&who, bond)
        }

        /// Gives the caller's seat up. Its votes do not count any more; its bond stays on hold for
        /// [`Config::UnbondingPeriod`].
        ///
        /// # Errors
        /// [`Error::NotMember`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::leave())]
        pub fn leave(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_leave(&who)
        }

        /// Releases the bond of the caller, who has left.
        ///
        /// # Errors
        /// [`Error::NotLeaving`], [`Error::NotRipe`], [`Error::Halted`]: what is being looked into may cost it.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::withdraw_bond())]
        pub fn withdraw_bond(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw(&who)
        }

        /// Votes for a message: the caller, an attester, has seen it final on the other chain. If enough have, it is
        /// executed. The call costs no fee.
        ///
        /// Whoever has voted for another message of this lane and nonce before loses its bond and its seat by this
        /// call. Whoever has voted for the same one may call again: the message is executed if by now the votes
        /// suffice, because an attester has left.
        ///
        /// # Errors
        /// [`Error::Halted`], [`Error::NotMember`], [`Error::NotAccepted`], [`Error::TooFarAhead`], [`Error::TooOld`],
        /// [`Error::AlreadyVoted`].
        ///
        /// # Weight
        /// Constant, with [`ReceiveMessage::weight`], which is refunded if the message is not executed.
        #[pallet::call_index(5)]
        #[pallet::weight(Pallet::<T>::vote_weight().saturating_add(T::Receiver::weight()))]
        pub fn attest(
            origin: OriginFor<T>,
            lane: LaneId,
            nonce: u64,
            payload: Payload,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let executed = Self::vote(
                who,
                &Message {
                    lane,
                    nonce,
                    payload,
                },
            )?;
            let weight = (!executed).then(Self::vote_weight);
            Ok((weight, Pays::No).into())
        }

        /// Proves a message. If its nonce was not executed it is now, whatever the votes; and who is known to have
        /// voted for another one loses its bond. Anyone may, and the call costs no fee.
        ///
        /// If another message took the nonce the pallet is halted. Evidence of lies is taken even while it is.
        ///
        /// # Errors
        /// [`Error::NotProven`], [`Error::NotAccepted`], [`Error::TooFarAhead`], [`Error::TooOld`],
        /// [`Error::NothingToProve`]; [`Error::Halted`] if the message is not executed yet.
        ///
        /// # Weight
        /// Constant, with [`VerifyMessage::weight`] and [`ReceiveMessage::weight`].
        #[pallet::call_index(6)]
        #[pallet::weight(
            T::WeightInfo::prove()
                .saturating_add(T::Receiver::weight())
                .saturating_add(T::LightClient::weight(evidence))
        )]
        pub fn prove(
            origin: OriginFor<T>,
            lane: LaneId,
            nonce: u64,
            payload: Payload,
            evidence: EvidenceOf<T>,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let message = Message {
                lane,
                nonce,
                payload,
            };
            T::LightClient::verify(&message, &evidence).map_err(Error::<T>::NotProven)?;
            Self::accept_proven(&message)?;
            Ok(Pays::No.into())
        }

        /// Stops the pallet, or lets it go on. While it is halted no message is taken and no bond released.
        ///
        /// # Errors
        /// The origin is not [`Config::SafetyOrigin`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::set_halted())]
        pub fn set_halted(origin: OriginFor<T>, halted: bool) -> DispatchResult {
            T::SafetyOrigin::ensure_origin(origin)?;
            Self::halt(halted);
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// Who votes, in ascending order.
        pub fn members() -> Vec<T::AccountId> {
            Members::<T>::get().into_inner()
        }

        /// How many votes execute a message now.
        pub fn needed_votes() -> u32 {
            threshold(Members::<T>::decode_len().unwrap_or(0) as u32)
        }

        /// The attester, if the account is one, is invited, or waits for its bond.
        pub fn attester(who: T::AccountId) -> Option<AttesterOf<T>> {
            Attesters::<T>::get(who)
        }

        /// What was said about a nonce of a lane, unless that was long ago.
        pub fn ballot(lane: LaneId, nonce: u64) -> Option<BallotOf<T>> {
            Ballots::<T>::get(lane, nonce)
        }

        /// The lowest nonce of a lane that was not executed.
        pub fn next_nonce(lane: LaneId) -> u64 {
            Lanes::<T>::get(lane).next
        }

        /// What the light client thinks of a proof, for whoever wants to know before paying for it.
        pub fn check_proof(
            lane: LaneId,
            nonce: u64,
            payload: Payload,
            evidence: EvidenceOf<T>,
        ) -> Result<(), Doubt> {
            let message = Message {
                lane,
                nonce,
                payload,
            };
            T::LightClient::verify(&message, &evidence)
        }

        /// Whether the message of that lane and nonce was executed.
        pub fn is_executed(lane: LaneId, nonce: u64) -> bool {
            Lanes::<T>::get(lane).has(nonce)
        }
    }
}
