//! What is said about other chains' messages, and what follows from it. And the invariants.

use crate::*;
use alloc::collections::BTreeMap;
use ciro_bridge_primitives::{Hash, LaneId, Message};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{fungible::InspectHold, Get},
    weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{traits::Saturating, DispatchError};

/// How many old ballots the execution of a message removes at most. It adds one itself.
const REMOVED_AT_ONCE: u32 = 2;

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// What a vote weighs at most, without what the receiver does.
    pub(crate) fn vote_weight() -> Weight {
        T::WeightInfo::attest().max(T::WeightInfo::contradict())
    }

    /// Notes a vote, and what follows from it. Whether the message was executed.
    pub(crate) fn vote(who: T::AccountId, message: &Message) -> Result<bool, DispatchError> {
        ensure!(!Halted::<T>::get(), Error::<T>::Halted);
        let members = Members::<T>::get();
        ensure!(members.contains(&who), Error::<T>::NotMember);
        let mut ballot = Self::ballot_to_add_to(message)?;
        let id = message.id();
        let said = ballot.vote_of(&who);
        if let Some(said) = said.filter(|said| *said != id) {
            Self::slash(&who, said, message);
            return Ok(false);
        }
        if said.is_none() {
            Self::add_vote(&mut ballot, &members, (who.clone(), id))?;
            Self::deposit_event(Event::Attested {
                who,
                lane: message.lane,
                nonce: message.nonce,
                id,
            });
        }
        let enough = ballot.count(id, &members) >= threshold(members.len() as u32);
        if ballot.execution.is_none() && enough {
            Self::execute(message, ballot, false)?;
            return Ok(true);
        }
        ensure!(said.is_none(), Error::<T>::AlreadyVoted);
        Ballots::<T>::insert(message.lane, message.nonce, ballot);
        Ok(false)
    }

    /// What was said about the message's nonce so far, if more may be.
    fn ballot_to_add_to(message: &Message) -> Result<BallotOf<T>, DispatchError> {
        let Message {
            lane,
            nonce,
            payload,
        } = message;
        ensure!(T::Receiver::accepts(lane, payload), Error::<T>::NotAccepted);
        let progress = Lanes::<T>::get(lane);
        ensure!(progress.reaches(*nonce), Error::<T>::TooFarAhead);
        let ballot = Ballots::<T>::get(lane, nonce);
        if progress.has(*nonce) {
            let fresh = ballot.filter(|ballot| !Self::is_old(ballot));
            Ok(fresh.ok_or(Error::<T>::TooOld)?)
        } else {
            Ok(ballot.unwrap_or_default())
        }
    }

    /// Whether the evidence period of an executed message is over.
    fn is_old(ballot: &BallotOf<T>) -> bool {
        let over = |at: BlockNumberFor<T>| at.saturating_add(T::EvidencePeriod::get());
        ballot
            .execution
            .as_ref()
            .is_some_and(|execution| Self::now() > over(execution.at))
    }

    /// Adds a vote. Should there be no room, the oldest vote goes that is no present attester's: of these there always
    /// is one then.
    fn add_vote(
        ballot: &mut BallotOf<T>,
        members: &[T::AccountId],
        vote: (T::AccountId, Hash),
    ) -> DispatchResult {
        if ballot.votes.is_full() {
            let departed = |(voter, _): &(T::AccountId, Hash)| !members.contains(voter);
            if let Some(place) = ballot.votes.iter().position(departed) {
                ballot.votes.remove(place);
            }
        }
        let pushed = ballot.votes.try_push(vote);
        Ok(pushed.map_err(|_| Error::<T>::TooManyMembers)?)
    }

    /// Notes that the message takes its nonce, and hands it on.
    fn execute(message: &Message, mut ballot: BallotOf<T>, proven: bool) -> DispatchResult {
        let (lane, nonce, id) = (message.lane, message.nonce, message.id());
        let marked = Lanes::<T>::mutate(lane, |progress| progress.mark(nonce));
        ensure!(marked, Error::<T>::TooFarAhead);
        ballot.execution = Some(Execution {
            id,
            at: Self::now(),
        });
        Ballots::<T>::insert(lane, nonce, ballot);
        Self::remember(lane, nonce);
        Self::deposit_event(Event::MessageExecuted {
            lane,
            nonce,
            id,
            proven,
        });
        T::Receiver::receive(message);
        Ok(())
    }

    /// Puts an executed ballot last in the queue of those to be removed, and removes some that are old.
    fn remember(lane: LaneId, nonce: u64) {
        let (mut first, end) = FadingRange::<T>::get();
        for _ in 0..REMOVED_AT_ONCE {
            let Some((lane, nonce)) = Fading::<T>::get(first) else {
                break;
            };
            if !Ballots::<T>::get(lane, nonce).is_some_and(|ballot| Self::is_old(&ballot)) {
                break;
            }
            Ballots::<T>::remove(lane, nonce);
            Fading::<T>::remove(first);
            first = first.saturating_add(1);
        }
        Fading::<T>::insert(end, (lane, nonce));
        FadingRange::<T>::put((first, end.saturating_add(1)));
    }

    /// Executes a proven message, unless its nonce is taken, and slashes who has voted for another.
    pub(crate) fn accept_proven(message: &Message) -> DispatchResult {
        let ballot = Self::ballot_to_add_to(message)?;
        let id = message.id();
        let lies = ballot.votes.iter().filter(|(_, said)| *said != id);
        let liars: alloc::vec::Vec<_> = lies
            .filter(|(who, _)| Self::is_bonded(who))
            .cloned()
            .collect();
        for (who, said) in &liars {
            Self::slash(who, *said, message);
        }
        let Some(executed) = ballot.execution.as_ref().map(|execution| execution.id) else {
            ensure!(!Halted::<T>::get(), Error::<T>::Halted);
            return Self::execute(message, ballot, true);
        };
        ensure!(!liars.is_empty(), Error::<T>::NothingToProve);
        let was_made_up = executed != id && liars.iter().any(|(_, said)| *said == executed);
        if was_made_up {
            Self::deposit_event(Event::FalseMessageExecuted {
                lane: message.lane,
                nonce: message.nonce,
                executed,
                proven: id,
            });
            Self::halt(true);
        }
        Ok(())
    }

    fn is_bonded(who: &T::AccountId) -> bool {
        Attesters::<T>::get(who).is_some_and(|attester| attester.standing != Standing::Invited)
    }

    pub(crate) fn halt(halted: bool) {
        Halted::<T>::put(halted);
        Self::deposit_event(Event::HaltedSet { halted });
    }

    /// Checks what must always be true: exactly those vote whose standing says so; everyone has on hold what is noted;
    /// each executed nonce that is remembered is marked; no lane has a mark out of its window or below its first
    /// missing nonce; nobody has two votes; and whatever is remembered of executed messages will be forgotten.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let members = Members::<T>::get();
        ensure!(
            members.is_sorted_by(|a, b| a < b),
            "the attesters are not in order"
        );
        let mut seated = 0usize;
        for (who, attester) in Attesters::<T>::iter() {
            let is_member = attester.standing == Standing::Member;
            ensure!(
                is_member == members.contains(&who),
                "an attester's standing and its seat differ"
            );
            seated = seated.saturating_add(is_member.into());
            let held = T::Token::balance_on_hold(&HoldReason::Bond.into(), &who);
            ensure!(held == attester.bond, "a bond and its hold differ");
        }
        ensure!(seated == members.len(), "a seat has no attester");
        for (_, progress) in Lanes::<T>::iter() {
            ensure!(
                progress
                    .ahead
                    .iter()
                    .all(|nonce| *nonce > progress.next && progress.reaches(*nonce)),
                "a lane's marks are wrong"
            );
        }
        Self::check_ballots()
    }

    fn check_ballots() -> DispatchResult {
        let (first, end) = FadingRange::<T>::get();
        let mut fading = BTreeMap::new();
        for place in first..end {
            let key = Fading::<T>::get(place).ok_or("a place of the queue is empty")?;
            ensure!(
                fading.insert(key, place).is_none(),
                "a ballot is queued twice"
            );
        }
        ensure!(
            Fading::<T>::iter_keys().count() == fading.len(),
            "the queue has places out of its range"
        );
        let mut executed = 0usize;
        for (lane, nonce, ballot) in Ballots::<T>::iter() {
            let is_executed = Lanes::<T>::get(lane).has(nonce);
            ensure!(
                ballot.execution.is_some() == is_executed,
                "a ballot and its lane differ"
            );
            ensure!(
                fading.contains_key(&(lane, nonce)) == is_executed,
                "an executed ballot is not queued"
            );
            executed = executed.saturating_add(is_executed.into());
            let mut voters: alloc::vec::Vec<_> = ballot.votes.iter().map(|(who, _)| who).collect();
            voters.sort();
            ensure!(
                voters.is_sorted_by(|a, b| a < b),
                "an attester has voted twice"
            );
        }
        ensure!(executed == fading.len(), "the queue names no ballot");
        Ok(())
    }
}
