// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ERC20PermitUpgradeable
} from "@openzeppelin/contracts-upgradeable/token/ERC20/extensions/ERC20PermitUpgradeable.sol";
import "./Errors.sol";
import {BeefyClient} from "./BeefyClient.sol";
import {Inbox} from "./Inbox.sol";
import {Leaf} from "./lib/Leaf.sol";
import {Messages, Words} from "./lib/Message.sol";

/// @title CIRO on an EVM chain
/// @notice Every unit was burned or locked on Ciro before it was minted here, and is burned here before it is anywhere else.
/// Nothing mints but a message of Ciro; amounts are plancks, of which 10^18 are one CIRO, on both sides.
contract CiroToken is Inbox, ERC20PermitUpgradeable {
    /// Seconds in which as much as `mintLimit` can be minted over and over.
    uint256 public constant WINDOW = 1 days;

    /// How much can be minted at once; what was minted comes free again evenly over a window.
    uint128 public mintLimit;
    uint128 private _used;
    uint64 private _usedAt;
    /// Number of messages sent to Ciro, and so the nonce of the next one.
    uint64 public sent;

    /// A message to Ciro: all its words from the lane on.
    event Sent(uint64 indexed nonce, bytes32[] words);
    event MintLimitChanged(uint128 limit);

    /// Nobody would get the amount.
    error BadRecipient();
    /// The amount is zero or not below 2^128.
    error BadAmount();
    /// An amount that goes to another chain than Ciro needs an account on Ciro to go back to.
    error NoRefund();
    /// So much cannot be minted now. The message can be delivered later; after its expiry the amount goes back on Ciro.
    error MintLimitReached();

    constructor(BeefyClient client_) Inbox(client_) {}

    function initialize(address owner_, address guardian_, uint128 limit) external initializer {
        __Governed_init(owner_, guardian_);
        __ERC20_init("Ciro", "CIRO");
        __ERC20Permit_init("Ciro");
        _setMintLimit(limit);
    }

    /// @notice Burns the caller's `amount` and sends it to another chain or to Ciro itself.
    /// @param destination lane of the token there, zero for Ciro
    /// @param recipient address or account there
    /// @param refund account on Ciro that gets the amount if it cannot be delivered; zero only if it goes to Ciro anyway
    /// @return nonce of the message
    function bridge(bytes32 destination, bytes32 recipient, uint256 amount, bytes32 refund)
        external
        whenNotHalted
        returns (uint64 nonce)
    {
        require(recipient != 0, BadRecipient());
        require(amount > 0 && amount <= type(uint128).max, BadAmount());
        require(destination == 0 || refund != 0, NoRefund());
        _burn(msg.sender, amount);

        bytes32[] memory words = new bytes32[](Messages.BURN_WORDS);
        words[3] = destination;
        words[4] = recipient;
        words[5] = bytes32(amount);
        words[6] = refund;
        return _send(Messages.BURN, words);
    }

    function setMintLimit(uint128 limit) external onlyOwner {
        _setMintLimit(limit);
    }

    /// @notice How much can be minted now.
    function mintable() external view returns (uint256) {
        uint256 used = _usedNow();
        return used < mintLimit ? mintLimit - used : 0;
    }

    function _wordsOf(uint256 kind) internal pure override returns (uint256) {
        require(kind == Messages.MINT, UnknownKind());
        return Messages.MINT_WORDS;
    }

    function _carryOut(Leaf memory, uint256, bytes32[] calldata words) internal override {
        uint128 amount = Words.toUint128(words[4]);
        if (block.timestamp <= Words.toUint64(words[5])) {
            address recipient = Words.toAddress(words[3]);
            require(recipient != address(0), BadRecipient());
            _use(amount);
            _mint(recipient, amount);
        } else {
            bytes32[] memory back = new bytes32[](Messages.RETURN_WORDS);
            back[3] = words[Messages.NONCE];
            back[4] = words[4];
            back[5] = words[6];
            _send(Messages.RETURN, back);
        }
    }

    /// Sends a message whose words from the fourth on are written.
    function _send(uint256 kind, bytes32[] memory words) private returns (uint64 nonce) {
        nonce = sent++;
        words[Messages.LANE] = lane();
        words[Messages.NONCE] = bytes32(uint256(nonce));
        words[Messages.KIND] = bytes32(kind);
        emit Sent(nonce, words);
    }

    function _use(uint256 amount) private {
        uint256 used = _usedNow() + amount;
        require(used <= mintLimit, MintLimitReached());
        (_used, _usedAt) = (uint128(used), uint64(block.timestamp));
    }

    /// What is left of the amounts minted in the last window.
    function _usedNow() private view returns (uint256) {
        uint256 freed = uint256(mintLimit) * (block.timestamp - _usedAt) / WINDOW;
        return _used > freed ? _used - freed : 0;
    }

    function _setMintLimit(uint128 limit) private {
        mintLimit = limit;
        emit MintLimitChanged(limit);
    }
}
