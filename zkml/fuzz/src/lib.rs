//! What the fuzz targets in `tests/` share: ways to damage bytes that were good.
//!
//! `cargo test` runs each target for some seconds with random damage. A fuzzer that is guided by coverage runs the same
//! targets for as long as it is asked to:
//!
//! ```text
//! cargo install cargo-bolero
//! cargo bolero test --rustc-bootstrap -p ciro-zkml-fuzz --test importers damaged_files_are_refused_or_read -T 1h
//! ```

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bolero::TypeGenerator;

/// How long `cargo test` runs a target.
pub const TEST_TIME: Duration = Duration::from_secs(3);
/// Executions that nobody reaches in that time.
pub const MOST: usize = 1 << 30;

/// Counts the executions of a target, and says how many there were when it ends.
pub struct Executions(AtomicU64);

impl Executions {
    /// None yet.
    pub fn count() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more.
    pub fn one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Executions {
    fn drop(&mut self) {
        let executions = self.0.load(Ordering::Relaxed);
        println!("{executions} executions");
        assert!(
            executions > 0 || std::thread::panicking(),
            "the target never ran"
        );
    }
}

/// Runs a target for [`TEST_TIME`] on values of a type, and counts its executions.
#[macro_export]
macro_rules! target {
    ($type:ty, $body:expr) => {{
        let executions = $crate::Executions::count();
        bolero::check!()
            .with_test_time($crate::TEST_TIME)
            .with_iterations($crate::MOST)
            .with_type::<$type>()
            .for_each(|input| {
                executions.one();
                $crate::execute::<$type>(input, $body);
            });
    }};
}

/// Hands an input to a target: says what the target's argument is.
#[doc(hidden)]
pub fn execute<T>(input: &T, body: impl Fn(&T)) {
    body(input);
}

/// A way to change bytes.
#[derive(Clone, Debug, TypeGenerator)]
pub enum Damage {
    /// One byte becomes another.
    Set(u32, u8),
    /// One bit flips.
    Flip(u32, u8),
    /// The end is cut off.
    Cut(u32),
    /// Bytes are inserted.
    Insert(u32, Vec<u8>),
    /// A stretch is repeated behind itself.
    Repeat(u32, u8),
    /// A number of four bytes becomes an extreme one.
    Extreme(u32, u8),
}

impl Damage {
    /// Changes `bytes`; positions are taken modulo their length.
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        let place = |at: u32| at as usize % len.max(1);
        match self {
            Self::Set(at, value) => {
                if let Some(byte) = bytes.get_mut(place(*at)) {
                    *byte = *value;
                }
            }
            Self::Flip(at, bit) => {
                if let Some(byte) = bytes.get_mut(place(*at)) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Cut(at) => bytes.truncate(place(*at)),
            Self::Insert(at, inserted) => {
                let at = place(*at);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Self::Repeat(at, length) => {
                let from = place(*at);
                let to = len.min(from + usize::from(*length));
                let stretch = bytes.get(from..to).unwrap_or(&[]).to_vec();
                bytes.splice(to..to, stretch);
            }
            Self::Extreme(at, which) => {
                let numbers = [0, 1, i32::MAX, i32::MIN, -1, 1 << 16, 1 << 24];
                let number = numbers[usize::from(*which) % numbers.len()];
                for (byte, value) in bytes.iter_mut().skip(place(*at)).zip(number.to_le_bytes()) {
                    *byte = value;
                }
            }
        }
    }
}

/// Applies one change after the other.
pub fn damage(bytes: &mut Vec<u8>, changes: &[Damage]) {
    changes.iter().for_each(|change| change.apply(bytes));
}
