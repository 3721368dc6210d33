//! Random calls from several accounts and other pallets, block by block, beside books that are kept another way.

use crate::{mock::*, Event, Operators, PositionOf, Positions, StakeLedger};
use frame_support::{assert_ok, traits::fungible::MutateFreeze};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sp_runtime::Perbill;
use std::collections::BTreeMap;

/// Who calls, stakes, reports and is paid. The last has no account at first.
const ACCOUNTS: [u8; 6] = [1, 2, 3, 4, 5, 99];
/// With whom others stake.
const OPERATORS: [u8; 3] = [1, 2, 3];

#[derive(Clone, Debug)]
enum Call {
    Stake(Balance),
    StakeFor(Balance),
    SetRoles(bool, bool),
    SetCommission(u32),
    /// Some, or all that is active.
    Unstake(Option<Balance>),
    Withdraw,
    Claim,
    Reward(Balance),
    Slash {
        percent: u32,
        ago: u64,
        reporter: Option<u8>,
    },
    Reserve(Balance),
    Release,
    /// A share of a reservation in percent; the rest is released.
    Forfeit {
        percent: u128,
        to: Option<u8>,
    },
    /// Opens a case, or decides it.
    Case,
    Transfer {
        to: u8,
        amount: Balance,
    },
    Freeze(Balance),
}

/// By whom, with which operator, and what.
type Step = (u8, u8, Call);

fn step() -> impl Strategy<Value = Step> {
    let name = || prop::sample::select(&ACCOUNTS[..]);
    let someone = || prop::option::of(name());
    let call = prop_oneof![
        4 => (0..4_000u128).prop_map(Call::Stake),
        6 => (0..4_000u128).prop_map(Call::StakeFor),
        2 => any::<(bool, bool)>().prop_map(|(worker, validator)| Call::SetRoles(worker, validator)),
        1 => (0..40u32).prop_map(Call::SetCommission),
        6 => prop::option::weighted(0.7, 0..2_000u128).prop_map(Call::Unstake),
        5 => Just(Call::Withdraw),
        4 => Just(Call::Claim),
        6 => (0..20_000u128).prop_map(Call::Reward),
        2 => (1..=100u32, 0..80u64, someone())
            .prop_map(|(percent, ago, reporter)| Call::Slash { percent, ago, reporter }),
        5 => (0..3_000u128).prop_map(Call::Reserve),
        2 => Just(Call::Release),
        3 => (0..=100u128, someone()).prop_map(|(percent, to)| Call::Forfeit { percent, to }),
        1 => Just(Call::Case),
        1 => (name(), 0..150_000u128).prop_map(|(to, amount)| Call::Transfer { to, amount }),
        1 => (0..150_000u128).prop_map(Call::Freeze),
    ];
    (name(), prop::sample::select(&OPERATORS[..]), call)
}

/// What everybody should own, and what is reserved for which job.
struct Books {
    totals: BTreeMap<AccountId, Balance>,
    issuance: Balance,
    reservations: BTreeMap<AccountId, Vec<Balance>>,
    credited: Balance,
    claimed: Balance,
    /// What rounding may have left of the credits: a planck for each position.
    slack: Balance,
    seen: BTreeMap<&'static str, usize>,
}

impl Books {
    fn new() -> Self {
        let mut owners = ACCOUNTS.map(account).to_vec();
        owners.extend([treasury(), Pool::pot()]);
        Self {
            totals: owners
                .into_iter()
                .map(|who| (who.clone(), total(&who)))
                .collect(),
            issuance: Balances::total_issuance(),
            reservations: BTreeMap::new(),
            credited: 0,
            claimed: 0,
            slack: 0,
            seen: BTreeMap::new(),
        }
    }

    fn add(&mut self, who: &AccountId, amount: Balance) {
        *self.totals.get_mut(who).unwrap() += amount;
    }

    fn sub(&mut self, who: &AccountId, amount: Balance) {
        *self.totals.get_mut(who).unwrap() -= amount;
    }

    fn can_hold(&self, who: &AccountId, amount: Balance) -> bool {
        self.totals[who] > 0 || amount >= EXISTENTIAL_DEPOSIT
    }

    fn saw(&mut self, what: &'static str, happened: bool) {
        *self.seen.entry(what).or_default() += usize::from(happened);
    }

    fn step(&mut self, (who, operator, call): Step) {
        System::reset_events();
        let (who, operator) = (account(who), account(operator));
        let operator = match call {
            Call::Unstake(_) | Call::Withdraw | Call::Claim => joined(&who).unwrap_or(operator),
            _ => operator,
        };
        let ok = match call {
            Call::Stake(amount) => stake(who, amount).is_ok(),
            Call::StakeFor(amount) => stake_for(operator.clone(), who, amount).is_ok(),
            Call::SetRoles(worker, validator) => set_roles(who, worker, validator).is_ok(),
            Call::SetCommission(percent) => set_commission(who, percent).is_ok(),
            Call::Unstake(amount) => {
                let active =
                    Pool::position(operator.clone(), who.clone()).map_or(0, |it| it.active);
                unstake(operator.clone(), who, amount.unwrap_or(active)).is_ok()
            }
            Call::Withdraw => self.withdraw(&operator, who),
            Call::Claim => claim(operator.clone(), who).is_ok(),
            Call::Reward(amount) => self.reward(&operator, amount),
            Call::Slash {
                percent,
                ago,
                reporter,
            } => self.slash(&operator, percent, ago, reporter.map(account)),
            Call::Reserve(amount) => self.reserve(&operator, amount),
            Call::Release => self.end_job(&operator, 0, None),
            Call::Forfeit { percent, to } => self.end_job(&operator, percent, to.map(account)),
            Call::Case => {
                let open = OpenCases::get();
                OpenCases::set(if open.is_empty() {
                    vec![operator.clone()]
                } else {
                    vec![]
                });
                true
            }
            Call::Transfer { to, amount } => {
                let origin = RuntimeOrigin::signed(who);
                Balances::transfer_allow_death(origin, account(to), amount).is_ok()
            }
            Call::Freeze(amount) => Balances::set_freeze(&FREEZE, &who, amount).is_ok(),
        };
        self.saw("a call succeeds", ok);
        self.read_events();
        self.compare(&operator);
    }

    fn withdraw(&mut self, operator: &AccountId, who: AccountId) -> bool {
        let before = held(&who);
        let ok = withdraw(operator.clone(), who.clone()).is_ok();
        assert!(!ok || !OpenCases::get().contains(operator));
        self.saw("stake is withdrawn", ok);
        assert_eq!(held(&who) < before, ok);
        ok
    }

    fn reward(&mut self, operator: &AccountId, amount: Balance) -> bool {
        let positions = Positions::<Test>::iter_prefix(operator).count();
        let credited = Pool::reward(operator, amount);
        if credited > 0 {
            self.add(&Pool::pot(), amount);
            self.issuance += amount;
            self.credited += credited;
            self.slack += positions as Balance;
        }
        self.saw("a reward is credited", credited > 0);
        credited > 0
    }

    fn slash(
        &mut self,
        operator: &AccountId,
        percent: u32,
        ago: u64,
        reporter: Option<AccountId>,
    ) -> bool {
        let offence_at = System::block_number().saturating_sub(ago);
        let fraction = Perbill::from_percent(percent);
        let share = Perbill::from_percent(10);
        let positions: Vec<_> = Positions::<Test>::iter_prefix(operator).collect();
        let taken = <Pool as StakeLedger<_, _, _>>::slash(
            operator,
            fraction,
            offence_at,
            reporter.as_ref().map(|who| (who, share)),
        );
        let mut losses = 0;
        for (staker, position) in positions {
            let loss = expected_loss(&position, percent.into(), offence_at);
            assert!(loss * 100 <= position.held() * Balance::from(percent));
            self.sub(&staker, loss);
            losses += loss;
            // More than what rounding leaves of each chunk.
            let whole = position.held() * Balance::from(percent) / 100;
            self.saw("a chunk is spared", loss + 17 < whole);
        }
        assert_eq!(taken, losses);
        let bounty = taken / 10;
        let paid = reporter.filter(|who| self.can_hold(who, bounty));
        self.add(&treasury(), taken - paid.as_ref().map_or(0, |_| bounty));
        if let Some(who) = paid {
            self.add(&who, bounty);
        }
        self.saw("stake is slashed", taken > 0);
        taken > 0
    }

    fn reserve(&mut self, operator: &AccountId, amount: Balance) -> bool {
        let ok = Pool::reserve(operator, amount).is_ok();
        if ok {
            let jobs = self.reservations.entry(operator.clone()).or_default();
            jobs.push(amount);
        }
        self.saw("stake is reserved", ok);
        ok
    }

    /// Ends the operator's oldest job as a market would.
    fn end_job(&mut self, operator: &AccountId, percent: u128, to: Option<AccountId>) -> bool {
        let jobs = self.reservations.entry(operator.clone()).or_default();
        if jobs.is_empty() {
            return false;
        }
        let reserved = jobs.remove(0);
        let cut = reserved * percent / 100;
        let own = Pool::own_stake(operator);
        let taken = Pool::forfeit(operator, cut, to.as_ref());
        Pool::release(operator, reserved - cut);
        assert_eq!(taken, cut.min(own));
        self.sub(operator, taken);
        match to {
            Some(to) if self.can_hold(&to, taken) => self.add(&to, taken),
            _ => self.issuance -= taken,
        }
        self.saw("a forfeit is short", taken < cut);
        self.saw("stake is forfeited", taken > 0);
        true
    }

    fn read_events(&mut self) {
        for event in System::read_events_for_pallet::<Event<Test>>() {
            if let Event::RewardsClaimed { amount, .. } = event {
                self.claimed += amount;
                self.saw("rewards are claimed", true);
            }
        }
        for event in System::read_events_for_pallet::<pallet_balances::Event<Test>>() {
            match event {
                pallet_balances::Event::Transfer { from, to, amount } => {
                    self.sub(&from, amount);
                    self.add(&to, amount);
                }
                pallet_balances::Event::DustLost { account, amount } => {
                    self.sub(&account, amount);
                    self.issuance -= amount;
                }
                _ => {}
            }
        }
    }

    fn compare(&mut self, operator: &AccountId) {
        for (who, expected) in &self.totals {
            assert_eq!(total(who), *expected);
        }
        assert_eq!(Balances::total_issuance(), self.issuance);
        let record = Pool::operator(operator.clone()).unwrap_or_default();
        let reserved = self
            .reservations
            .get(operator)
            .into_iter()
            .flatten()
            .sum::<Balance>();
        assert_eq!(record.reserved, reserved);
        self.saw(
            "more is reserved than is left",
            record.reserved > record.own,
        );
    }

    /// What need not be compared after every call.
    fn check(&self) {
        check();
        let pending: Balance = Positions::<Test>::iter_keys()
            .map(|(operator, staker)| Pool::pending_rewards(operator, staker))
            .sum();
        assert!(self.claimed + pending <= self.credited);
        assert!(self.claimed + pending + self.slack >= self.credited);
        // `check` knows only of accounts with a position.
        let held: Balance = self.totals.keys().map(held).sum();
        let staked: Balance = Positions::<Test>::iter_values().map(|it| it.held()).sum();
        assert_eq!(held, staked);
    }

    /// Has all jobs end and everyone leave.
    fn end(&mut self, now: u64) {
        OpenCases::set(vec![]);
        for operator in ACCOUNTS.map(account) {
            while self.end_job(&operator, 0, None) {}
            // Fails for who is no operator.
            let _ = set_roles(operator, false, false);
        }
        for later in [now + UNBONDING, now + 2 * UNBONDING] {
            at(later);
            let positions: Vec<_> = Positions::<Test>::iter().collect();
            for (operator, staker, position) in positions {
                if !position.unbonding.is_empty() {
                    assert_ok!(withdraw(operator.clone(), staker.clone()));
                }
                if position.active > 0 {
                    assert_ok!(unstake(operator.clone(), staker, position.active));
                }
            }
        }
        for (operator, staker, position) in Positions::<Test>::iter().collect::<Vec<_>>() {
            assert_eq!(position.held(), 0);
            // Rewards alone may be too little for an account.
            if claim(operator, staker.clone()).is_err() {
                assert_eq!(total(&staker), 0);
            }
        }
        self.totals = self
            .totals
            .keys()
            .map(|who| (who.clone(), total(who)))
            .collect();
        assert_eq!(total_stake(), 0);
        assert!(self.totals.keys().all(|who| held(who) == 0));
        assert!(Operators::<Test>::iter_values().all(|record| record.positions > 0));
        check();
    }
}

/// An operator with whom `who` has a position.
fn joined(who: &AccountId) -> Option<AccountId> {
    let mut positions = Positions::<Test>::iter_keys();
    positions.find_map(|(operator, staker)| (staker == *who).then_some(operator))
}

fn expected_loss(position: &PositionOf<Test>, percent: u128, offence_at: u64) -> Balance {
    let late = position
        .unbonding
        .iter()
        .filter(|chunk| chunk.since >= offence_at);
    late.map(|chunk| chunk.amount)
        .chain([position.active])
        .map(|amount| amount * percent / 100)
        .sum()
}

fn begin() -> Books {
    staked();
    assert_ok!(stake(alice(), 2_000));
    assert_ok!(set_roles(alice(), true, true));
    Books::new()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_is_called_funds_are_conserved_and_everyone_can_leave(
        blocks in prop::collection::vec((1..20u64, prop::collection::vec(step(), 0..6)), 1..30),
    ) {
        ext().execute_with(|| {
            let mut books = begin();
            let mut now = 1;
            for (skipped, steps) in blocks {
                now += skipped;
                at(now);
                for step in steps {
                    books.step(step);
                }
                books.check();
            }
            books.end(now);
        });
    }
}

#[test]
fn the_random_calls_reach_what_the_property_is_about() {
    // A property that no run exercises would hold emptily: count what a few runs get to.
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(step(), 150);
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..60 {
        let steps = strategy.new_tree(&mut runner).unwrap().current();
        ext().execute_with(|| {
            let mut books = begin();
            for (number, step) in steps.into_iter().enumerate() {
                at(1 + 3 * number as u64);
                books.step(step);
            }
            for (what, count) in books.seen {
                *seen.entry(what).or_default() += count;
            }
        });
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 5), "{seen:?}");
}
