//! What a referendum must bond, how long it takes, and what passes it: a track for each origin.
//!
//! Most decisions take a vote of seven days, then 24 hours in which the result must hold, then 24 hours before it is
//! enacted, so that whoever disagrees can leave. 67 % of the votes, weighted by conviction, must agree, and a fifth of
//! all active CIRO must stand behind them. Both are the floors at the end of the vote: a decision that more support can
//! pass sooner. At most three referenda of a track are voted on at once.
//!
//! The deposit for a decision is 50,000 CIRO where little is at stake, then 250,000, a million, and five million for a
//! new runtime. Of the 50 million in circulation that is a tenth: less than half of the support that the upgrade needs
//! anyway. Whoever brings it gets it back unless Root kills the referendum as abuse.

use crate::{
    constants::{DAYS, HOURS, MINUTES, UNIT},
    origins::{paced_deposit, paced_period, Origin},
    Balance, BlockNumber, OriginCaller,
};
use alloc::borrow::Cow;
use frame_system::RawOrigin;
use pallet_referenda::{Curve, Track, TrackInfo};
use sp_runtime::{str_array, Perbill};

/// Deposit of a decision in which little is at stake.
pub const SMALL_DEPOSIT: Balance = 50_000 * UNIT;
/// Deposit of a decision about parameters.
pub const MEDIUM_DEPOSIT: Balance = 250_000 * UNIT;
/// Deposit of a decision about much money, or in an emergency.
pub const LARGE_DEPOSIT: Balance = 1_000_000 * UNIT;
/// Deposit of a decision about the runtime itself.
pub const ROOT_DEPOSIT: Balance = 5_000_000 * UNIT;

/// Support that suffices at the end of a vote.
const QUORUM: Perbill = Perbill::from_percent(20);
/// What Root needs: 1.2 times as much.
const ROOT_QUORUM: Perbill = Perbill::from_percent(24);
/// What an emergency needs, where there is little time to object: 1.5 times as much.
const EMERGENCY_QUORUM: Perbill = Perbill::from_percent(30);

/// Number of a track.
type TrackId = u16;
type Info = TrackInfo<Balance, BlockNumber>;

/// The tracks at full pace, by number.
const TRACKS: [Track<TrackId, Balance, BlockNumber>; 6] = [
    track(
        0,
        Info {
            max_deciding: 1,
            ..week("root", ROOT_DEPOSIT, ROOT_QUORUM)
        },
    ),
    track(1, week("general_admin", MEDIUM_DEPOSIT, QUORUM)),
    // A slash is due a day after its case was opened: the vote must be over by then.
    track(
        2,
        Info {
            decision_period: 12 * HOURS,
            ..hours("slash_canceller", SMALL_DEPOSIT, QUORUM)
        },
    ),
    track(3, week("small_spender", SMALL_DEPOSIT, QUORUM)),
    track(4, week("big_spender", LARGE_DEPOSIT, QUORUM)),
    track(5, hours("emergency", LARGE_DEPOSIT, EMERGENCY_QUORUM)),
];

/// Which track an origin has, and the tracks at the chain's pace.
pub struct Tracks;

impl pallet_referenda::TracksInfo<Balance, BlockNumber> for Tracks {
    type Id = TrackId;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<TrackId, Balance, BlockNumber>>> {
        TRACKS.into_iter().map(|track| Cow::Owned(paced(track)))
    }

    fn track_for(origin: &OriginCaller) -> Result<TrackId, ()> {
        match origin {
            OriginCaller::system(RawOrigin::Root) => Ok(0),
            OriginCaller::Origins(Origin::GeneralAdmin) => Ok(1),
            OriginCaller::Origins(Origin::SlashCanceller) => Ok(2),
            OriginCaller::Origins(Origin::SmallSpender) => Ok(3),
            OriginCaller::Origins(Origin::BigSpender) => Ok(4),
            OriginCaller::Origins(Origin::Emergency) => Ok(5),
            _ => Err(()),
        }
    }
}

const fn track(id: TrackId, info: Info) -> Track<TrackId, Balance, BlockNumber> {
    Track { id, info }
}

/// A decision of seven days.
const fn week(name: &str, decision_deposit: Balance, quorum: Perbill) -> Info {
    Info {
        name: str_array(name),
        max_deciding: 3,
        decision_deposit,
        prepare_period: HOURS,
        decision_period: 7 * DAYS,
        confirm_period: DAYS,
        min_enactment_period: DAYS,
        min_approval: falling(Perbill::from_percent(100), Perbill::from_percent(67)),
        min_support: falling(Perbill::from_percent(50), quorum),
    }
}

/// A decision that cannot wait: a day at most.
const fn hours(name: &str, decision_deposit: Balance, quorum: Perbill) -> Info {
    Info {
        prepare_period: 10 * MINUTES,
        decision_period: DAYS,
        confirm_period: HOURS,
        min_enactment_period: 10 * MINUTES,
        ..week(name, decision_deposit, quorum)
    }
}

/// A threshold that falls evenly over the whole vote.
const fn falling(from: Perbill, to: Perbill) -> Curve {
    Curve::LinearDecreasing {
        length: Perbill::from_percent(100),
        floor: to,
        ceil: from,
    }
}

/// The track at the chain's pace.
fn paced(
    Track { id, info }: Track<TrackId, Balance, BlockNumber>,
) -> Track<TrackId, Balance, BlockNumber> {
    Track {
        id,
        info: Info {
            decision_deposit: paced_deposit(info.decision_deposit),
            prepare_period: paced_period(info.prepare_period),
            decision_period: paced_period(info.decision_period),
            confirm_period: paced_period(info.confirm_period),
            min_enactment_period: paced_period(info.min_enactment_period),
            ..info
        },
    }
}
