//! Ciro with an EVM chain and Starknet, and three relayers between them, each an attester, which are killed all the time,
//! while validators hand over every minute and one has changed its keys: tokens go to both chains and back, from one to the
//! other, out of order and twice, and there are always as many; a result is proven on both, and another one is not; and
//! three validators sign a fork, for which they answer.

mod books;
mod forks;
mod results;
mod scene;

use anyhow::{ensure, Context, Result};
use books::Books;
use ciro_bridge::destination::Refused;
use ciro_bridge_calldata::Delivery;
use ciro_bridge_primitives::LaneId;
use ciro_client::CIRO;
use ciro_e2e::{becomes, eventually, step, who, Relayer};
use forks::who_signs_a_fork_for_a_contract_has_a_case;
use results::{
    a_job_is_proven_and_paid, a_result_is_proven_on_starknet_and_a_false_one_is_not,
    a_result_is_proven_on_the_evm_chain_and_a_false_one_is_not,
};
use scene::{chains_and_relayers_start, Place, Scene, RECIPIENT};
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering},
        Arc,
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Mutex, time::sleep};

/// Kills relayers and starts them again, one after the other at random times, until it is told to stop.
async fn kill_all_the_time(
    relayers: Arc<Mutex<Vec<Relayer>>>,
    stop: Arc<AtomicBool>,
    kills: Arc<AtomicU32>,
) {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut random = u64::from(seed.subsec_nanos()) | 1;
    println!("the kills' seed: {random}");
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    while !stop.load(Ordering::Relaxed) {
        sleep(Duration::from_millis(1_000 + next(9_000))).await;
        let mut relayers = relayers.lock().await;
        let index = next(relayers.len() as u64) as usize;
        let relayer = &mut relayers[index];
        relayer.check().unwrap();
        relayer.kill();
        // It need not remember anything.
        if next(3) == 0 {
            relayer.forget().unwrap();
        }
        relayer.restart().unwrap();
        kills.fetch_add(1, Ordering::Relaxed);
    }
}

async fn tokens_go_to_starknet_and_back(scene: &Scene) -> Result<()> {
    let place = &scene.starknet;
    let (user, recipient) = (scene.user_of(place)?, who(RECIPIENT)?);
    let nonce = scene.transfer(place, &user, "100").await?;
    becomes("the user on Starknet has it", 100 * CIRO, || {
        scene.balance(place)
    })
    .await?;
    let lane = place.lane.to_string();
    let status = scene
        .cli
        .run(["bridge", "status", &lane, &nonce.to_string()])
        .await?;
    ensure!(status["status"] == "provable", "the transfer is {status}");

    let had = scene.ciro_balance(&recipient).await?;
    scene
        .leave(place, &LaneId::CIRO, &recipient.0, 60, &[0; 32])
        .await?;
    becomes("the recipient on Ciro has it", had + 60 * CIRO, || {
        scene.ciro_balance(&recipient)
    })
    .await?;
    becomes("the rest is on Starknet", 40 * CIRO, || {
        scene.balance(place)
    })
    .await?;
    let back = ["bridge", "status", &lane, "0", "--incoming"];
    let status = scene.cli.run(back).await?;
    ensure!(status["status"] == "done", "the way back is {status}");
    Ok(())
}

async fn tokens_go_to_the_evm_chain_and_back(scene: &Scene) -> Result<()> {
    let place = &scene.evm;
    let (user, recipient) = (scene.user_of(place)?, who(RECIPIENT)?);
    for _ in 0..3 {
        scene.transfer(place, &user, "50").await?;
    }
    becomes("the user on the EVM chain has it", 150 * CIRO, || {
        scene.balance(place)
    })
    .await?;
    let had = scene.ciro_balance(&recipient).await?;
    for ciro in [10, 20] {
        scene
            .leave(place, &LaneId::CIRO, &recipient.0, ciro, &[0; 32])
            .await?;
    }
    becomes("the recipient on Ciro has it", had + 30 * CIRO, || {
        scene.ciro_balance(&recipient)
    })
    .await
}

async fn tokens_go_from_one_chain_to_the_other(scene: &Scene) -> Result<()> {
    let user = scene.user_of(&scene.starknet)?;
    let refund = who(RECIPIENT)?;
    scene
        .leave(&scene.evm, &scene.starknet.lane, &user, 20, &refund.0)
        .await?;
    becomes("the user on Starknet has it", 60 * CIRO, || {
        scene.balance(&scene.starknet)
    })
    .await?;
    becomes("the rest is on the EVM chain", 100 * CIRO, || {
        scene.balance(&scene.evm)
    })
    .await
}

/// Both clients come to a set in which a validator has other keys than when they were deployed, and go on with it.
async fn clients_follow_new_validators(scene: &Scene) -> Result<()> {
    let first = scene.client.beefy_validators(1).await?.1;
    let changed = eventually("the validators are others", async || {
        let head = scene.client.newest_justification().await?;
        let head = head.context("BEEFY has finalised nothing")?;
        let (set, validators) = scene.client.beefy_validators(head.block).await?;
        Ok((validators != first).then_some(set))
    })
    .await?;
    for (place, has) in [(&scene.evm, 100), (&scene.starknet, 60)] {
        eventually("the client follows", async || {
            Ok((place.chain.client().await?.set >= changed).then_some(()))
        })
        .await?;
        let user = scene.user_of(place)?;
        scene.transfer(place, &user, "5").await?;
        becomes("the user there has more", (has + 5) * CIRO, || {
            scene.balance(place)
        })
        .await?;
    }
    Ok(())
}

/// While no relayer runs, somebody brings a later message before the ones before it, each of them twice; the relayers
/// bring what is left when they run again.
async fn what_comes_late_out_of_order_and_twice_counts_once(scene: &Scene) -> Result<()> {
    let mut relayers = scene.relayers.lock().await;
    relayers.iter_mut().for_each(Relayer::kill);
    for (place, has) in [(&scene.evm, 105), (&scene.starknet, 65)] {
        let user = scene.user_of(place)?;
        let mut nonces = Vec::new();
        for ciro in ["1", "2", "4"] {
            nonces.push(scene.transfer(place, &user, ciro).await?);
        }
        update_client(scene, place).await?;
        for nonce in [nonces[2], nonces[0]] {
            let delivery = proven(scene, place, nonce).await?;
            let token = &place.contracts.token;
            place.chain.deliver(token, &delivery).await?;
            let again = place.chain.deliver(token, &delivery).await;
            let refused = again.err().context("a message was taken twice")?;
            let refused = refused.downcast::<Refused>()?.0;
            ensure!(refused == "NonceTaken", "it was refused as {refused}");
        }
        let balance = scene.balance(place).await?;
        ensure!(balance == (has + 5) * CIRO, "the user there has {balance}");
    }
    for relayer in relayers.iter_mut() {
        relayer.restart()?;
    }
    drop(relayers);
    for (place, expected) in [(&scene.evm, 112), (&scene.starknet, 72)] {
        becomes("what was late has arrived", expected * CIRO, || {
            scene.balance(place)
        })
        .await?;
    }
    Ok(())
}

/// Shows a client all hand-overs that it has missed, and the newest root that can prove everything sent so far.
async fn update_client(scene: &Scene, place: &Place) -> Result<()> {
    let client = &scene.client;
    let goal = client.finalised().await?.number() as u32 + 1;
    eventually("the client is up to date", async || {
        let there = place.chain.client().await?;
        if there.newest >= goal {
            return Ok(Some(()));
        }
        let head = client.newest_justification().await?;
        let head = head.context("BEEFY has finalised nothing")?;
        let next = there.set + 1;
        let proof = if head.set <= next {
            Some(head)
        } else {
            let first = client.first_block_of_set(next, head.block).await?;
            let first = first.context("a set has signed nothing")?;
            client.justification(first).await?
        };
        let proof = proof.context("no justification")?;
        if proof.block > there.newest {
            let update = client.update(&proof, next).await?;
            place.chain.submit(&update).await?;
        }
        Ok(None)
    })
    .await
}

/// A message of a place's lane, proven in the newest root that its client knows.
async fn proven(scene: &Scene, place: &Place, nonce: u64) -> Result<Delivery> {
    let (client, lane) = (&scene.client, place.lane);
    let state = client.finalised().await?;
    let blocks = client.blocks_of_messages(&state, lane, nonce).await?;
    let block = *blocks.first().context("no such message")?;
    let at = place.chain.client().await?.newest;
    let leaf = client.leaf_proof(block, at).await?;
    let messages = client.message_proofs(&leaf, lane, &[nonce]).await?;
    Ok(Delivery {
        block: at,
        leaf,
        messages,
    })
}

/// All that crosses the bridge.
async fn crossings(scene: &Scene) {
    let (stop, kills) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let killer = tokio::spawn(kill_all_the_time(
        scene.relayers.clone(),
        stop.clone(),
        kills.clone(),
    ));
    step!(tokens_go_to_starknet_and_back(scene));
    step!(tokens_go_to_the_evm_chain_and_back(scene));
    step!(tokens_go_from_one_chain_to_the_other(scene));
    step!(clients_follow_new_validators(scene));
    stop.store(true, Ordering::Relaxed);
    killer.await.unwrap();
    println!("{} kills", kills.load(Ordering::Relaxed));
    step!(what_comes_late_out_of_order_and_twice_counts_once(scene));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_crosses_the_bridge_arrives_once_and_nothing_is_made_or_lost() {
    let scene = &step!(chains_and_relayers_start());
    let mut books = Books::open(scene).await.unwrap();
    tokio::select! {
        kept = books.keep() => {
            kept.unwrap();
        }
        () = crossings(scene) => {}
    }
    books.balance().await.unwrap();
    let (blocks, busy) = (books.blocks, books.busy);
    println!("the books balance over {blocks} blocks, {busy} times with something on its way");
    assert!(busy > 0, "nothing was seen on its way");

    let job = step!(a_job_is_proven_and_paid(scene));
    step!(a_result_is_proven_on_the_evm_chain_and_a_false_one_is_not(
        scene, job
    ));
    step!(a_result_is_proven_on_starknet_and_a_false_one_is_not(
        scene, job
    ));
    step!(who_signs_a_fork_for_a_contract_has_a_case(scene));
}
