import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { ActionError } from "../../action/failure.ts"
import { decodeHash } from "../../broker/core/checkpoint/base64.ts"
import { parseCheckpoint, type SignedCheckpoint } from "../../broker/core/checkpoint/checkpoint.ts"
import { isConsistent } from "../../broker/core/checkpoint/proofs.ts"
import { parseTrustPolicy, type TrustPolicy, verifyCheckpoint } from "../../broker/core/checkpoint/trust-policy.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { textOfUtf8 } from "../../broker/core/utf8.ts"
import { CHECKPOINT_PATH, CHECKPOINT_POLICY_PATH, CHECKPOINT_PROOF_PATH } from "../../broker/wire/checkpoints.ts"
import { impossible, misused, readArguments, reasonOf } from "../arguments.ts"
import type { Options } from "../exec/options.ts"
import { report } from "../exec/report.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { type OperatorClient, openOperator } from "../operate/client.ts"
import { OPERATOR_OPTIONS, OPERATOR_USAGE } from "../operate/options.ts"
import { verifyEd25519 } from "./ed25519.ts"
import { replaceFile } from "./replace-file.ts"

const USAGE = `Usage: daypass audit checkpoint --broker URL --policy FILE [--keep FILE]
       daypass audit checkpoint --broker URL --record ISSUER:UNIT_ID:SEQ
       daypass audit checkpoint --broker URL --show-policy

Gets the broker's newest signed checkpoint of its audit trail (C2SP tlog-checkpoint), verifies its signatures and prints it.

  --policy FILE          whose signatures you accept: the broker's log, and how many of which witnesses (C2SP tlog-policy)
  --keep FILE            the checkpoint of last time: the new one must continue it, and takes its place. So whoever runs this
                         regularly is a witness. A missing file is created
  --record ISSUER:UNIT_ID:SEQ
                         prints the proof of one record (C2SP tlog-proof). ISSUER as in the organisation file
  --show-policy          prints the broker's own idea of --policy: read it, and keep it where the broker cannot change it
${OPERATOR_USAGE}

Needs the right audit.read. Exit codes: 0 verified, 1 refused, or the checkpoint is wrong, 2 the arguments or a file are wrong.`

const OPTIONS = {
  ...OPERATOR_OPTIONS,
  policy: { type: "string" },
  keep: { type: "string" },
  record: { type: "string" },
  "show-policy": { type: "boolean" },
} as const

/** `daypass audit checkpoint`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const { options, positionals } = read
  const { policy, record } = options
  if (positionals.length > 0) return misused("audit checkpoint takes options only", USAGE, io)
  const asked = [policy !== undefined, record !== undefined, options["show-policy"] === true].filter(Boolean)
  if (asked.length !== 1) return misused("give one of --policy, --record and --show-policy", USAGE, io)
  if (policy === undefined && options["keep"] !== undefined) {
    return misused("--keep needs --policy", USAGE, io)
  }
  if (record !== undefined) {
    const [, unit = "", seq = ""] = /^([^:]+:.+):([1-9][0-9]*)$/.exec(String(record)) ?? []
    if (unit === "") return misused("--record is ISSUER:UNIT_ID:SEQ, such as github:41:3", USAGE, io)
    return await asOperator(options, io, (client) => show(client, CHECKPOINT_PROOF_PATH, { unit, seq }, io))
  }
  if (policy === undefined) {
    return await asOperator(options, io, (client) => show(client, CHECKPOINT_POLICY_PATH, {}, io))
  }
  const trusted = await readPolicy(String(policy), io)
  if (typeof trusted === "number") return trusted
  const kept = typeof options["keep"] === "string" ? await readKept(options["keep"], io) : null
  if (typeof kept === "number") return kept
  return await asOperator(options, io, (client) => check(client, { trusted, kept, options }, io))
}

interface Checked {
  readonly trusted: TrustPolicy
  readonly kept: SignedCheckpoint | null
  readonly options: Options
}

async function check(client: OperatorClient, { trusted, kept, options }: Checked, io: CliIo): Promise<number> {
  const latest = await latestOf(client, kept)
  if (!latest.ok) return refused(latest.fault, io)
  const { checkpoint, text } = latest.value
  const signed = await verifyCheckpoint(checkpoint, trusted, verifyEd25519)
  if (!signed.ok) return refused(signed.fault, io)
  const { keep } = options
  if (typeof keep === "string") {
    try {
      await replaceFile(keep, text, io)
    } catch (error) {
      return impossible(`${keep} cannot be written: ${reasonOf(error)}`, io)
    }
  }
  io.out(shown(text))
  return EXIT.ok
}

interface Latest {
  readonly checkpoint: SignedCheckpoint
  readonly text: string
}

/** The newest checkpoint. With one of before: only if it continues that. */
async function latestOf(client: OperatorClient, kept: SignedCheckpoint | null): Promise<Result<Latest, string>> {
  const latest = readLatest(await textFrom(client, CHECKPOINT_PATH))
  if (!latest.ok || kept === null) return latest
  if (latest.value.checkpoint.origin !== kept.origin) return fail(BEGUN_ANEW)
  if (latest.value.checkpoint.size < kept.size) return fail(INCONSISTENT)
  const answer = await textFrom(client, CHECKPOINT_PATH, { since: String(kept.size) })
  const end = answer.indexOf("\n\n")
  const proof = answer.slice(0, end).split("\n").slice(1).map(decodeHash)
  // It may be newer than a moment ago.
  const proven = readLatest(answer.slice(end + 2))
  if (!proven.ok) return proven
  const isLater = !proof.includes(null) && isConsistent(kept, proven.value.checkpoint, proof as Uint8Array[], sha256)
  return isLater && proven.value.checkpoint.origin === kept.origin ? proven : fail(INCONSISTENT)
}

function readLatest(text: string): Result<Latest, string> {
  const checkpoint = parseCheckpoint(utf8ToBytes(text))
  return checkpoint.ok
    ? ok({ checkpoint: checkpoint.value, text })
    : fail(`the broker's checkpoint cannot be read: ${checkpoint.fault}`)
}

const BEGUN_ANEW =
  "the broker has begun another log than that of the kept checkpoint: see the record log.begun for the reason. If it is right, take over its key with --show-policy, and put the kept file aside"
const INCONSISTENT =
  "the checkpoint does not continue the kept one: the audit trail was rewritten, or the broker was set back to an older state. Keep both files"

async function show(client: OperatorClient, path: string, query: Readonly<Record<string, string>>, io: CliIo) {
  io.out(shown(await textFrom(client, path, query)))
  return EXIT.ok
}

async function textFrom(client: OperatorClient, path: string, query: Readonly<Record<string, string>> = {}) {
  const { body } = await client.call({ method: "GET", path, query, accept: "text/plain" })
  return textOfUtf8(body) ?? ""
}

async function readPolicy(path: string, io: CliIo): Promise<TrustPolicy | number> {
  try {
    const policy = parseTrustPolicy(textOfUtf8(await io.readFile(path)) ?? "", sha256)
    return policy.ok ? policy.value : impossible(`${path} is no policy for checkpoints: ${policy.fault}`, io)
  } catch (error) {
    return impossible(`${path} cannot be read: ${reasonOf(error)}`, io)
  }
}

async function readKept(path: string, io: CliIo): Promise<SignedCheckpoint | null | number> {
  try {
    const kept = parseCheckpoint(await io.readFile(path))
    return kept.ok ? kept.value : impossible(`${path} is no checkpoint: ${kept.fault}`, io)
  } catch (error) {
    return reasonOf(error) === "ENOENT" ? null : impossible(`${path} cannot be read: ${reasonOf(error)}`, io)
  }
}

const shown = (text: string) => text.trimEnd().split("\n").map(inert).join("\n")

function refused(reason: string, io: CliIo): number {
  io.err(inert(`daypass: ${reason}`))
  return EXIT.no
}

async function asOperator(
  options: Options,
  io: CliIo,
  act: (client: OperatorClient) => Promise<number>,
): Promise<number> {
  try {
    return await act(await openOperator(options, io))
  } catch (thrown) {
    report(thrown)
    return thrown instanceof ActionError && thrown.code === "input_invalid" ? EXIT.usage : EXIT.no
  }
}
