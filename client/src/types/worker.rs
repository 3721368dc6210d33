//! Workers as the registry knows them, and what jobs ask of them.

use super::{Balance, BlockNumber};
use scale_decode::DecodeAsType;
use scale_encode::EncodeAsType;
use std::str::FromStr;

/// Longest name of a GPU, in bytes.
pub const MAX_GPU_MODEL: usize = 48;

/// A part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType, EncodeAsType)]
pub enum Region {
    /// North America.
    NorthAmerica,
    /// Europe.
    Europe,
    /// Asia and the Pacific.
    AsiaPacific,
    /// Everywhere else.
    Other,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::NorthAmerica,
        Self::Europe,
        Self::AsiaPacific,
        Self::Other,
    ];

    /// `north-america`, `europe`, `asia-pacific` or `other`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NorthAmerica => "north-america",
            Self::Europe => "europe",
            Self::AsiaPacific => "asia-pacific",
            Self::Other => "other",
        }
    }
}

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|region| region.name() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("\"{text}\" is not a region: give one of {names}")
        })
    }
}

/// What a worker's machine can do, as its operator says.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType, EncodeAsType)]
pub struct Capabilities {
    /// Name of its GPU; empty if there is none.
    pub gpu_model: Vec<u8>,
    /// Memory of the GPU, or of the machine if it has none, in MiB.
    pub memory: u32,
    /// Arithmetic throughput in 10^9 operations a second.
    pub gflops: u32,
    /// Where it stands.
    pub region: Region,
    /// Where peers reach it.
    pub peer_address: Vec<u8>,
}

/// What a job asks of the machine that runs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DecodeAsType, EncodeAsType)]
pub struct Requirements {
    /// Whether there must be a GPU.
    pub gpu: bool,
    /// Least memory in MiB.
    pub memory: u32,
    /// Least throughput in 10^9 operations a second.
    pub gflops: u32,
    /// Where it must stand; nothing for anywhere.
    pub region: Option<Region>,
}

impl Requirements {
    /// Whether a machine does what is asked.
    pub fn are_met_by(&self, machine: &Capabilities) -> bool {
        (!self.gpu || !machine.gpu_model.is_empty())
            && machine.memory >= self.memory
            && machine.gflops >= self.gflops
            && self.region.is_none_or(|region| region == machine.region)
    }
}

/// A registered worker.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Worker {
    /// What its machine can do.
    pub capabilities: Capabilities,
    /// What its heartbeats are signed with: an sr25519 public key.
    pub heartbeat_key: [u8; 32],
    /// Held from it while it is registered.
    pub deposit: Balance,
    /// What was heard of it.
    pub presence: Presence,
}

/// What was heard of a worker.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Presence {
    /// Block of its registration.
    pub registered: BlockNumber,
    /// Block of its last heartbeat.
    pub heard: BlockNumber,
    /// Block of its deactivation, if it is deactivated.
    pub inactive_since: Option<BlockNumber>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_by_their_names() {
        for region in Region::ALL {
            assert_eq!(region.name().parse(), Ok(region));
        }
        assert!("mars".parse::<Region>().unwrap_err().contains("europe"));
    }

    #[test]
    fn a_machine_that_lacks_one_thing_does_not_do() {
        let machine = Capabilities {
            gpu_model: b"L40S".to_vec(),
            memory: 100,
            gflops: 10,
            region: Region::Europe,
            peer_address: vec![],
        };
        let all = Requirements {
            gpu: true,
            memory: 100,
            gflops: 10,
            region: Some(Region::Europe),
        };
        assert!(all.are_met_by(&machine));
        let lacking = [
            Capabilities {
                gpu_model: vec![],
                ..machine.clone()
            },
            Capabilities {
                memory: 99,
                ..machine.clone()
            },
            Capabilities {
                gflops: 9,
                ..machine.clone()
            },
            Capabilities {
                region: Region::Other,
                ..machine
            },
        ];
        for machine in lacking {
            assert!(!all.are_met_by(&machine));
            assert!(Requirements::default().are_met_by(&machine));
        }
    }
}
