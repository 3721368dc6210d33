//! Every call has a weight.

use crate::chain;
use ciro_runtime::{Runtime, RuntimeCall};
use codec::Decode;
use frame_metadata::RuntimeMetadata;
use frame_support::dispatch::GetDispatchInfo;
use scale_info::TypeDef;

/// More bytes than any call needs whose lists are short.
const LONG: usize = 32_768;

/// Root itself says what these weigh.
const OF_ANY_WEIGHT: [&str; 2] = ["Utility.with_weight", "Sudo.sudo_unchecked_weight"];

/// The calls of the runtime, by pallet and name, with the indices that they are encoded with.
fn calls() -> Vec<(String, [u8; 2])> {
    let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else {
        panic!("the metadata has another version");
    };
    let calls = metadata.pallets.iter().flat_map(|pallet| {
        let calls = pallet.calls.as_ref().map(|calls| calls.ty.id);
        let calls = calls.and_then(|id| metadata.types.resolve(id));
        let variants = match calls.map(|calls| &calls.type_def) {
            Some(TypeDef::Variant(calls)) => &calls.variants[..],
            _ => &[],
        };
        variants.iter().map(|call| {
            let name = format!("{}.{}", pallet.name, call.name);
            (name, [pallet.index, call.index])
        })
    });
    calls.collect()
}

/// A call with some arguments: one byte, again and again, the first that can be read.
fn with_some_arguments(indices: [u8; 2]) -> Option<RuntimeCall> {
    (0..=u8::MAX).find_map(|byte| {
        let mut bytes = indices.to_vec();
        bytes.resize(LONG, byte);
        RuntimeCall::decode(&mut &bytes[..]).ok()
    })
}

#[test]
fn no_call_is_free_of_weight() {
    chain(None).execute_with(|| {
        let calls = calls();
        assert!(calls.len() > 100, "only {} calls", calls.len());
        let mut free = vec![];
        let weighed = calls
            .into_iter()
            .filter(|(name, _)| !OF_ANY_WEIGHT.contains(&&**name));
        for (name, indices) in weighed {
            match with_some_arguments(indices) {
                Some(call) if call.get_dispatch_info().call_weight.ref_time() > 0 => (),
                Some(_) => free.push(format!("{name} weighs nothing")),
                None => free.push(format!("{name} cannot be read")),
            }
        }
        assert_eq!(free, Vec::<String>::new());
    });
}
