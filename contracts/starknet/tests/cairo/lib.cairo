//! Lets the tests call functions that the contracts only use inside.

#[starknet::contract]
mod Probe {
    use ciro::hashing::reverse;
    use ciro::merkle;

    #[storage]
    struct Storage {}

    #[external(v0)]
    fn binary_root(self: @ContractState, mut leaves: Span<u256>) -> u256 {
        let mut reversed = array![];
        while let Option::Some(leaf) = leaves.pop_front() {
            reversed.append(reverse(*leaf));
        };
        reverse(merkle::binary_root(reversed))
    }

    #[external(v0)]
    fn check_path(
        self: @ContractState, root: u256, leaf: u256, index: u32, count: u32, path: Span<u256>
    ) {
        merkle::check_path(reverse(root), reverse(leaf), index, count, path);
    }

    #[external(v0)]
    fn check_mountain(
        self: @ContractState, root: u256, leaf: u256, index: u32, count: u32, proof: Span<u256>
    ) {
        merkle::check_mountain(reverse(root), reverse(leaf), index, count, proof);
    }
}
