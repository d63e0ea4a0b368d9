// Long because one page of the reference has the five commands about the record.
import type { CommandDeclaration } from "./declaration.ts"
import {
  AS_OPERATOR_WORDS,
  JSON_OPTION,
  OPERATOR_OPTIONS,
  RECORD_WORDS,
  SIGN_IN_OPTIONS,
  WINDOW_OPTIONS,
} from "./shared.ts"

const RECORD = {
  name: "FILE",
  words: "the record: a file, an exported folder, or - for standard input",
  optional: true,
} as const

const BROKER = { broker: { value: "URL", words: "the broker whose record is meant; by default $DAYPASS_BROKER" } }

const verify: CommandDeclaration = {
  name: "audit verify",
  summary: "verify an exported audit trail",
  about: `Verifies an audit trail that "daypass audit export" wrote, or the folder of an export that a broker pushes. Finds every edited,
deleted, reordered, repeated or cut-off record. Prints the head of each ledger: the number and the hash of its last record.

The file alone cannot show that the whole trail was rewritten, with all hashes. The options can.`,
  takes: [{ name: "FILE", words: "the exported file, or the folder of an export" }],
  options: {
    checkpoint: {
      value: "FILE",
      words: "proofs that the broker gave for its signed checkpoint: up to there, nothing was changed since",
    },
    policy: {
      value: "FILE",
      words: "whose signatures you accept for it: the broker's log, and how many of which witnesses (C2SP tlog-policy)",
    },
    earlier: {
      value: "FILE",
      words: "an older export: each of its ledgers must be the beginning of the same ledger here",
    },
    head: { value: "HASH", words: "a head that this command printed earlier: it must still be part of its chain" },
  },
  exits: {
    0: "the trail verifies",
    1: "it does not, and the first wrong record is named",
    2: "a file cannot be read",
  },
  examples: ["daypass audit verify record.jsonl --earlier last-month.jsonl"],
  page: "audit.md",
  load: async () => (await import("../audit/verify.ts")).run,
}

const search: CommandDeclaration = {
  name: "audit search",
  summary: "find records: by unit, person, grant, run, time, or by a leaked value",
  about: `Finds records, the newest first. All that is given must be in the record, as a whole text.

${RECORD_WORDS}`,
  takes: [RECORD],
  options: {
    ...BROKER,
    unit: { value: "NAME", words: "records of this repository, project or other unit" },
    "unit-id": { value: "ID", words: "the same by its id" },
    owner: { value: "NAME", words: "records of this owner's units" },
    actor: { value: "NAME", words: "records of runs that this person started" },
    "actor-id": { value: "ID", words: "the same by the person's id" },
    "grant-name": { value: "NAME", words: "records about this grant" },
    connection: { value: "NAME", words: "records about this connection" },
    resource: { value: "TEXT", words: "records about this role, path or other resource" },
    code: { value: "CODE", words: "the code that a reason begins with" },
    event: { value: "EVENT", words: "records of this kind" },
    lease: { value: "ID", words: "records of this lease" },
    run: { value: "ID", words: "records of this run of a CI" },
    "request-id": { value: "ID", words: "records of this request" },
    ...WINDOW_OPTIONS,
    limit: { value: "NUMBER", words: "how many records at most", preset: "100" },
    value: {
      value: "-",
      words:
        "reads a value from standard input, such as a leaked token, and finds the lease that gave it: only its hash is sent",
    },
    reach: { words: "with --actor-id: what that person's runs got" },
    policies: { value: "DIR", words: "with --reach: what the same units can get today, by this folder" },
    revoke: {
      words: "at a broker, with --value or --actor-id: ends the leases that were found; needs the right leases.revoke",
    },
    reason: { value: "TEXT", words: "with --revoke: recorded" },
    ...JSON_OPTION,
    ...SIGN_IN_OPTIONS,
  },
  forms: ["FILE [options]", "--broker URL [options]"],
  exits: {
    0: "something was found, and all that can be revoked is",
    1: "nothing was found, or something is not revoked yet",
    2: "the arguments are wrong, or something cannot be read",
  },
  examples: ["daypass audit search record.jsonl --unit acme/shop --since 7d"],
  page: "answers.md",
  load: async () => (await import("../audit/search/search.ts")).run,
}

const report: CommandDeclaration = {
  name: "audit report",
  summary: "write evidence for an auditor, as Markdown or JSON",
  about: `Writes evidence for an auditor: who got what, what was refused, uses of break-glass grants, operators' acts, changes of policy,
versions of secrets, tokens that were sent twice, and leases without an end. The record is verified first, and the report names the
heads of its chains. The same record and times give the same report.

${RECORD_WORDS}`,
  takes: [{ ...RECORD, words: `${RECORD.words}; with --check, the report` }],
  options: {
    ...BROKER,
    ...WINDOW_OPTIONS,
    policies: { value: "DIR", words: "adds the grants of this folder that were not used" },
    sign: { value: "NOTE", words: "has the broker sign what is printed, and writes the signed note to this new file" },
    check: { value: "NOTE", words: "verifies such a note" },
    policy: { value: "FILE", words: "with --check: whose log you accept, as for audit verify" },
    json: { words: "prints JSON in place of Markdown" },
    ...SIGN_IN_OPTIONS,
  },
  forms: ["FILE [options]", "--broker URL [options]", "REPORT --check NOTE --policy FILE"],
  exits: {
    0: "written, or the note verifies",
    1: "the record or the note does not verify, or the folder has errors: nothing is written",
    2: "something cannot be read",
  },
  examples: ["daypass audit report record.jsonl --since 2026-07-01 --until 2026-10-01 > evidence.md"],
  page: "answers.md",
  load: async () => (await import("../audit/report/report.ts")).run,
}

const checkpoint: CommandDeclaration = {
  name: "audit checkpoint",
  summary: "get the signed checkpoint of the audit trail, verify it, keep it",
  about: `Gets the broker's newest signed checkpoint of its audit trail (C2SP tlog-checkpoint), verifies its signatures and prints it.
Needs the right audit.read.

${AS_OPERATOR_WORDS}`,
  options: {
    policy: {
      value: "FILE",
      words: "whose signatures you accept: the broker's log, and how many of which witnesses (C2SP tlog-policy)",
    },
    keep: {
      value: "FILE",
      words:
        "the checkpoint of last time: the new one must continue it, and takes its place. Who runs this regularly is a witness. A missing file is created",
    },
    record: {
      value: "ISSUER:UNIT_ID:SEQ",
      words: "prints the proof of one record (C2SP tlog-proof). ISSUER as in the organisation file",
    },
    "show-policy": {
      words: "prints the broker's own idea of --policy: read it, and keep it where the broker cannot change it",
    },
    ...OPERATOR_OPTIONS,
  },
  forms: ["--policy FILE [--keep FILE] [options]", "--record ISSUER:UNIT_ID:SEQ [options]", "--show-policy [options]"],
  exits: {
    0: "verified",
    1: "refused, or the checkpoint is not signed as the policy wants, or does not continue the kept one",
    2: "the arguments are wrong, or a file cannot be read or written",
  },
  page: "checkpoints.md",
  load: async () => (await import("../audit/checkpoint.ts")).run,
}

const exported: CommandDeclaration = {
  name: "audit export",
  summary: "export the audit trail of a broker, or of its storage, as JSON lines",
  about: `Writes the audit trail of all units as JSON lines. Verify the file with "daypass audit verify". It works while brokers run.

With --broker: of any broker, at the edge too, as an operator with the right audit.read. Without: from the storage of brokers on
Node. --data needs Node 22.13 or newer, for node:sqlite.`,
  options: {
    ...OPERATOR_OPTIONS,
    since: {
      value: "TIME",
      words: "with --broker: leaves out older records; each ledger begins with the first one from then on",
    },
    unit: { value: "NAME", words: "with --broker: of one unit alone, such as acme/shop" },
    checkpoint: {
      value: "FILE",
      words: "with --broker: also writes the proofs of the newest signed checkpoint, for audit verify --checkpoint",
    },
    data: { value: "DIR", words: "in place of a broker: its data folder" },
    store: {
      value: "URL",
      words:
        "in place of a broker: the database of several brokers, as postgres://USER@HOST/DATABASE, with the password in PGPASSWORD; a whole URL can be in DAYPASS_STORE",
    },
    out: { value: "FILE", words: "writes a file when the export is whole, in place of standard output" },
    format: {
      value: "NAME",
      words: "jsonl is the only one that can be verified; the others, with one record in a line, are for other systems",
      choices: ["jsonl", "ocsf", "cef", "otlp"],
      preset: "jsonl",
    },
  },
  forms: ["--broker URL [options]", "(--data DIR | --store URL) [options]"],
  exits: {
    0: "written",
    1: "the broker refused",
    2: "the folder or the database cannot be read, or the arguments are wrong",
  },
  examples: ["daypass audit export --broker https://daypass.example.com --since 90d --out record.jsonl"],
  page: "audit.md",
  load: async () => (await import("../audit/export.ts")).run,
}

export const RECORD_COMMANDS: readonly CommandDeclaration[] = [verify, search, report, checkpoint, exported]
