//! The chains, the relayers between them, and what users do there.

use anyhow::{Context, Result};
use ciro_bridge::{destination::Destination, starknet::Starknet};
use ciro_bridge_primitives::{word_of, ChainKind, LaneId, Word};
use ciro_client::{types::Balance, AccountId, Client, CIRO};
use ciro_e2e::{
    all_advance, anvil, halves, open_lane, register_token, run_script, Anvil, Ciro, Contracts,
    Devnet, Genesis, Relayer, StarknetDevnet, Target,
};
use std::{fs, sync::Arc};
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

impl Scene {
    /// Sends CIRO of the sender's to another chain, and gives the message's nonce.
    pub async fn transfer(&self, place: &Place, recipient: &Word, amount: &str) -> Result<u64> {
        let lane = place.lane.to_string();
        let recipient = format!("0x{}", hex::encode(recipient));
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
    let evm_lane = open_lane(&cli, "evm", "31337", &on_evm.token, OPENER).await?;
    let (chain, token) = ("SN_SEPOLIA", &on_starknet.token);
    let starknet_lane = open_lane(&cli, "starknet", chain, token, OPENER).await?;
    for lane in [evm_lane, starknet_lane] {
        register_token(&client, lane, OWNER).await?;
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
                client: on_evm.client,
                contracts: vec![on_evm.token, on_evm.registry],
            },
            Target {
                kind: "starknet",
                node: devnet.url(),
                secret: &account.secret,
                account: Some(&account.address),
                client: on_starknet.client,
                contracts: vec![on_starknet.token, on_starknet.registry],
            },
        ];
        let name = format!("relayer-{number}");
        relayers.push(Relayer::start(&name, folder, &node, keys, &targets)?);
    }
    let carrier = anvil.connect(CARRIER, on_evm.client).await?;
    let user = Arc::new(devnet.connect(USER, on_starknet.client).await?);
    Ok(Scene {
        client,
        cli,
        evm: Place {
            lane: evm_lane,
            contracts: on_evm,
            chain: Arc::new(carrier),
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
