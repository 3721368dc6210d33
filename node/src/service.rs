//! The node's parts and how they are put together.

use crate::{
    consensus, equivocation,
    metrics::Metrics,
    rpc::{self, Dependencies},
};
use ciro_runtime::{opaque::Block, Hash, RuntimeApi};
use futures::FutureExt;
use sc_client_api::Backend as _;
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle};
use sc_consensus_beefy::{
    communication::request_response::BeefyJustifsRequestHandler, import::BeefyBlockImport,
    BeefyRPCLinks, BeefyVoterLinks,
};
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaBlockImport, GrandpaPruningFilter, LinkHalf, SharedVoterState,
};
use sc_network::NetworkBackend;
use sc_service::{Configuration, Error, PartialComponents, TaskManager, WarpSyncConfig};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::{BabeCreateInherentDataProviders, InherentDataProvider};
use sp_consensus_babe::SlotDuration;
use sp_consensus_beefy::ecdsa_crypto::AuthorityId as BeefyId;
use sp_timestamp::InherentDataProvider as Timestamp;
use std::sync::Arc;

/// Runs the wasm runtime.
pub type Executor = sc_executor::WasmExecutor<sp_io::SubstrateHostFunctions>;
/// The chain.
pub type Client = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// Where the chain is stored.
pub type Backend = sc_service::TFullBackend<Block>;
/// The fork choice: the longest chain that GRANDPA allows.
pub type SelectChain = sc_consensus::LongestChain<Backend, Block>;
/// Transactions that wait for a block.
pub type TransactionPool = sc_transaction_pool::TransactionPoolHandle<Block, Client>;
/// Checks blocks before they enter the chain: finality innermost, block production outermost.
pub type BlockImport = BabeBlockImport<
    Block,
    Client,
    BeefyBlockImport<Block, Backend, Client, GrandpaImport, BeefyId>,
    BabeCreateInherentDataProviders<Block>,
    SelectChain,
>;
type GrandpaImport = GrandpaBlockImport<Backend, Block, Client, SelectChain>;

/// The node's parts that exist before its network does.
pub type Parts = PartialComponents<
    Client,
    Backend,
    SelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    TransactionPool,
    Links,
>;

/// What ties block import to the voters and to RPC.
pub struct Links {
    /// Checks blocks before they enter the chain.
    pub block_import: BlockImport,
    /// Block import to block production.
    pub babe: BabeLink<Block>,
    /// Questions about epochs.
    pub babe_worker: BabeWorkerHandle<Block>,
    /// Block import to the GRANDPA voter.
    pub grandpa: LinkHalf<Block, Client, SelectChain>,
    /// Block import to the BEEFY voter.
    pub beefy: BeefyVoterLinks<Block, BeefyId>,
    /// The BEEFY voter to RPC.
    pub beefy_rpc: BeefyRPCLinks<Block, BeefyId>,
    /// Reports to telemetry servers, if there are any.
    pub telemetry: Option<Telemetry>,
}

/// Slot and time of a block that is made now.
pub fn inherents_now(slot_duration: SlotDuration) -> (InherentDataProvider, Timestamp) {
    let timestamp = Timestamp::from_system_time();
    let slot = InherentDataProvider::from_timestamp_and_slot_duration(*timestamp, slot_duration);
    (slot, timestamp)
}

/// Opens the database and sets up import.
///
/// Offchain indexing is switched on whatever `config` says: without it the node could not serve MMR proofs, and blocks
/// that it imported before would stay without.
pub fn new_partial(config: &mut Configuration) -> Result<Parts, Error> {
    config.offchain_worker.indexing_enabled = true;

    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;

    let (client, backend, keystore_container, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, Executor>(
            config,
            telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
            sc_service::new_wasm_executor(&config.executor),
            // Warp sync needs the justified blocks even where old ones are pruned.
            vec![Arc::new(GrandpaPruningFilter)],
        )?;
    let client = Arc::new(client);
    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager
            .spawn_handle()
            .spawn("telemetry", None, worker.run());
        telemetry
    });
    let telemetry_handle = || telemetry.as_ref().map(Telemetry::handle);

    let select_chain = sc_consensus::LongestChain::new(backend.clone());
    let transaction_pool = Arc::new(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );

    let (grandpa_import, grandpa) = sc_consensus_grandpa::block_import(
        client.clone(),
        consensus::JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry_handle(),
    )?;
    let justification_import = grandpa_import.clone();
    let (beefy_import, beefy, beefy_rpc) = sc_consensus_beefy::beefy_block_import_and_links(
        grandpa_import,
        backend.clone(),
        client.clone(),
        config.prometheus_registry().cloned(),
    );
    let babe_configuration = sc_consensus_babe::configuration(&*client)?;
    let slot_duration = babe_configuration.slot_duration();
    let (block_import, babe) = sc_consensus_babe::block_import(
        babe_configuration,
        beefy_import,
        client.clone(),
        Arc::new(move |_, _| async move { Ok(inherents_now(slot_duration)) })
            as BabeCreateInherentDataProviders<Block>,
        select_chain.clone(),
        OffchainTransactionPoolFactory::new(transaction_pool.clone()),
    )?;
    let (import_queue, babe_worker) =
        sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
            link: babe.clone(),
            block_import: block_import.clone(),
            justification_import: Some(Box::new(justification_import)),
            client: client.clone(),
            slot_duration,
            spawner: &task_manager.spawn_essential_handle(),
            registry: config.prometheus_registry(),
            telemetry: telemetry_handle(),
        })?;

    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: Links {
            block_import,
            babe,
            babe_worker,
            grandpa,
            beefy,
            beefy_rpc,
            telemetry,
        },
    })
}

/// Starts a node on the network backend `N`. It runs for as long as the task manager lives.
pub fn new_full<N: NetworkBackend<Block, Hash>>(
    mut config: Configuration,
) -> Result<TaskManager, Error> {
    let PartialComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: mut links,
    } = new_partial(&mut config)?;
    let prometheus = config.prometheus_registry().cloned();
    let genesis = client.chain_info().genesis_hash;

    let metrics = N::register_notification_metrics(prometheus.as_ref());
    let mut network_config = sc_network::config::FullNetworkConfiguration::<_, _, N>::new(
        &config.network,
        prometheus.clone(),
    );
    let peers = network_config.peer_store_handle();

    let grandpa_protocol =
        sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
    let (grandpa_config, grandpa_notifications) =
        sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
            grandpa_protocol.clone(),
            metrics.clone(),
            peers.clone(),
        );
    network_config.add_notification_protocol(grandpa_config);

    let fork_id = config.chain_spec.fork_id();
    let beefy_protocol = sc_consensus_beefy::gossip_protocol_name(genesis, fork_id);
    let (beefy_config, beefy_notifications) =
        sc_consensus_beefy::communication::beefy_peers_set_config::<_, N>(
            beefy_protocol.clone(),
            metrics.clone(),
            peers,
        );
    network_config.add_notification_protocol(beefy_config);
    let (beefy_justifications, beefy_requests) = BeefyJustifsRequestHandler::new::<_, N>(
        genesis,
        fork_id,
        client.clone(),
        prometheus.clone(),
    );
    network_config.add_request_response_protocol(beefy_requests);

    let warp_sync = sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        links.grandpa.shared_authority_set().clone(),
        Vec::new(),
    );
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _) =
        sc_service::build_network(sc_service::BuildNetworkParams {
            config: &config,
            net_config: network_config,
            client: client.clone(),
            transaction_pool: transaction_pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(Arc::new(warp_sync))),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    if config.offchain_worker.enabled {
        let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
            runtime_api_provider: client.clone(),
            keystore: Some(keystore_container.keystore()),
            offchain_db: backend.offchain_storage(),
            transaction_pool: Some(OffchainTransactionPoolFactory::new(
                transaction_pool.clone(),
            )),
            network_provider: Arc::new(network.clone()),
            is_validator: config.role.is_authority(),
            // No worker of this runtime talks to the outside.
            enable_http_requests: false,
            custom_extensions: |_| Vec::new(),
        })?;
        task_manager.spawn_handle().spawn(
            "offchain-workers-runner",
            "offchain-worker",
            workers
                .run(client.clone(), task_manager.spawn_handle())
                .boxed(),
        );
    }

    if let Some(registry) = &prometheus {
        task_manager.spawn_handle().spawn(
            "ciro-metrics",
            None,
            Metrics::register(registry)?.follow(client.clone()),
        );
    }

    let voter = consensus::Node {
        client: client.clone(),
        backend: backend.clone(),
        select_chain: select_chain.clone(),
        transaction_pool: transaction_pool.clone(),
        network: network.clone(),
        sync: sync_service.clone(),
        keystore: keystore_container.keystore(),
        prometheus,
        telemetry: links.telemetry.as_ref().map(Telemetry::handle),
        role: config.role,
        grandpa_state: SharedVoterState::empty(),
    };
    let rpc_builder = {
        let authority_set = links.grandpa.shared_authority_set().clone();
        let justifications = links.grandpa.justification_stream();
        let proofs =
            FinalityProofProvider::new_for_service(backend.clone(), Some(authority_set.clone()));
        let voter_state = voter.grandpa_state.clone();
        let (client, backend, pool, select_chain, keystore) = (
            client.clone(),
            backend.clone(),
            transaction_pool.clone(),
            select_chain,
            keystore_container.keystore(),
        );
        let chain_spec = config.chain_spec.cloned_box();
        let (babe, beefy) = (links.babe_worker.clone(), links.beefy_rpc.clone());
        Box::new(move |executor| {
            let dependencies = Dependencies {
                client: client.clone(),
                backend: backend.clone(),
                pool: pool.clone(),
                select_chain: select_chain.clone(),
                chain_spec: chain_spec.cloned_box(),
                keystore: keystore.clone(),
                babe: babe.clone(),
                grandpa: rpc::Grandpa {
                    authority_set: authority_set.clone(),
                    voter_state: voter_state.clone(),
                    justifications: justifications.clone(),
                    proofs: proofs.clone(),
                },
                beefy: beefy.clone(),
            };
            rpc::create(dependencies, executor).map_err(Into::into)
        })
    };
    let settings = consensus::Settings::new(&config);
    sc_service::spawn_tasks(sc_service::SpawnTasksParams {
        config,
        client,
        backend,
        task_manager: &mut task_manager,
        keystore: keystore_container.keystore(),
        transaction_pool,
        rpc_builder,
        network,
        system_rpc_tx,
        tx_handler_controller,
        sync_service,
        telemetry: links.telemetry.as_mut(),
        tracing_execute_block: None,
    })?;

    if voter.role.is_authority() {
        task_manager.spawn_handle().spawn(
            "equivocations",
            None,
            equivocation::watch(voter.client.clone(), voter.transaction_pool.clone()),
        );
        voter.spawn_authoring(&task_manager, &settings, links.block_import, links.babe)?;
        voter.spawn_authority_discovery(&task_manager, &settings);
    }
    voter.spawn_beefy(
        &task_manager,
        links.beefy,
        beefy_protocol,
        beefy_notifications,
        beefy_justifications,
    );
    if settings.grandpa {
        voter.spawn_grandpa(
            &task_manager,
            &settings,
            links.grandpa,
            grandpa_protocol,
            grandpa_notifications,
        )?;
    }
    Ok(task_manager)
}
