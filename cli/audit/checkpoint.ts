import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { decodeHash } from "../../broker/core/checkpoint/base64.ts"
import { parseCheckpoint, type SignedCheckpoint } from "../../broker/core/checkpoint/checkpoint.ts"
import { isConsistent } from "../../broker/core/checkpoint/proofs.ts"
import { parseTrustPolicy, type TrustPolicy, verifyCheckpoint } from "../../broker/core/checkpoint/trust-policy.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { textOfUtf8 } from "../../broker/core/utf8.ts"
import { CHECKPOINT_PATH, CHECKPOINT_POLICY_PATH, CHECKPOINT_PROOF_PATH } from "../../broker/wire/checkpoints.ts"
import { complain, impossible, misused, reasonOf } from "../arguments.ts"
import type { Options } from "../exec/options.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { asOperator } from "../operate/as-operator.ts"
import type { OperatorClient } from "../operate/client.ts"
import { verifyEd25519 } from "./ed25519.ts"
import { replaceFile } from "./replace-file.ts"

/** `daypass audit checkpoint`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const { options } = given
  const { policy, record } = options
  const asked = [policy !== undefined, record !== undefined, options["show-policy"] === true].filter(Boolean)
  if (asked.length !== 1) return misused("give one of --policy, --record and --show-policy")
  if (policy === undefined && options["keep"] !== undefined) {
    return misused("--keep needs --policy")
  }
  if (record !== undefined) {
    const [, unit = "", seq = ""] = /^([^:]+:.+):([1-9][0-9]*)$/.exec(String(record)) ?? []
    if (unit === "") return misused("--record is ISSUER:UNIT_ID:SEQ, such as github:41:3")
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
  complain(reason, io)
  return EXIT.no
}
