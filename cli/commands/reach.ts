import type { CommandDeclaration } from "./declaration.ts"
import { FOLDER, FORMAT_OPTIONS, POLICY_FOLDER, RECORD_WORDS, SIGN_IN_OPTIONS, WINDOW_OPTIONS } from "./shared.ts"

// Commands that say what policies give to all possible jobs.

const whoCan: CommandDeclaration = {
  name: "who-can",
  summary: "list every job that can get a grant, a role, a connection",
  about: `Lists the jobs that can get a grant by the policies and boundaries of a folder: repositories, projects and other units of
every issuer, environments, and the conditions. Without an option it lists every job that can get anything.

VALUE and the NAME of --unit can be patterns, such as acme/*. A misspelled name is refused with 2, so that it does not look like
"no job".`,
  takes: [FOLDER],
  options: {
    connection: { value: "NAME", words: "grants of this connection" },
    grant: { value: "NAME", words: "grants of this name" },
    "grant-field": {
      value: "KEY=VALUE",
      words:
        "grants with this value in a field, such as role=arn:aws:iam::111122223333:role/*; all that are given must match",
      repeated: true,
    },
    unit: {
      value: "NAME",
      words: "only what this repository, project or other unit can get; where tokens have no name, its id",
    },
    repository: { value: "OWNER/REPO", words: "another name of --unit" },
    environment: { value: "NAME", words: "only what jobs of this environment can get" },
    all: { words: "also lists allow rules that give nothing to any job" },
    ...FORMAT_OPTIONS,
  },
  exits: {
    0: "a job can get it",
    1: "no job can, or the folder has errors",
    2: "the arguments are wrong, or the folder cannot be read",
  },
  examples: ["daypass who-can --connection aws-prod", "daypass who-can --unit acme/shop --environment production"],
  page: "who-can.md",
  load: async () => (await import("../who-can/who-can.ts")).run,
}

const trust: CommandDeclaration = {
  name: "trust",
  summary: "print what clouds and stores must trust, and whom they let in beyond that",
  about: `Prints what the other side of each connection must trust for the grants of a policy folder: the broker as issuer, the
audience, and the subject of each grant, in the form that the vendor takes. --format terraform prints the inputs of the modules in
examples/terraform, and --format commands prints commands of aws, gcloud, az and vault.

With --against, compares them with what the other side trusts now: a role's trust policy of AWS, a role of Vault, a federated
credential of Azure, a provider or an IAM policy of Google Cloud, as JSON. It calls no vendor: you get the document with the
vendor's own tool.`,
  takes: [FOLDER],
  options: {
    connection: { value: "NAME", words: "only what grants of this connection need" },
    grant: { value: "NAME", words: "only what grants of this name need" },
    broker: { value: "URL", words: "the broker's URL, which is the issuer of its tokens; by default $DAYPASS_URL" },
    against: {
      value: "FILE",
      words:
        "compares with this document of the other side; - is standard input. Google Cloud: twice for a pool's provider and an IAM policy, which decide together",
      repeated: true,
    },
    "trusted-by": {
      value: "NAME",
      words: "with --against: the role, client or account whose document it is, if it does not say so itself",
    },
    format: {
      value: "NAME",
      words: "how the result is printed",
      choices: ["text", "json", "github", "terraform", "commands"],
      preset: "text",
    },
    json: FORMAT_OPTIONS.json,
  },
  forms: ["[DIR] [options]", "[DIR] --connection NAME --against FILE [options]"],
  exits: {
    0: "printed, or the other side lets in nothing beyond the policies",
    1: "the folder has errors",
    2: "the arguments are wrong, or a file cannot be read",
    3: "the other side lets in more, or that cannot be ruled out",
  },
  examples: ["daypass trust --connection aws-prod --broker https://daypass.example.com"],
  page: "trust.md",
  load: async () => (await import("../trust/trust.ts")).run,
}

const diff: CommandDeclaration = {
  name: "diff",
  summary: "say which jobs get more, and which less, by one folder than by the other",
  about: `Compares what jobs get with the policy folders OLD and NEW, and prints which jobs get more and which get less. It covers all
possible jobs, not samples, and decides as the broker does. A change of the text alone is not reported.

With --record it also decides all recorded exchanges by both folders, and prints which would be refused or newly allowed, and by
which line. ${RECORD_WORDS}`,
  takes: [
    { name: "OLD", words: "the policy folder of before" },
    { ...FOLDER, name: "NEW", words: "the policy folder of after" },
  ],
  options: {
    record: { value: "FILE|URL", words: "the record whose exchanges are decided by both folders" },
    ...WINDOW_OPTIONS,
    ...FORMAT_OPTIONS,
    ...SIGN_IN_OPTIONS,
  },
  exits: {
    0: "no job gets more",
    1: "a folder has errors",
    2: "the arguments are wrong, or a folder cannot be read",
    3: "a job gets more, or that cannot be ruled out",
  },
  examples: ["git worktree add --detach ../before main", "daypass diff ../before/policies policies"],
  page: "diff.md",
  load: async () => (await import("../diff/diff.ts")).run,
}

const tighten: CommandDeclaration = {
  name: "tighten",
  summary: "find what no recorded run used, and the tightest rules that would still have passed",
  about: `Finds rules, grants and connections of a policy folder that no recorded run used, and the tightest rules that would still
have passed what was used. It changes no policy itself.

${RECORD_WORDS}`,
  takes: [FOLDER],
  options: {
    record: { value: "FILE|URL", words: "the record of what was used. Required" },
    ...WINDOW_OPTIONS,
    patch: { value: "FILE", words: "writes the changes to a new file, for git apply" },
    ...FORMAT_OPTIONS,
    ...SIGN_IN_OPTIONS,
  },
  forms: ["[DIR] --record FILE|URL [options]"],
  exits: {
    0: "done",
    1: "the folder has errors",
    2: "the arguments are wrong, or something cannot be read or written",
  },
  examples: [`daypass tighten ${POLICY_FOLDER} --record record.jsonl --patch tighter.patch`],
  page: "answers.md",
  load: async () => (await import("../tighten/tighten.ts")).run,
}

export const REACH_COMMANDS: readonly CommandDeclaration[] = [whoCan, trust, diff, tighten]
