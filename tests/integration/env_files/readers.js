// Reads env texts with the real packages: a JSON list of texts on each line of stdin, what every reader found on each line of stdout.
const { createInterface } = require("node:readline");

const plain = { dotenv: require("dotenv"), dotenv16: require("dotenv16") };
const next = { "next-env": require("next-env"), "next-env-14": require("next-env-14") };
// Next.js reports a file that it gives up on (A=$A), and reads nothing from it.
const quiet = { info() {}, error() {} };

function read(contents) {
  const found = { "dotenv-fast": plain.dotenv.parse(contents, { fast: true }) };
  for (const [name, reader] of Object.entries(plain)) found[name] = reader.parse(contents);
  for (const [name, reader] of Object.entries(next)) {
    // They leave what they read in the environment, and prefer the environment to a file.
    for (const key of Object.keys(process.env)) delete process.env[key];
    reader.updateInitialEnv?.({});
    reader.resetEnv();
    reader.processEnv([{ path: ".env", contents, env: {} }], "/", quiet, true);
    const { __NEXT_PROCESSED_ENV, ...read } = process.env;
    found[name] = read;
  }
  return found;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(JSON.parse(line).map(read)) + "\n");
});
