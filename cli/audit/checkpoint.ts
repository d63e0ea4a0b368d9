import { rename } from "node:fs/promises"
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { ActionError } from "../../action/failure.ts"
import { decodeHash } from "../../broker/core/checkpoint/base64.ts"
import { parseCheckpoint, type SignedCheckpoint } from "../../broker/core/checkpoint/checkpoint.ts"
import { isConsistent } from "../../broker/core/checkpoint/proofs.ts"
import { parseTrustPolicy, type TrustPolicy, verifyCheckpoint } from "../../broker/core/checkpoint/trust-policy.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { textOfUtf8 } from "../../broker/core/utf8.ts"
import {
  CHECKPOINT_PATH,
  CHECKPOINT_POLICY_PATH,
  CHECKPOINT_PROOF_PATH,
  CHECKPOINT_PROOFS_PATH,
  type CheckpointProofsAnswer,
} from "../../broker/wire/checkpoints.ts"
import { impossible, misused, readArguments, reasonOf } from "../arguments.ts"
import { report } from "../exec/report.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { type OperatorClient, openOperator } from "../operate/client.ts"
import { OPERATOR_OPTIONS, OPERATOR_USAGE } from "../operate/options.ts"
import { verifyEd25519 } from "./ed25519.ts"

const USAGE = `Usage: daypass audit checkpoint --broker URL --policy FILE [--keep FILE] [--proofs FILE]
       daypass audit checkpoint --broker URL --record ISSUER:UNIT_ID:SEQ
       daypass audit checkpoint --broker URL --show-policy

Gets the broker's newest signed checkpoint of its audit trail (C2SP tlog-checkpoint), verifies its signatures and prints it.

  --policy FILE          whose signatures you accept: the broker's log, and how many of which witnesses (C2SP tlog-policy)
  --keep FILE            the checkpoint of last time: the new one must continue it, and takes its place. So whoever runs this
                         regularly is a witness. A missing file is created
  --proofs FILE          writes the proofs of all units' trails, for audit verify --checkpoint. Export afterwards
  --record ISSUER:UNIT_ID:SEQ
                         prints the proof of one record (C2SP tlog-proof). ISSUER as in the organisation file
  --show-policy          prints the broker's own idea of --policy: read it, and keep it where the broker cannot change it
${OPERATOR_USAGE}

Needs the right audit.read. Exit codes: 0 verified, 1 refused, or the checkpoint is wrong, 2 the arguments or a file are wrong.`

type Options = Readonly<Record<string, string | boolean | undefined>>

const OPTIONS = {
  ...OPERATOR_OPTIONS,
  policy: { type: "string" },
  keep: { type: "string" },
  proofs: { type: "string" },
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
  if (policy === undefined && (options["keep"] ?? options["proofs"]) !== undefined) {
    return misused("--keep and --proofs need --policy", USAGE, io)
  }
  if (record !== undefined) return await asOperator(options, io, (client) => showRecord(client, String(record), io))
  if (policy === undefined) {
    return await asOperator(options, io, async (client) => {
      io.out(shown(await textFrom(client, CHECKPOINT_POLICY_PATH)))
      return EXIT.ok
    })
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
  const { keep, proofs } = options
  const files = [
    ...(typeof proofs === "string" ? [[proofs, await proofsFrom(client)] as const] : []),
    ...(typeof keep === "string" ? [[keep, text] as const] : []),
  ]
  for (const [path, content] of files) {
    try {
      await replaceFile(path, content, io)
    } catch (error) {
      return impossible(`${path} cannot be written: ${reasonOf(error)}`, io)
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
  const answer = await textFrom(client, CHECKPOINT_PATH, kept === null ? {} : { since: String(kept.size) })
  const end = kept === null ? -2 : answer.indexOf("\n\n")
  const text = answer.slice(end + 2)
  const checkpoint = parseCheckpoint(utf8ToBytes(text))
  if (!checkpoint.ok) return fail(`the broker's checkpoint cannot be read: ${checkpoint.fault}`)
  if (kept === null) return ok({ checkpoint: checkpoint.value, text })
  if (checkpoint.value.origin !== kept.origin) return fail(BEGUN_ANEW)
  const proof = answer.slice(0, end).split("\n").slice(1).map(decodeHash)
  const isLater = !proof.includes(null) && isConsistent(kept, checkpoint.value, proof as Uint8Array[], sha256)
  return isLater ? ok({ checkpoint: checkpoint.value, text }) : fail(INCONSISTENT)
}

const BEGUN_ANEW =
  "the broker has begun another log than that of the kept checkpoint: see the record log.begun for the reason. If it is right, take over its key with --show-policy, and put the kept file aside"
const INCONSISTENT =
  "the checkpoint does not continue the kept one: the audit trail was rewritten, or the broker was set back to an older state. Keep both files"

async function proofsFrom(client: OperatorClient): Promise<string> {
  const pages: string[] = []
  let after: string | null = null
  do {
    const query: Record<string, string> = after === null ? {} : { after }
    const { body } = await client.call({ method: "GET", path: CHECKPOINT_PROOFS_PATH, query })
    const { proofs, next } = readPage(body)
    pages.push(proofs)
    after = next
  } while (after !== null)
  return pages.join("")
}

function readPage(body: Uint8Array): CheckpointProofsAnswer {
  try {
    const { proofs, next } = JSON.parse(textOfUtf8(body) ?? "") as Record<string, unknown>
    if (typeof proofs === "string" && (typeof next === "string" || next === null)) return { proofs, next }
  } catch {
    // Said below.
  }
  throw new ActionError("answer_unusable", "The broker's answer has no proofs.")
}

async function showRecord(client: OperatorClient, record: string, io: CliIo): Promise<number> {
  const [, unit = "", seq = ""] = /^([^:]+:.+):([1-9][0-9]*)$/.exec(record) ?? []
  if (unit === "") return misused("--record is ISSUER:UNIT_ID:SEQ, such as github:41:3", USAGE, io)
  io.out(shown(await textFrom(client, CHECKPOINT_PROOF_PATH, { unit, seq })))
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

/** Completely or not at all: what is kept must outlive a full disk. */
async function replaceFile(path: string, text: string, io: CliIo): Promise<void> {
  const draft = `${path}.new-${crypto.randomUUID()}`
  await io.createFile(draft, text)
  await rename(draft, path)
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
