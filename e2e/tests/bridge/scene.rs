//! The chains, the relayers between them, and what users do there.

use anyhow::{ensure, Context, Result};
use ciro_bridge::{config, destination::Destination, evm::Evm, starknet::Starknet};
use ciro_bridge_primitives::{word_of, ChainKind, LaneId, Word};
use ciro_client::{keypair, types::Balance, AccountId, Client, Wait, CIRO};
use ciro_e2e::{
    all_advance, anvil, eventually, run_script, Anvil, Ciro, Contracts, Devnet, Genesis, Relayer,
    StarknetDevnet, Target,
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};
use subxt::dynamic::{tx, Value};
use tokio::sync::Mutex;

pub const OWNER: &str = "//Alice";
pub const SENDER: &str = "//Bob";
pub const WORKER: &str = "//Charlie";
const OPENER: &str = "//Eve";
const ATTESTERS: [&str; 3] = ["//Alice", "//Bob", "//Charlie"];
const REPORTERS: [&str; 3] = ["//Dave", "//Ferdie", "//Eve//stash"];
/// The validator that changes its keys.
pub const CHANGING: &str = "//Dave";
/// Has nothing before something comes by the bridge.
pub const RECIPIENT: &str = "//Recipient";

/// Slots of a session: a minute, so that the validators hand over again and again while something crosses the bridge.
const SESSION: u32 = 30;

/// The account on Starknet, and the one on the EVM chain besides the user's, that are no relayer's.
const USER: usize = 5;
const CARRIER: usize = 3;

/// Another chain.
pub struct Place {
    pub lane: LaneId,
    pub contracts: Contracts,
    /// The chain, with an account that is no relayer's.
    pub chain: Arc<dyn Destination>,
}

pub struct Scene {
    pub client: Client,
    pub cli: Ciro,
    pub anvil: Anvil,
    pub devnet: StarknetDevnet,
    /// The user's account on Starknet.
    pub user: Arc<Starknet>,
    pub evm: Place,
    pub starknet: Place,
    pub relayers: Arc<Mutex<Vec<Relayer>>>,
    pub network: Devnet,
}

pub fn hex(word: &Word) -> String {
    format!("0x{}", hex::encode(word))
}

/// A word as Cairo's `u256`: the lower half first.
pub fn halves(word: &Word) -> [Word; 2] {
    let mut halves = [word_of(0u8); 2];
    halves[0][16..].copy_from_slice(&word[16..]);
    halves[1][16..].copy_from_slice(&word[..16]);
    halves
}

impl Scene {
    /// Sends CIRO of the sender's to another chain, and gives the message's nonce.
    pub async fn transfer(&self, place: &Place, recipient: &Word, amount: &str) -> Result<u64> {
        let (lane, recipient) = (hex(&place.lane.0), hex(recipient));
        let what = [lane.as_str(), &recipient, amount];
        let arguments = [&["bridge", "send"], &what[..], &["--suri", SENDER]].concat();
        let sent = self.cli.run(arguments).await?;
        sent["nonce"].as_u64().context("no nonce")
    }

    /// The user's account there.
    pub fn user_of(&self, place: &Place) -> Result<Word> {
        match place.chain.kind() {
            ChainKind::Evm => self.anvil.user_word(),
            ChainKind::Starknet => anvil::word(&self.devnet.accounts[USER].address),
        }
    }

    /// What the user has there.
    pub async fn balance(&self, place: &Place) -> Result<Balance> {
        let (token, user) = (&place.contracts.token, [self.user_of(place)?]);
        match place.chain.kind() {
            ChainKind::Evm => self.anvil.number(token, "balanceOf(address)", &user).await,
            ChainKind::Starknet => self.devnet.number(token, "balance_of", &user).await,
        }
    }

    /// All CIRO that there is there.
    pub async fn supply(&self, place: &Place) -> Result<Balance> {
        let token = &place.contracts.token;
        match place.chain.kind() {
            ChainKind::Evm => self.anvil.number(token, "totalSupply()", &[]).await,
            ChainKind::Starknet => self.devnet.number(token, "total_supply", &[]).await,
        }
    }

    pub async fn ciro_balance(&self, who: &AccountId) -> Result<Balance> {
        Ok(self.client.finalised().await?.balances(who).await?.free)
    }

    /// Burns the user's tokens on another chain for somebody elsewhere.
    pub async fn leave(
        &self,
        place: &Place,
        to: &LaneId,
        recipient: &Word,
        ciro: u128,
        refund: &Word,
    ) -> Result<()> {
        let words = [to.0, *recipient, word_of(ciro * CIRO), *refund];
        let token = &place.contracts.token;
        match place.chain.kind() {
            ChainKind::Evm => {
                let call = anvil::calldata("bridge(bytes32,bytes32,uint256,bytes32)", &words);
                self.anvil.send(token, &call).await
            }
            ChainKind::Starknet => {
                let felts: Vec<Word> = words.iter().flat_map(halves).collect();
                self.user.send(token, "bridge", &felts).await
            }
        }
    }
}

/// Waits until something is exactly so much, and stays so.
pub async fn becomes(
    what: &str,
    expected: Balance,
    read: impl AsyncFn() -> Result<Balance>,
) -> Result<()> {
    eventually(what, async || {
        let found = read().await?;
        ensure!(
            found <= expected,
            "{what}: {found} is more than the {expected} that were sent"
        );
        Ok((found == expected).then_some(()))
    })
    .await
}

pub async fn chains_and_relayers_start() -> Result<Scene> {
    let mut genesis = Genesis::export("local")?;
    genesis.set("origins", "epochSlots", SESSION.into());
    let network = Devnet::local_from(&genesis).await?;
    let folder = network.folder();
    let node = network.first().url();
    let (anvil, devnet) = tokio::try_join!(Anvil::start(folder), StarknetDevnet::start(folder))?;
    let (client, cli) = (network.first().client().await?, Ciro::new(&node)?);
    all_advance(&network.nodes).await?;
    change_keys(&network).await?;

    let genesis = cli.run(["bridge", "genesis"]).await?;
    let on_evm = anvil.deploy(&genesis).await?;
    let on_starknet = devnet.deploy(&genesis).await?;
    let evm_lane = open(&cli, "evm", "31337", &on_evm.token).await?;
    let starknet_lane = open(&cli, "starknet", "SN_SEPOLIA", &on_starknet.token).await?;
    for lane in [evm_lane, starknet_lane] {
        register(&client, lane).await?;
    }

    let mut relayers = Vec::new();
    for (number, keys) in ATTESTERS.into_iter().zip(REPORTERS).enumerate() {
        let account = &devnet.accounts[number + 1];
        let targets = [
            Target {
                kind: "evm",
                node: anvil.url(),
                secret: Anvil::secret(number),
                account: None,
                contracts: on_evm,
            },
            Target {
                kind: "starknet",
                node: devnet.url(),
                secret: &account.secret,
                account: Some(&account.address),
                contracts: on_starknet,
            },
        ];
        let name = format!("relayer-{number}");
        relayers.push(Relayer::start(&name, folder, &node, keys, &targets)?);
    }
    let carrier = described(folder, Anvil::secret(CARRIER), None, anvil.url(), on_evm)?;
    let account = &devnet.accounts[USER];
    let address = Some(account.address.as_str());
    let user = described(folder, &account.secret, address, devnet.url(), on_starknet)?;
    let user = Arc::new(Starknet::connect(&user).await?);
    Ok(Scene {
        client,
        cli,
        evm: Place {
            lane: evm_lane,
            contracts: on_evm,
            chain: Arc::new(Evm::connect(&carrier).await?),
        },
        starknet: Place {
            lane: starknet_lane,
            contracts: on_starknet,
            chain: user.clone(),
        },
        anvil,
        devnet,
        user,
        relayers: Arc::new(Mutex::new(relayers)),
        network,
    })
}

/// Gives a validator new keys, as its operator would; it signs with them two sessions later.
async fn change_keys(network: &Devnet) -> Result<()> {
    let node = network.nodes.last().context("no nodes")?;
    let secret = network.folder().join("validator.secret");
    fs::write(&secret, CHANGING)?;
    let arguments = [&node.url(), &*secret.to_string_lossy()];
    run_script("rotate-keys.mjs", &arguments).await.map(drop)
}

async fn open(cli: &Ciro, kind: &str, chain: &str, contract: &Word) -> Result<LaneId> {
    let contract = hex(contract);
    let place = ["--kind", kind, "--chain", chain, "--contract", &contract];
    let arguments = [&["bridge", "open"], &place[..], &["--suri", OPENER]].concat();
    let opened = cli.run(arguments).await?;
    let lane = opened["lane"].as_str().context("no lane")?;
    Ok(LaneId(anvil::word(lane)?))
}

/// Registers the token that a lane leads to.
async fn register(client: &Client, lane: LaneId) -> Result<()> {
    let amount = |ciro: u128| Value::u128(ciro * CIRO);
    let limits = Value::named_composite([
        ("smallest", amount(1)),
        ("largest", amount(1_000)),
        ("most_outside", amount(10_000)),
        ("out_per_window", amount(10_000)),
        ("in_per_window", amount(10_000)),
        ("delay_above", amount(1_000)),
        ("delay", Value::u128(1)),
    ]);
    let register = Value::named_variant(
        "register_remote",
        [("lane", Value::from_bytes(lane.0)), ("limits", limits)],
    );
    let register = tx(
        "Sudo",
        "sudo",
        (Value::unnamed_variant("TokenGateway", [register]),),
    );
    let owner = keypair(OWNER)?;
    client.execute(&register, &owner, Wait::Finalised).await?;
    let remote = client.finalised().await?.remote(lane).await?;
    ensure!(remote.is_some(), "the token is not registered");
    Ok(())
}

/// A chain as the relayer's configuration describes it, with an account of one's own.
fn described(
    folder: &Path,
    secret: &str,
    account: Option<&str>,
    node: String,
    contracts: Contracts,
) -> Result<config::Destination> {
    let (name, kind) = match account {
        None => ("carrier", config::Kind::Evm),
        Some(_) => ("user", config::Kind::Starknet),
    };
    let key_file = folder.join(format!("{name}.key"));
    fs::write(&key_file, secret)?;
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600))?;
    Ok(config::Destination {
        name: name.into(),
        kind,
        node,
        key_file,
        account: account.map(anvil::word).transpose()?,
        client: contracts.client,
        contracts: vec![],
        from_block: 0,
        confirmations: Some(0),
        max_lag: None,
        max_fee: 1_000.0,
    })
}
