//! What other pallets and people are told.

use crate::{mock::*, Capabilities, Region, Requirements, WorkerDirectory};
use frame_support::assert_ok;

fn meets(requirements: Requirements) -> bool {
    <Registry as WorkerDirectory<_, _>>::meets(&ALICE, &requirements)
}

#[test]
fn requirements_are_met_one_and_all() {
    test(|| {
        assert!(!meets(Requirements::default()));
        register(ALICE);
        let most = Requirements {
            gpu: true,
            memory: 80_000,
            gflops: 60_000,
            region: Some(Region::Europe),
        };
        assert!(meets(Requirements::default()) && meets(most));
        assert!(!meets(Requirements {
            memory: 80_001,
            ..most
        }));
        assert!(!meets(Requirements {
            gflops: 60_001,
            ..most
        }));
        assert!(!meets(Requirements {
            region: Some(Region::Other),
            ..most
        }));
        let no_gpu = Capabilities {
            gpu_model: Default::default(),
            ..capabilities()
        };
        assert_ok!(Registry::update(origin(ALICE), no_gpu));
        assert!(!meets(most));
        assert!(meets(Requirements { gpu: false, ..most }));
    });
}

#[test]
fn a_deactivated_worker_meets_nothing() {
    test(|| {
        register(ALICE);
        assert_ok!(Registry::deactivate(origin(ALICE)));
        assert!(!meets(Requirements::default()));
    });
}

fn listed(region: Region, from: Option<AccountId>, limit: u32) -> Vec<AccountId> {
    let workers = Registry::workers_in(region, from, limit);
    assert!(workers.iter().all(|(_, told)| told.region == region));
    workers.into_iter().map(|(who, _)| who).collect()
}

#[test]
fn the_active_workers_of_a_region_are_listed_page_by_page() {
    test(|| {
        (1..=4).for_each(register);
        let elsewhere = Capabilities {
            region: Region::AsiaPacific,
            ..capabilities()
        };
        assert_ok!(Registry::update(origin(2), elsewhere));
        let mut all = listed(Region::Europe, None, 100);
        let mut pages = Vec::new();
        while let [who] = listed(Region::Europe, pages.last().copied(), 1)[..] {
            pages.push(who);
        }
        assert_eq!(pages, all);
        all.sort();
        assert_eq!(all, [1, 3, 4]);
        assert_eq!(listed(Region::AsiaPacific, None, 100), [2]);
        assert!(listed(Region::Other, None, 100).is_empty());
        assert!(listed(Region::Europe, None, 0).is_empty());

        assert_ok!(Registry::deactivate(origin(3)));
        assert!(!listed(Region::Europe, None, 100).contains(&3));
    });
}
