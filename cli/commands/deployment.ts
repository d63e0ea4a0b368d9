import type { CommandDeclaration } from "./declaration.ts"
import { FOLDER, FORMAT_OPTIONS, POLICY_FOLDER } from "./shared.ts"

// Commands with which a broker is set up and supplied.

const serve: CommandDeclaration = {
  name: "serve",
  summary: "run the broker on Node 24 or newer",
  about: `Runs the broker, until SIGTERM or SIGINT. It takes DAYPASS_KEK and its other settings from the environment, and writes its log to
standard output, one JSON object a line.`,
  options: {
    policies: {
      value: "DIR",
      words: "the folder with daypass.yaml and the policies; changes are loaded while it runs",
      preset: POLICY_FOLDER,
    },
    url: { value: "URL", words: "the broker's public URL: https, or http on a loopback host; by default $DAYPASS_URL" },
    data: { value: "DIR", words: "the folder for the ledger and the keys, for one broker at a time" },
    store: {
      value: "URL",
      words:
        "instead, a PostgreSQL database for several brokers, as postgres://USER@HOST/DATABASE, with the password in PGPASSWORD; by default $DAYPASS_STORE",
    },
    port: { value: "N", words: "the port to listen on", preset: "8787" },
    host: { value: "ADDRESS", words: "the address to listen on", preset: "127.0.0.1" },
  },
  forms: ["[--policies DIR] --url URL (--data DIR | --store URL) [--port N] [--host ADDRESS]"],
  exits: { 0: "ended by a signal", 1: "the broker cannot start here", 2: "the options or the settings are wrong" },
  examples: [
    "daypass serve --policies /etc/daypass/policies --data /var/lib/daypass --url https://daypass.example.com",
  ],
  page: "run-on-node.md",
  load: async () => (await import("../serve.ts")).run,
}

const push: CommandDeclaration = {
  name: "push",
  summary: "publish a policy folder in Workers KV, for brokers at the edge",
  about: `Checks and compiles a policy folder, prints what changes, and publishes the folder to Workers KV through wrangler, for brokers at
the edge. Writes only what changed. The old policies stay in force until everything is written. wrangler signs in as usual: in a
pipeline, with CLOUDFLARE_API_TOKEN.`,
  takes: [FOLDER],
  options: {
    binding: { value: "NAME", words: "the KV namespace, by its binding in wrangler.toml", preset: "POLICIES" },
    "namespace-id": { value: "ID", words: "the namespace, by its id; then no wrangler.toml is needed" },
    env: { value: "NAME", words: "wrangler's option: the environment" },
    config: { value: "FILE", words: "wrangler's option: another wrangler.toml" },
    local: { words: "the local namespace of wrangler dev" },
    "persist-to": { value: "DIR", words: "with --local: its folder" },
    sign: {
      value: "FILE",
      words: "signs with this Ed25519 private key (PEM); by default the key in DAYPASS_PUBLISHER_KEY, if it is set",
    },
    all: { words: "writes every key, to repair damage" },
    "dry-run": { words: "prints the changes, and writes nothing" },
    ...FORMAT_OPTIONS,
  },
  exits: {
    0: "published, or nothing to publish",
    1: "the folder has errors, another push published at the same time, or the policies in force cannot be read",
    2: "the arguments are wrong, the folder cannot be read, or wrangler reports an error",
  },
  examples: ["daypass push policies", "daypass push policies --sign publisher.pem"],
  page: "publish-policies.md",
  load: async () => (await import("../push/push.ts")).run,
}

const seal: CommandDeclaration = {
  name: "seal",
  summary: "seal a GitHub App's key, or another secret, for the broker's settings",
  about: `Encrypts a secret from standard input with the deployment's key, so that only this deployment can decrypt it. The secret is the
private key of the broker's GitHub App, for DAYPASS_GITHUB_APP_KEY; or, with --for, a secret that a connection names as env:NAME, or
the access token of DAYPASS_GITLAB_TOKEN. Prints only the sealed secret.

Reads DAYPASS_KEK, DAYPASS_URL and DAYPASS_DEPLOYMENT as the broker does.`,
  options: {
    for: {
      value: "NAME",
      words:
        "the name of the secret: a variable of the broker, or a secret of the Worker. The output opens under that name only",
    },
  },
  forms: ["[--for NAME] < secret"],
  excess: "pass the secret on standard input only: an argument is visible in the list of processes",
  exits: { 0: "sealed", 2: "the settings or the secret cannot be used" },
  examples: [
    "(set -a && . /etc/daypass/kek && DAYPASS_URL=https://daypass.example.com daypass seal < app.private-key.pem)",
  ],
  page: "run-on-node.md",
  load: async () => (await import("../seal.ts")).run,
}

const ledgerCopy: CommandDeclaration = {
  name: "ledger copy",
  summary: "copy a Node broker's ledger into a PostgreSQL database",
  about: `Copies the ledger of a stopped broker on Node into a new PostgreSQL database: audit trail, used tokens, leases, signing keys.
Verifies the audit chains on both sides, and prints their heads. The copy is one transaction: it is whole, or nothing is there.
Never start a broker on the data folder again afterwards: a token could be used once in each ledger. Needs Node 22.13 or newer.`,
  options: {
    from: { value: "DIR", words: "the broker's data folder. Required" },
    to: {
      value: "URL",
      words:
        "the database, as postgres://USER@HOST/DATABASE, with the password in PGPASSWORD; by default $DAYPASS_STORE",
    },
  },
  forms: ["--from DIR --to URL"],
  exits: {
    0: "copied",
    1: "the audit trail does not verify, and nothing was copied",
    2: "a broker is running, the database was used already, or it cannot be reached; nothing was copied",
  },
  page: "run-on-postgresql.md",
  load: async () => (await import("../ledger/copy.ts")).run,
}

export const DEPLOYMENT_COMMANDS: readonly CommandDeclaration[] = [serve, push, seal, ledgerCopy]
