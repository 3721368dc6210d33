//! What the relayer is told.

use anyhow::{bail, ensure, Context, Result};
use ciro_bridge_primitives::Word;
use serde::{de::Error as _, Deserialize, Deserializer};
use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder in which the relayer keeps how far it has looked.
    pub state: PathBuf,
    /// Address at which Prometheus finds the metrics.
    pub metrics: Option<SocketAddr>,
    /// Ciro.
    pub ciro: Ciro,
    /// The other chains.
    #[serde(rename = "destination", default)]
    pub destinations: Vec<Destination>,
}

/// How to reach Ciro, and what to do there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ciro {
    /// Address of a node (`ws://` or `wss://`).
    pub node: String,
    /// File with the secret of an attester.
    pub attester_key_file: Option<PathBuf>,
    /// File with the secret of who reports.
    pub fisherman_key_file: Option<PathBuf>,
}

/// What a chain runs contracts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Ethereum's virtual machine.
    Evm,
    /// Starknet.
    Starknet,
}

/// Another chain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Its name in logs and metrics, of which no other is.
    pub name: String,
    /// What it runs contracts on.
    pub kind: Kind,
    /// Address of a node (`http://` or `https://`).
    pub node: String,
    /// File with the secret of the account that pays.
    pub key_file: PathBuf,
    /// The account itself: needed on Starknet, where it does not follow from the key.
    #[serde(default, deserialize_with = "some_word")]
    pub account: Option<Word>,
    /// The light client of Ciro.
    #[serde(deserialize_with = "word")]
    pub client: Word,
    /// The contracts that take messages through it.
    #[serde(deserialize_with = "words")]
    pub contracts: Vec<Word>,
    /// First block in which one of them may have sent something.
    #[serde(default)]
    pub from_block: u64,
    /// Blocks behind the head that count as final; nothing for what the chain calls final.
    pub confirmations: Option<u64>,
    /// Blocks of Ciro by which the client may be behind although no message waits.
    pub max_lag: Option<u32>,
    /// Most to pay: gwei per gas, or STRK per transaction.
    pub max_fee: f64,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text)?;
        ensure!(
            !config.destinations.is_empty(),
            "there is nowhere to relay to: describe a [[destination]]"
        );
        let mut names = BTreeSet::new();
        for destination in &config.destinations {
            destination
                .check()
                .with_context(|| format!("destination \"{}\"", destination.name))?;
            ensure!(
                names.insert(&destination.name),
                "two destinations have the name \"{}\"",
                destination.name
            );
        }
        Ok(config)
    }
}

impl Destination {
    fn check(&self) -> Result<()> {
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
        ensure!(
            !self.name.is_empty() && self.name.chars().all(safe),
            "a name is made of letters, digits and -, as it is part of a file's name"
        );
        ensure!(
            self.max_fee > 0.0 && self.max_fee.is_finite(),
            "max_fee must be above zero"
        );
        let all = self.contracts.iter().chain([&self.client]);
        match self.kind {
            Kind::Evm => {
                for contract in all {
                    ensure!(
                        contract.starts_with(&[0; 12]),
                        "an address of an EVM chain has 40 hexadecimal digits"
                    );
                }
                ensure!(
                    self.account.is_none(),
                    "an account follows from its key on an EVM chain: leave it out"
                );
            }
            Kind::Starknet if self.account.is_none() => {
                bail!("on Starknet, an account does not follow from its key: give its address")
            }
            Kind::Starknet => {}
        }
        let contracts: BTreeSet<_> = self.contracts.iter().collect();
        ensure!(
            contracts.len() == self.contracts.len(),
            "a contract is named twice"
        );
        Ok(())
    }
}

/// Reads the secret of a key that is the only line of a file: `0x` and up to 64 hexadecimal digits. A file that others
/// may read is refused.
///
/// # Errors
/// Never repeats the secret.
pub fn secret_from_file(path: &Path) -> Result<Word> {
    let text = ciro_client::secret_from_file(path)?;
    parse_word(&text).map_err(|_| {
        anyhow::anyhow!(
            "{}: the secret is not 0x and up to 64 hexadecimal digits",
            path.display()
        )
    })
}

/// Reads `0x` and up to 64 hexadecimal digits.
pub fn parse_word(text: &str) -> Result<Word, String> {
    let wrong = || format!("\"{text}\" is not 0x and up to 64 hexadecimal digits");
    let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
    let mut word = [0; 32];
    if digits.is_empty() || digits.len() > 64 {
        return Err(wrong());
    }
    hex::decode_to_slice(format!("{digits:0>64}"), &mut word).map_err(|_| wrong())?;
    Ok(word)
}

fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    parse_word(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn some_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Word>, D::Error> {
    word(deserializer).map(Some)
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Word>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let words = texts.iter().map(|text| parse_word(text));
    words.collect::<Result<_, _>>().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../relayer.example.toml");

    #[test]
    fn the_example_is_a_configuration() {
        let config = Config::parse(EXAMPLE).unwrap();
        let kinds: Vec<_> = config.destinations.iter().map(|d| d.kind).collect();
        assert_eq!(kinds, [Kind::Evm, Kind::Starknet]);
        let evm = &config.destinations[0];
        assert_eq!(evm.contracts[0][12..14], [0xe7, 0xf1]);
        assert_eq!((evm.confirmations, evm.max_fee), (None, 2.5));
        assert!(config.destinations[1].account.is_some());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (from, to, says) in [
            (
                "name = \"starknet\"",
                "name = \"arbitrum\"",
                "two destinations",
            ),
            (
                "name = \"starknet\"",
                "name = \"../x\"",
                "a name is made of",
            ),
            ("account = ", "# ", "give its address"),
            ("kind = \"starknet\"", "kind = \"solana\"", "solana"),
            ("max_fee = 2.5", "max_fee = 0", "above zero"),
            ("max_fee = 2.5", "max_fee = 2.5\nfee = 1", "fee"),
            (
                "\"0x5FbDB2315678afecb367f032d93F642f64180aa3\"",
                "\"0x5F\"",
                "",
            ),
            (
                "\"0x5FbDB2315678afecb367f032d93F642f64180aa3\"",
                "\"5F\"",
                "hexadecimal",
            ),
            (
                "client = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"",
                "client = \"0x064b48806902a367c8598f4f95c305e8c1a1acba5f082d294a43793113115691\"",
                "40 hexadecimal",
            ),
            ("[\"0x0456\"]", "[\"0x0456\", \"0x456\"]", "named twice"),
        ] {
            let text = EXAMPLE.replace(from, to);
            assert_ne!(text, EXAMPLE, "{from}");
            match Config::parse(&text) {
                Ok(_) => assert!(says.is_empty(), "{to} was taken"),
                Err(error) => {
                    let error = format!("{error:#}");
                    assert!(!says.is_empty() && error.contains(says), "{error}");
                }
            }
        }
        let nowhere = EXAMPLE.split("[[destination]]").next().unwrap();
        assert!(Config::parse(nowhere).is_err());
    }
}
