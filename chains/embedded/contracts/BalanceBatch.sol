// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Answers many read-only questions in one call, under the function signatures of Multicall3.
contract BalanceBatch {
    struct Question {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Answer {
        bool success;
        bytes returnData;
    }

    error Refused(uint256 position);

    function aggregate3(Question[] calldata questions) external payable returns (Answer[] memory answers) {
        answers = new Answer[](questions.length);
        for (uint256 i = 0; i < questions.length; ++i) {
            Question calldata question = questions[i];
            (bool success, bytes memory returned) = question.target.call(question.callData);
            if (!success && !question.allowFailure) revert Refused(i);
            answers[i] = Answer(success, returned);
        }
    }

    function getEthBalance(address account) external view returns (uint256) {
        return account.balance;
    }
}
