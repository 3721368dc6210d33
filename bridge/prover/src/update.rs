//! Updates of a client.

use crate::{address, AuthorityId, BeefySignature, Error, FinalityProof};
use ciro_bridge_primitives::{mmr, Address, Hash, LeafProof, Signature, Update, MAX_VALIDATORS};
use ciro_bridge_verifier::recover;
use k256::ecdsa;

/// The update that a justification makes: as few signatures as contracts ask for, each of them valid. `handover` belongs
/// to a commitment of the set that follows the client's current one, and is checked against the commitment.
pub fn update(
    proof: &FinalityProof,
    authorities: &[AuthorityId],
    handover: Option<LeafProof>,
) -> Result<Update, Error> {
    let commitment = proof.commitment()?;
    let length = match u32::try_from(authorities.len()) {
        Ok(length @ 1..=MAX_VALIDATORS) => length,
        _ => return Err(Error::SetLength(authorities.len())),
    };
    if proof.signatures.len() != authorities.len() {
        return Err(Error::OtherSet {
            signatures: proof.signatures.len(),
            authorities: authorities.len(),
        });
    }
    let addresses = addresses(authorities)?;
    let hash = commitment.hash();
    let valid: Vec<(u32, Signature)> = (0..)
        .zip(addresses.iter().zip(&proof.signatures))
        .filter_map(|(index, (address, signature))| {
            Some((index, valid(&hash, address, signature.as_ref()?)?))
        })
        .collect();
    let needed = length.saturating_sub(length.saturating_sub(1) / 3);
    let Some(chosen) = valid.get(..needed as usize) else {
        return Err(Error::TooFewSignatures {
            valid: valid.len() as u32,
            needed,
        });
    };
    if let Some(LeafProof { leaf, items }) = &handover {
        let (index, count) = (leaf.parent_number.into(), commitment.block.into());
        mmr::verify(&commitment.root, leaf.hash(), index, count, items)?;
    }
    Ok(Update {
        commitment,
        addresses,
        signers: chosen
            .iter()
            .fold(0, |bits, (index, _)| bits | 1u64.wrapping_shl(*index)),
        signatures: chosen.iter().map(|(_, signature)| *signature).collect(),
        handover,
    })
}

fn addresses(authorities: &[AuthorityId]) -> Result<Vec<Address>, Error> {
    let addresses = authorities.iter().enumerate();
    addresses
        .map(|(index, authority)| address(authority).ok_or(Error::Key(index)))
        .collect()
}

/// The signature as contracts take it, if it is that of `address`.
fn valid(hash: &Hash, address: &Address, signature: &BeefySignature) -> Option<Signature> {
    let signature = lowered(signature)?;
    (recover(hash, &signature) == Ok(*address)).then_some(signature)
}

/// The signature in the one form that contracts take: BEEFY takes either of the two values of `s`.
fn lowered(signature: &BeefySignature) -> Option<Signature> {
    let (scalars, [recovery]) = signature.split_first_chunk::<64>()? else {
        return None;
    };
    let parity = match recovery {
        0 => false,
        1 => true,
        _ => return None,
    };
    let given = ecdsa::Signature::from_slice(scalars).ok()?;
    let low = given.normalize_s();
    let signature = low.unwrap_or(given);
    Some(Signature {
        r: signature.r().to_bytes().into(),
        s: signature.s().to_bytes().into(),
        parity: parity != low.is_some(),
    })
}
