//! Stands in for `snowbridge-core`, of which the light client of Ethereum uses a switch and a ring buffer, and whose other
//! parts bring all of XCM.
#![cfg_attr(not(feature = "std"), no_std)]

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{
    storage::{types::QueryKindTrait, StorageMap, StorageValue},
    traits::{Get, GetDefault},
    Parameter,
};
use scale_info::TypeInfo;

/// Whether a pallet works.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum BasicOperatingMode {
    /// It does.
    #[default]
    Normal,
    /// It takes nothing but governance's calls.
    Halted,
}

impl BasicOperatingMode {
    /// Whether it does not.
    pub fn is_halted(&self) -> bool {
        *self == Self::Halted
    }
}

/// A map that forgets its oldest entries.
pub trait RingBufferMap<Key: Parameter, Value, Kind: QueryKindTrait<Value, GetDefault>> {
    /// Adds an entry, in place of the oldest one if there is no room.
    fn insert(key: Key, value: Value);

    /// Whether there is an entry.
    fn contains_key(key: Key) -> bool;

    /// The entry, if there is one.
    fn get(key: Key) -> Kind::Query;
}

/// Such a map in storage: `Entries`, whose keys are in the `Size` places of `Places`, the newest at `Newest`.
pub struct RingBufferMapImpl<Index, Size, Newest, Places, Entries, Kind>(
    PhantomData<(Index, Size, Newest, Places, Entries, Kind)>,
);

impl<Key, Value, Size, Newest, Places, Entries, Kind> RingBufferMap<Key, Value, Kind>
    for RingBufferMapImpl<u32, Size, Newest, Places, Entries, Kind>
where
    Key: Parameter,
    Value: codec::FullCodec,
    Size: Get<u32>,
    Newest: StorageValue<u32, Query = u32>,
    Places: StorageMap<u32, Key, Query = Key>,
    Entries: StorageMap<Key, Value, Query = Kind::Query>,
    Kind: QueryKindTrait<Value, GetDefault>,
{
    fn insert(key: Key, value: Value) {
        let place = Newest::get()
            .saturating_add(1)
            .checked_rem(Size::get())
            .unwrap_or_default();
        if Places::contains_key(place) {
            Entries::remove(Places::get(place));
        }
        Places::insert(place, &key);
        Newest::put(place);
        Entries::insert(key, value);
    }

    fn contains_key(key: Key) -> bool {
        Entries::contains_key(key)
    }

    fn get(key: Key) -> Kind::Query {
        Entries::get(key)
    }
}
