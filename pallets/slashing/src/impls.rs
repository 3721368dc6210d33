//! What the calls share: the life of a case, and the invariants.

use crate::{
    coordination::{attack, remember, threshold, Sighting},
    history::Entry,
    matrix::{reason, sentence, Sentence, LONGEST_SUSPENSION, REPEAT_DAYS, SHORTEST_SUSPENSION},
    *,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::Get,
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_cdc_pool::StakeLedger;
use pallet_reputation::ReputationLedger;
use sp_runtime::{
    traits::{Bounded, Convert, One, Saturating, Zero},
    DispatchError,
};

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// So many days, in blocks.
    fn days(days: u32) -> BlockNumberFor<T> {
        T::Day::get().saturating_mul(days.into())
    }

    /// Blocks after which a closed case can matter no more.
    pub fn retention() -> BlockNumberFor<T> {
        Self::days(LONGEST_SUSPENSION.saturating_add(REPEAT_DAYS))
    }

    /// What the execution of a case weighs at most.
    pub fn execution_weight() -> Weight {
        T::WeightInfo::execute_case().saturating_add(T::SlashWeight::get())
    }

    /// Opens a case and suspends its offender. How many earlier cases turned out to be part of a coordinated attack
    /// with it; `None` if the offence is known already, and nothing has changed.
    pub(crate) fn open(
        offender: &T::AccountId,
        kind: OffenceKind,
        at: BlockNumberFor<T>,
        liable_since: BlockNumberFor<T>,
        reporter: Option<T::AccountId>,
    ) -> Option<u32> {
        let offence = (offender.clone(), kind, at);
        if Known::<T>::contains_key(&offence) {
            return None;
        }
        let id = NextCaseId::<T>::get();
        NextCaseId::<T>::put(id.saturating_add(1));
        Known::<T>::insert(&offence, id);
        let opened = Self::now();
        let mut history = Histories::<T>::get(offender);
        let earlier = history.recent(opened, Self::days(REPEAT_DAYS));
        let Sentence { fraction, days } = sentence(kind, earlier.saturating_add(1));
        let record = SlashRecord {
            id,
            offender: offender.clone(),
            kind,
            at,
            liable_since,
            opened,
            fraction,
            due: opened.saturating_add(T::DeferralPeriod::get()),
            until: days.map_or_else(Bounded::max_value, |days| {
                opened.saturating_add(Self::days(days))
            }),
            reporter,
            place: Self::enqueue(id),
            status: CaseStatus::Pending,
        };
        history.open(Entry {
            case: id,
            opened,
            until: record.until,
        });
        Histories::<T>::insert(offender, history);
        Self::deposit_event(Event::CaseOpened {
            case: id,
            offender: offender.clone(),
            kind,
            fraction,
            due: record.due,
            until: record.until,
        });
        Cases::<T>::insert(id, record);
        Some(match kind {
            OffenceKind::DoubleSigning => Self::coordinate(offender, at, id),
            OffenceKind::CoordinatedAttack => {
                AccusedKeys::<T>::insert(id, T::KeysOf::convert(offender.clone()));
                0
            }
            OffenceKind::Downtime | OffenceKind::InvalidCompute => 0,
        })
    }

    /// Remembers a double signing, and escalates the cases of the attack that it completes; how many those are.
    pub(crate) fn coordinate(offender: &T::AccountId, at: BlockNumberFor<T>, case: CaseId) -> u32 {
        let window = T::CoordinationWindow::get();
        let memory = window.saturating_add(T::EvidencePeriod::get());
        let now = Self::now();
        let cases = DoubleSignings::<T>::mutate(|sightings| {
            sightings.retain(|sighting| sighting.at.saturating_add(memory) >= now);
            let sighting = Sighting {
                offender: offender.clone(),
                at,
                case,
            };
            remember(sightings, sighting);
            attack(sightings, at, window, threshold(T::ValidatorCount::get()))
        });
        for case in &cases {
            Self::escalate(*case);
        }
        cases.len() as u32
    }

    /// Makes a case of double signing one of a coordinated attack. A pending one becomes it, and governance has the whole
    /// time again to look at it; to one that has been executed a second case is added, which takes what is left.
    pub(crate) fn escalate(id: CaseId) {
        let Some(mut record) = Cases::<T>::get(id) else {
            return;
        };
        if record.kind != OffenceKind::DoubleSigning {
            return;
        }
        let kind = OffenceKind::CoordinatedAttack;
        match record.status {
            CaseStatus::Cancelled => {}
            CaseStatus::Applied { .. } => {
                Self::open(&record.offender, kind, record.at, record.liable_since, None);
            }
            CaseStatus::Pending => {
                record.kind = kind;
                record.fraction = sentence(kind, 1).fraction;
                record.due = Self::now().saturating_add(T::DeferralPeriod::get());
                record.until = Bounded::max_value();
                Queue::<T>::remove(record.place);
                record.place = Self::enqueue(id);
                Histories::<T>::mutate(&record.offender, |history| history.condemn(id));
                AccusedKeys::<T>::insert(id, T::KeysOf::convert(record.offender.clone()));
                Self::deposit_event(Event::CaseEscalated {
                    case: id,
                    offender: record.offender.clone(),
                    due: record.due,
                });
                Cases::<T>::insert(id, record);
            }
        }
    }

    /// Puts a case at the end of the queue; its place. Every case waits equally long, so that the queue is in the order
    /// in which cases fall due.
    fn enqueue(id: CaseId) -> u64 {
        QueueRange::<T>::mutate(|(_, end)| {
            let place = *end;
            Queue::<T>::insert(place, id);
            *end = end.saturating_add(1);
            place
        })
    }

    fn pending(id: CaseId) -> Result<RecordOf<T>, DispatchError> {
        let record = Cases::<T>::get(id).ok_or(Error::<T>::UnknownCase)?;
        ensure!(record.status == CaseStatus::Pending, Error::<T>::NotPending);
        Ok(record)
    }

    /// Executes a pending case that is due.
    pub(crate) fn execute(id: CaseId) -> DispatchResult {
        let mut record = Self::pending(id)?;
        ensure!(record.due <= Self::now(), Error::<T>::NotDue);
        let offender = record.offender.clone();
        let reporter = record
            .reporter
            .as_ref()
            .map(|reporter| (reporter, T::ReporterShare::get()));
        let taken = T::Stakes::slash(&offender, record.fraction, record.liable_since, reporter);
        T::Reputations::note(&offender, reason(record.kind));
        if record.kind == OffenceKind::CoordinatedAttack {
            Self::ban(&offender, id);
        }
        Histories::<T>::mutate(&offender, |history| history.apply());
        Queue::<T>::remove(record.place);
        record.status = CaseStatus::Applied { taken };
        if taken > 0 {
            Self::deposit_event(Event::WorkerSlashed {
                worker: offender.clone(),
                amount: taken,
            });
        }
        Self::deposit_event(Event::SlashApplied {
            case: id,
            offender,
            kind: record.kind,
            fraction: record.fraction,
        });
        Cases::<T>::insert(id, record);
        Ok(())
    }

    /// Bans an account with the keys that it has and those that it had when it was accused: it may have changed them to
    /// keep them from the ban.
    fn ban(who: &T::AccountId, case: CaseId) {
        let accused = AccusedKeys::<T>::take(case).unwrap_or_default();
        for key in accused.into_iter().chain(T::KeysOf::convert(who.clone())) {
            BannedKeys::<T>::insert(key, case);
        }
        Banned::<T>::insert(who, case);
        Self::deposit_event(Event::OperatorBanned {
            who: who.clone(),
            case,
        });
    }

    /// Whether `who` is banned, or uses a key that was banned with another account.
    pub(crate) fn is_banned(who: &T::AccountId) -> bool {
        Banned::<T>::contains_key(who)
            || T::KeysOf::convert(who.clone())
                .iter()
                .any(BannedKeys::<T>::contains_key)
    }

    /// Executes the cases that are due, in the order of the queue, as far as `remaining` goes; what that weighs.
    pub(crate) fn execute_due(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(remaining);
        if meter
            .try_consume(T::DbWeight::get().reads_writes(1, 1))
            .is_err()
        {
            return meter.consumed();
        }
        let (first, end) = QueueRange::<T>::get();
        let mut start = first;
        while start < end && meter.try_consume(T::WeightInfo::look_at_queue()).is_ok() {
            if let Some(id) = Queue::<T>::get(start) {
                let is_due = Cases::<T>::get(id).is_none_or(|record| record.due <= now);
                if !is_due || meter.try_consume(Self::execution_weight()).is_err() {
                    break;
                }
                // What is in the queue is pending, and this one is due.
                let _ = Self::execute(id);
            }
            start = start.saturating_add(1);
        }
        if start != first {
            QueueRange::<T>::put((start, end));
        }
        meter.consumed()
    }

    /// Cancels a pending case. That the offence is known stays, so that it cannot be brought up again.
    pub(crate) fn cancel(id: CaseId) -> DispatchResult {
        let mut record = Self::pending(id)?;
        Queue::<T>::remove(record.place);
        AccusedKeys::<T>::remove(id);
        Self::forget_sighting(id);
        Self::amend_history(&record.offender, |history| history.cancel(id));
        record.status = CaseStatus::Cancelled;
        Cases::<T>::insert(id, record);
        Self::deposit_event(Event::CaseCancelled { case: id });
        Ok(())
    }

    /// Removes a closed case that is old enough.
    pub(crate) fn prune(id: CaseId) -> DispatchResult {
        let record = Cases::<T>::get(id).ok_or(Error::<T>::UnknownCase)?;
        ensure!(record.status != CaseStatus::Pending, Error::<T>::NotClosed);
        let ends = record.opened.saturating_add(Self::retention());
        ensure!(ends < Self::now(), Error::<T>::RetentionNotOver);
        if record.status != CaseStatus::Cancelled {
            Self::amend_history(&record.offender, |history| history.prune(id));
        }
        // A case that was escalated is known as what it was opened for.
        for kind in [record.kind, OffenceKind::DoubleSigning] {
            let offence = (record.offender.clone(), kind, record.at);
            if Known::<T>::get(&offence) == Some(id) {
                Known::<T>::remove(&offence);
            }
        }
        Self::forget_sighting(id);
        Cases::<T>::remove(id);
        Self::deposit_event(Event::CasePruned { case: id });
        Ok(())
    }

    fn forget_sighting(case: CaseId) {
        DoubleSignings::<T>::mutate(|sightings| sightings.retain(|sighting| sighting.case != case));
    }

    /// Changes a history, and forgets it if nothing is left of it.
    fn amend_history(
        who: &T::AccountId,
        change: impl FnOnce(&mut history::History<BlockNumberFor<T>>),
    ) {
        Histories::<T>::mutate_exists(who, |stored| {
            let mut history = stored.take().unwrap_or_default();
            change(&mut history);
            *stored = (!history.is_empty()).then_some(history);
        });
    }

    /// Checks that the constants fit together. A suspension outlasts the deferral, so that nobody works between the two.
    pub(crate) fn check_constants() {
        assert!(T::Day::get() >= One::one());
        assert!(T::DeferralPeriod::get() < Self::days(SHORTEST_SUSPENSION));
        assert!(T::CoordinationWindow::get() >= One::one());
        assert!(T::DowntimeThreshold::get() >= One::one());
        // What is pruned must not come again.
        assert!(T::EvidencePeriod::get() < Self::retention());
    }

    /// Checks what must always be true: exactly the pending cases are in the queue, once each and in their places; each
    /// history counts its operator's cases and lists them, and nothing else; nobody with a pending case may work; every
    /// case is known by its offence; the bans stand.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let (start, end) = QueueRange::<T>::get();
        let mut queued = BTreeSet::new();
        for (place, id) in Queue::<T>::iter() {
            ensure!((start..end).contains(&place), "a place outside the queue");
            ensure!(queued.insert(id), "a case is queued twice");
        }
        let mut counts = BTreeMap::<T::AccountId, (u32, u32)>::new();
        for (id, record) in Cases::<T>::iter() {
            ensure!(id == record.id && id < NextCaseId::<T>::get(), "a wrong id");
            let is_pending = record.status == CaseStatus::Pending;
            ensure!(
                queued.contains(&id) == is_pending,
                "the queue is not that of the pending"
            );
            ensure!(
                !is_pending || Queue::<T>::get(record.place) == Some(id),
                "a case is not in its place"
            );
            let is_accused = is_pending && record.kind == OffenceKind::CoordinatedAttack;
            ensure!(
                AccusedKeys::<T>::contains_key(id) == is_accused,
                "keys of someone who is not accused, or none of someone who is"
            );
            let known = |kind| Known::<T>::get((record.offender.clone(), kind, record.at));
            ensure!(
                [record.kind, OffenceKind::DoubleSigning]
                    .map(known)
                    .contains(&Some(id)),
                "a case's offence is not known"
            );
            let (pending, applied) = counts.entry(record.offender).or_default();
            match record.status {
                CaseStatus::Pending => *pending = pending.saturating_add(1),
                CaseStatus::Applied { .. } => *applied = applied.saturating_add(1),
                CaseStatus::Cancelled => {}
            }
        }
        ensure!(
            queued.iter().all(Cases::<T>::contains_key)
                && Known::<T>::iter_values().all(Cases::<T>::contains_key),
            "a case is queued or known that does not exist"
        );
        Self::check_histories(&counts)
    }

    fn check_histories(counts: &BTreeMap<T::AccountId, (u32, u32)>) -> DispatchResult {
        for (who, history) in Histories::<T>::iter() {
            let (pending, applied) = counts.get(&who).copied().unwrap_or_default();
            ensure!(
                (history.pending, history.applied) == (pending, applied) && !history.is_empty(),
                "a history counts wrongly"
            );
            let listed = pending.saturating_add(applied).min(history::MAX_LISTED);
            ensure!(
                history.entries.len() as u32 <= listed,
                "a history lists too much"
            );
            for entry in &history.entries {
                let record = Cases::<T>::get(entry.case).ok_or("a listed case does not exist")?;
                ensure!(
                    record.offender == who
                        && record.opened == entry.opened
                        && record.until == entry.until
                        && record.status != CaseStatus::Cancelled,
                    "a history lists a case wrongly"
                );
            }
            let standing = <Self as OffenceDesk<_, _>>::standing(&who);
            ensure!(
                pending.is_zero() || !standing.may_work(),
                "someone may work with a pending case"
            );
        }
        for (who, (pending, applied)) in counts {
            ensure!(
                Histories::<T>::contains_key(who) || pending.saturating_add(*applied).is_zero(),
                "a case without a history"
            );
        }
        for sighting in DoubleSignings::<T>::get() {
            let record = Cases::<T>::get(sighting.case).ok_or("a sighting without a case")?;
            ensure!(
                record.offender == sighting.offender && record.at == sighting.at,
                "a sighting is not that of its case"
            );
        }
        Ok(())
    }
}
