// Rebuild the .hex files beside this script from the .sol files: in an empty folder outside the repository run
//   npm install --ignore-scripts solc@0.8.37 && NODE_PATH=node_modules node <this file>
// DemoToken.hex is creation code (it is deployed); BalanceBatch.hex is runtime code (it is placed at Multicall3's address).
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const contracts = [["DemoToken", "bytecode"], ["BalanceBatch", "deployedBytecode"]];

for (const [name, kind] of contracts) {
  const source = fs.readFileSync(path.join(__dirname, `${name}.sol`), "utf8");
  const answer = JSON.parse(solc.compile(JSON.stringify({
    language: "Solidity",
    sources: { [`${name}.sol`]: { content: source } },
    settings: {
      evmVersion: "paris",
      optimizer: { enabled: true, runs: 10000 },
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { "*": { "*": [`evm.${kind}.object`] } },
    },
  })));
  if (answer.errors) throw new Error(answer.errors.map((error) => error.formattedMessage).join("\n"));
  fs.writeFileSync(path.join(__dirname, `${name}.hex`), answer.contracts[`${name}.sol`][name].evm[kind].object + "\n");
}
