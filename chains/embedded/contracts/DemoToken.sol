// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A dollar-like test token: six decimals, the deployer mints, everybody transfers.
contract DemoToken {
    string public constant name = "Demo Dollar";
    string public constant symbol = "DUSD";
    uint8 public constant decimals = 6;

    address public immutable owner = msg.sender;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed holder, address indexed spender, uint256 value);

    error NotOwner();
    error Unequal();

    function mint(address to, uint256 value) external {
        if (msg.sender != owner) revert NotOwner();
        credit(to, value);
    }

    /// Mint to many holders in one transaction, so that a simulation of thousands of wallets starts quickly.
    function mintMany(address[] calldata to, uint256[] calldata values) external {
        if (msg.sender != owner) revert NotOwner();
        if (to.length != values.length) revert Unequal();
        for (uint256 i = 0; i < to.length; ++i) credit(to[i], values[i]);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        move(from, to, value);
        return true;
    }

    function credit(address to, uint256 value) private {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
