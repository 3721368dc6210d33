// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";
import {Halted} from "./Errors.sol";

/// @title A contract behind a proxy whose owner is a timelock
/// @notice The owner upgrades and resumes, after the timelock's delay, which is time to leave. The guardian can do one
/// thing, at once: halt.
abstract contract Governed is OwnableUpgradeable, UUPSUpgradeable {
    address public guardian;
    bool public halted;
    uint256[49] private __gap;

    event GuardianChanged(address guardian);
    event HaltedBy(address account);
    event Resumed();

    /// The caller is neither the guardian nor the owner.
    error NotGuardian();

    modifier whenNotHalted() {
        require(!halted, Halted());
        _;
    }

    constructor() {
        _disableInitializers();
    }

    // solhint-disable-next-line func-name-mixedcase
    function __Governed_init(address owner_, address guardian_) internal onlyInitializing {
        __Ownable_init(owner_);
        _setGuardian(guardian_);
    }

    /// @notice Stops everything that this contract decides until the owner resumes it.
    function halt() external {
        require(msg.sender == guardian || msg.sender == owner(), NotGuardian());
        halted = true;
        emit HaltedBy(msg.sender);
    }

    function resume() external onlyOwner {
        halted = false;
        emit Resumed();
    }

    /// @param guardian_ the account that may halt; zero for none
    function setGuardian(address guardian_) external onlyOwner {
        _setGuardian(guardian_);
    }

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianChanged(guardian_);
    }

    function _authorizeUpgrade(address) internal view override onlyOwner {}
}
