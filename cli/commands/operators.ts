import { STOP_IN_FORCE_SECONDS, STOP_KINDS } from "../../broker/wire/stops.ts"
import type { ArgumentDeclaration, CommandDeclaration, OptionTable } from "./declaration.ts"
import { AS_OPERATOR_WORDS, JSON_OPTION, OPERATOR_OPTIONS, SIGN_IN_OPTIONS } from "./shared.ts"

// Commands for those who operate a broker.

const doctor: CommandDeclaration = {
  name: "doctor",
  summary: "say whether a broker is reachable, right, and trusted: each line ok, or what to do",
  about: `Looks at a broker as jobs and clouds do: address, certificate, clock, issuer, keys, health, policies and sign-in. Each line is
ok, a note, or says what to fix. Nothing is minted.`,
  takes: [{ name: "URL", words: "the broker" }],
  options: {
    policies: {
      value: "DIR",
      words: "also compares the policies in force with a folder's, and lists what other sides must trust",
    },
    ...SIGN_IN_OPTIONS,
    grant: {
      value: "NAME",
      words:
        "also has the broker ask the other side of each connection whether it trusts the broker; a grant of the provider broker with the right policies.read",
    },
    ...JSON_OPTION,
  },
  exits: { 0: "nothing to fix", 1: "something to fix", 2: "the arguments are wrong, or the folder cannot be loaded" },
  examples: ["daypass doctor https://daypass.example.com --policies policies"],
  page: "doctor.md",
  load: async () => (await import("../doctor/doctor.ts")).run,
}

const NAME: ArgumentDeclaration = {
  name: "NAME",
  words:
    "issuer NAME, owner ISSUER:NAME, unit ISSUER:NAME, connection NAME or grant NAME; an owner and a unit also by id",
  optional: true,
}

const SCOPE_OPTIONS = {
  unit: { value: "ISSUER:NAME", words: "with grant: the grant of this unit only" },
} as const satisfies OptionTable

const stop: CommandDeclaration = {
  name: "stop",
  summary: "give nothing to a unit, an owner, a connection or all, within 5 seconds",
  about: `Orders the broker to give nothing to a scope, in force everywhere within ${STOP_IN_FORCE_SECONDS} seconds. Jobs are refused with
the code stopped and read the reason. A grant with the right stop is never stopped. "daypass stop list" shows the stops in force.

${AS_OPERATOR_WORDS}`,
  takes: [{ name: "WHAT", words: "what to stop; list shows what is stopped", choices: [...STOP_KINDS, "list"] }, NAME],
  options: {
    reason: { value: "TEXT", words: "told to every job that is refused, and recorded. Required" },
    ...SCOPE_OPTIONS,
    for: { value: "TIME", words: 'the stop ends by itself, after 2h for example; by default with "daypass resume"' },
    revoke: {
      words: "also ends what open leases of the scope hold, and waits for it; needs the right leases.revoke",
    },
    ...JSON_OPTION,
    ...OPERATOR_OPTIONS,
  },
  forms: ["WHAT [NAME] --reason TEXT [options]", "list [options]"],
  exits: {
    0: "stopped; with --revoke, everything that can be revoked is",
    1: "refused, or not everything is revoked yet",
    2: "the arguments are wrong",
  },
  examples: ['daypass stop unit github:acme/shop --broker https://daypass.example.com --reason "incident 7" --revoke'],
  page: "stops.md",
  load: async () => (await import("../operate/stop.ts")).run,
}

const resume: CommandDeclaration = {
  name: "resume",
  summary: "lift a stop",
  about: `Lifts the stop that was ordered with the same words. "daypass stop list" shows the stops in force.

${AS_OPERATOR_WORDS}`,
  takes: [{ name: "WHAT", words: "what to resume", choices: STOP_KINDS }, NAME],
  options: {
    reason: { value: "TEXT", words: "recorded. Required" },
    ...SCOPE_OPTIONS,
    ...OPERATOR_OPTIONS,
  },
  forms: ["WHAT [NAME] --reason TEXT [options]"],
  exits: { 0: "lifted", 1: "refused, or there is no such stop", 2: "the arguments are wrong" },
  examples: ['daypass resume unit github:acme/shop --broker https://daypass.example.com --reason "incident 7 is over"'],
  page: "stops.md",
  load: async () => (await import("../operate/resume.ts")).run,
}

const alertsList: CommandDeclaration = {
  name: "alerts list",
  summary: "who is told of events, where the record goes, and whether it arrives",
  about: `Shows the endpoints of alerts and the exports that the organisation file names, whether they work, since when not and why, and
how many messages wait. Needs the right policies.read.

${AS_OPERATOR_WORDS}`,
  options: { ...JSON_OPTION, ...OPERATOR_OPTIONS },
  exits: { 0: "everything arrives", 1: "something does not, or the broker refused", 2: "the arguments are wrong" },
  page: "alerts.md",
  load: async () => (await import("../operate/alerts.ts")).runList,
}

const alertsTest: CommandDeclaration = {
  name: "alerts test",
  summary: "send one message to an endpoint now",
  about: `Sends one message to an endpoint of alerts now, which is recorded, and switches an endpoint on again that had answered 410.
Needs the right policies.read.

${AS_OPERATOR_WORDS}`,
  takes: [{ name: "NAME", words: "the endpoint's name in the organisation file" }],
  options: { ...OPERATOR_OPTIONS },
  exits: { 0: "delivered", 1: "not delivered, or the broker refused", 2: "the arguments are wrong" },
  page: "alerts.md",
  load: async () => (await import("../operate/alerts.ts")).runTest,
}

export const OPERATOR_COMMANDS: readonly CommandDeclaration[] = [doctor, stop, resume, alertsList, alertsTest]
