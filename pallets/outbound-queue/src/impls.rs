//! What the calls and the hooks share.

use crate::*;
use alloc::{collections::BTreeMap, vec::Vec};
use ciro_bridge_primitives::{
    lane_id, merkle, BridgeLeaf, Destination, Hash, LaneId, Message, Payload, ResultLeaf,
};
use ciro_primitives::JobId;
use codec::Encode;
use frame_support::{
    dispatch::{DispatchClass, DispatchResult},
    ensure,
    traits::{
        fungible::{Balanced, InspectHold},
        tokens::{Fortitude, Precision, Preservation},
        Get, OnUnbalanced, Time,
    },
    weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_job_market::{OnProven, ProvenResult};
use sp_consensus_beefy::mmr::BeefyDataProvider;
use sp_core::H256;
use sp_io::offchain_index;
use sp_runtime::{
    traits::{Saturating, Zero},
    ArithmeticError, DispatchError,
};

impl<T: Config> Outbox<T::AccountId> for Pallet<T> {
    fn send(id: LaneId, payload: Payload) -> Result<u64, DispatchError> {
        ensure!(payload.is_outbound(), Error::<T>::NotOutbound);
        let mut lane = Self::accepting(id)?;
        let nonce = lane.next_nonce;
        lane.next_nonce = nonce.checked_add(1).ok_or(ArithmeticError::Overflow)?;
        let now = frame_system::Pallet::<T>::block_number();
        if let Some(previous) = lane.last_block.replace(now).filter(|block| *block != now) {
            let parent = frame_system::Pallet::<T>::parent_hash();
            offchain_index::set(&previous_key(&id, parent.as_ref()), &previous.encode());
        }
        Lanes::<T>::insert(id, lane);
        let message = Message {
            lane: id,
            nonce,
            payload,
        };
        Messages::<T>::try_append(message).map_err(|()| Error::<T>::QueueFull)?;
        Self::register_sealing(T::WeightInfo::seal(1, 0));
        Self::deposit_event(Event::MessageQueued {
            lane: id,
            nonce,
            id: H256(message.id()),
            payload,
        });
        Ok(nonce)
    }

    fn charge(sender: &T::AccountId) -> DispatchResult {
        let fee = T::Token::withdraw(
            sender,
            T::MessageFee::get(),
            Precision::Exact,
            Preservation::Preserve,
            Fortitude::Polite,
        )?;
        T::FeeDestination::on_unbalanced(fee);
        Ok(())
    }

    fn note_result(result: ResultLeaf) {
        if Halted::<T>::get() || Results::<T>::try_append(result).is_err() {
            Self::deposit_event(Event::ResultPassedOver { job: result.job });
            return;
        }
        Self::register_sealing(T::WeightInfo::seal(0, 1));
    }
}

impl<T: Config> OnProven for Pallet<T> {
    fn on_proven(job: JobId, result: &ProvenResult) {
        Self::note_result(Self::leaf(job, result));
    }
}

/// What the next leaf of the MMR says of the last block. Asked before any hook of the new block has set the time, so that
/// the time is the last block's, too.
impl<T: Config> BeefyDataProvider<BridgeLeaf> for Pallet<T> {
    fn extra_data() -> BridgeLeaf {
        let Roots { messages, results } = Sealed::<T>::get();
        BridgeLeaf {
            timestamp: T::Clock::now().checked_div(1_000).unwrap_or_default(),
            messages_root: messages,
            results_root: results,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Hash of the chain's genesis block: the one block hash that is never pruned.
    pub(crate) fn genesis() -> Hash {
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).into()
    }

    pub(crate) fn lane_of(destination: &Destination) -> LaneId {
        lane_id(&Self::genesis(), destination)
    }

    pub(crate) fn leaf(job: JobId, result: &ProvenResult) -> ResultLeaf {
        ResultLeaf {
            job,
            model: result.model,
            input_commitment: result.input_commitment.into(),
            output_hash: result.output_hash.into(),
        }
    }

    /// The lane, if a message of it can be queued now.
    pub(crate) fn accepting(lane: LaneId) -> Result<LaneOf<T>, Error<T>> {
        ensure!(!Halted::<T>::get(), Error::<T>::Halted);
        let lane = Lanes::<T>::get(lane).ok_or(Error::<T>::UnknownLane)?;
        let queued = Messages::<T>::decode_len().unwrap_or_default();
        ensure!(
            queued < T::MaxMessages::get() as usize,
            Error::<T>::QueueFull
        );
        Ok(lane)
    }

    /// Sends a message that its sender pays for.
    pub(crate) fn post(sender: &T::AccountId, lane: LaneId, payload: Payload) -> DispatchResult {
        Self::send(lane, payload)?;
        Self::charge(sender)
    }

    /// Registers what a leaf adds to the weight of sealing the block: `with_one` is the weight of sealing it alone.
    fn register_sealing(with_one: Weight) {
        frame_system::Pallet::<T>::register_extra_weight_unchecked(
            with_one.saturating_sub(T::WeightInfo::seal(0, 0)),
            DispatchClass::Mandatory,
        );
    }

    /// Ends the block's queue: its leaves go to the off-chain index, and only their roots stay.
    pub(crate) fn seal() {
        let messages = Messages::<T>::take();
        let results = Results::<T>::take();
        Sealed::<T>::put(Roots {
            messages: publish(messages.iter().map(Message::bytes).collect()),
            results: publish(results.iter().map(|leaf| leaf.bytes().into()).collect()),
        });
    }

    /// Checks what must always be true: every lane is named after its destination, and its owner has its deposit on
    /// hold; it has had messages exactly if a block of the last one is known; the block's messages are the last ones of
    /// their lanes, in order.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let now = frame_system::Pallet::<T>::block_number();
        let mut deposits = BTreeMap::<T::AccountId, BalanceOf<T>>::new();
        let mut next = BTreeMap::<LaneId, u64>::new();
        for (id, lane) in Lanes::<T>::iter() {
            ensure!(
                id == Self::lane_of(&lane.destination) && is_possible(&lane.destination),
                "a lane is not named after its destination"
            );
            ensure!(
                lane.next_nonce.is_zero() == lane.last_block.is_none()
                    && lane.last_block.is_none_or(|block| block <= now),
                "the block of a lane's last message is wrong"
            );
            let sum = deposits.entry(lane.owner).or_insert_with(Zero::zero);
            *sum = sum.saturating_add(lane.deposit);
            next.insert(id, lane.next_nonce);
        }
        for (owner, deposit) in deposits {
            ensure!(
                T::Token::balance_on_hold(&HoldReason::LaneDeposit.into(), &owner) == deposit,
                "an owner's lanes and holds differ"
            );
        }
        for message in Messages::<T>::get().iter().rev() {
            let next = next.get_mut(&message.lane).ok_or("a message of no lane")?;
            *next = next.saturating_sub(1);
            ensure!(
                *next == message.nonce && message.payload.is_outbound(),
                "a message has the wrong nonce or kind"
            );
        }
        ensure!(
            SentCases::<T>::iter_keys().all(|(lane, _)| Lanes::<T>::contains_key(lane)),
            "a case was sent in no lane"
        );
        Ok(())
    }
}

/// Puts a tree's leaves into the off-chain index; its root.
fn publish(leaves: Vec<Vec<u8>>) -> Hash {
    let root = merkle::root(&leaves);
    if !leaves.is_empty() {
        offchain_index::set(&leaves_key(&root), &leaves.encode());
    }
    root
}
