import type { CommandDeclaration } from "./declaration.ts"
import { FOLDER, FORMAT_OPTIONS, POLICY_FOLDER } from "./shared.ts"

// Commands with which policies are written and tried.

const init: CommandDeclaration = {
  name: "init",
  summary: "set a broker up, step by step; or write one more policy, with the ids that GitHub tells",
  about: `Without OWNER/REPO: leads from an empty folder to a broker, a first policy and a workflow. Run it in a folder of your own. It
asks at the terminal for what no option answers; without a terminal, a missing answer is an error that names its option. It can
be stopped and run again: it sees what is done, and leaves it. It overwrites no file.

With OWNER/REPO: writes one more policy, and an organisation file if the folder has none. It writes only files that
"daypass check" accepts.

Policies identify repositories by id. The command gets the ids from GitHub, with the token in $GITHUB_TOKEN or $GH_TOKEN; if you
give the ids, it does not ask GitHub. For jobs of another CI, copy the organisation file and the policy from that CI's page of the
documentation, write your ids into them, and run "daypass check".`,
  takes: [{ name: "OWNER/REPO", words: "the repository, for one more policy", optional: true }],
  options: {
    runtime: { value: "NAME", words: "where the broker runs", choices: ["edge", "node"] },
    broker: { value: "URL", words: "the broker's public URL" },
    repository: { value: "OWNER/REPO", words: "guided: whose job gets the first credential" },
    environment: {
      value: "NAME",
      words: "the environment of the jobs that the policy is for; by default jobs without an environment",
    },
    vendor: {
      value: "NAME",
      words: "where the first credential comes from",
      choices: ["aws", "google", "azure", "vault", "github", "sops"],
    },
    with: { value: "NAME=VALUE", words: "what this vendor needs; a missing NAME is told", repeated: true },
    key: {
      value: "WHERE",
      words:
        "the deployment key: a file outside of repositories, which is made and, at the edge, given to the Worker; at the edge also cloudflare, without a copy",
    },
    worker: { value: "DIR", words: "at the edge, the unpacked Worker of a release; by default the one in this folder" },
    "worker-name": { value: "NAME", words: "at the edge, the Worker's name", preset: "daypass" },
    account: { value: "ID", words: "the Cloudflare account, if your login has several" },
    jurisdiction: {
      value: "NAME",
      words: "at the edge, where the ledger and the keys stay; it cannot be changed later",
      choices: ["none", "eu", "us", "fedramp", "fedramp-high"],
    },
    deploy: { words: "at the edge, publishes the policies and deploys the Worker" },
    app: {
      value: "PURPOSE",
      words:
        "makes a GitHub App in a browser, and keeps its key in the broker's store: to read repositories' policies and environments, or to mint tokens for jobs",
      choices: ["read", "mint"],
    },
    workflow: { value: "FILE", words: "writes the workflow to a file of this folder, and does not print it" },
    dir: { value: "DIR", words: "the policy folder", preset: POLICY_FOLDER },
    connection: {
      value: "NAME",
      words:
        "one more policy: the connection of its grant, one of the organisation file, or the name for the one in a new organisation file",
    },
    "repository-id": { value: "ID", words: "the repository's id, so that GitHub is not asked; with --owner-id" },
    "owner-id": { value: "ID", words: "the owner's id; with --repository-id" },
    branch: {
      value: "NAME",
      words: "with the ids: the branch whose jobs the first rule allows",
      preset: "main",
    },
    ...FORMAT_OPTIONS,
  },
  forms: ["[options]", "OWNER/REPO [options]"],
  exits: {
    0: "done",
    1: "a file is in the way, a step was refused, the new policy does not fit the others, or the broker has something to fix",
    2: "the arguments are wrong, or with OWNER/REPO the ids are not known",
    130: "you stopped it",
  },
  examples: [
    "GH_TOKEN=$(gh auth token) daypass init",
    "GH_TOKEN=$(gh auth token) daypass init acme/shop --environment production",
  ],
  page: "get-started.md",
  load: async () => (await import("../init/init.ts")).run,
}

const check: CommandDeclaration = {
  name: "check",
  summary: "check a policy folder or file: every fault, with file, line and column",
  about: `Checks every file of a policy folder as the broker does when it loads the folder. Reports everything at once: errors,
which keep the broker from loading the folder; text that looks like a secret; and warnings about probable mistakes.

For a single file, it loads the policy folder that the file is in, and reports what concerns the file. Without such a folder it checks
what the file says by itself, and says what it did not check.`,
  takes: [{ ...FOLDER, name: "DIR|FILE", words: "the policy folder, or one file of it" }],
  options: { strict: { words: "warnings fail the check, too" }, ...FORMAT_OPTIONS },
  exits: { 0: "no errors", 1: "errors, or warnings with --strict", 2: "the folder cannot be read" },
  examples: ["daypass check", "daypass check policies --strict --format github"],
  page: "warnings/README.md",
  load: async () => (await import("../check/check.ts")).run,
}

const test: CommandDeclaration = {
  name: "test",
  summary: "run the policy tests of a folder: what fails, and what no test exercises",
  about: `Runs the policy tests of a folder, its *.test.yaml files, as the broker would decide. Then lists the rules and grants that
no test exercises.`,
  takes: [FOLDER],
  options: {
    filter: { value: "TEXT", words: "runs the tests whose file or name contains TEXT, without coverage" },
    "min-coverage": { value: "N", words: "fails if fewer than N percent of the rules are exercised" },
    ...FORMAT_OPTIONS,
  },
  exits: {
    0: "all tests passed",
    1: "a test failed, the coverage is too low, there is no test, or a file has errors",
    2: "the folder cannot be read",
  },
  examples: ["daypass test policies --min-coverage 100"],
  page: "policy-tests.md",
  load: async () => (await import("../test.ts")).run,
}

const explain: CommandDeclaration = {
  name: "explain",
  summary: "decide what a job would get, and why: offline, or by asking a broker",
  about: `Decides with the broker's own code what a job with these claims would get, and says which rule decided. It does not check
what makes a token valid for one call: signature, audience, time and jti.

With --broker, the broker decides: it verifies the token, mints nothing, and the token can still be used. --token - alone shows
the claims of the token.`,
  options: {
    claims: { value: "FILE", words: "the claims of a subject token, as a JSON object in a file" },
    token: { value: "-", words: "a subject token, from standard input; its claims are shown, and are not verified" },
    policies: { value: "DIR", words: "the policy folder that decides, offline", preset: POLICY_FOLDER },
    broker: { value: "URL", words: "the broker that decides; needs --token -" },
    grants: { value: "NAMES", words: "the grants, separated by commas; a job gets all of them or none" },
    ttl: { value: "TIME", words: "a shorter lifetime than the policy's, such as 15m" },
    ...FORMAT_OPTIONS,
  },
  forms: ["(--claims FILE | --token -) --grants NAMES [options]", "--token -"],
  exits: { 0: "allow", 1: "deny", 2: "the policies, the claims or the token cannot be used" },
  examples: ["daypass explain --claims claims.json --grants aws-deploy"],
  page: "write-a-policy.md",
  load: async () => (await import("../explain/explain.ts")).run,
}

const schema: CommandDeclaration = {
  name: "schema",
  summary: "print the JSON Schemas of policies, organisation files and tests",
  about: `Prints the JSON Schema of a kind of file, for editors. Without a kind, prints an object with all schemas by kind. The
schemas are generated from the loader's own, for the providers of this version. The output is JSON in every format.`,
  takes: [{ name: "KIND", words: "the kind of file", choices: ["policy", "organisation", "test"], optional: true }],
  options: { ...FORMAT_OPTIONS },
  exits: { 0: "printed", 2: "the kind is unknown" },
  examples: ["daypass schema policy > .vscode/daypass-policy.schema.json"],
  page: "policy.md",
  load: async () => (await import("../schema.ts")).run,
}

export const POLICY_COMMANDS: readonly CommandDeclaration[] = [init, check, test, explain, schema]
