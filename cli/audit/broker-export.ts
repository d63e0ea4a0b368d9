import { setTimeout as sleep } from "node:timers/promises"
import { ActionError } from "../../action/failure.ts"
import { MAX_RECORD_BYTES } from "../../broker/core/audit-chain.ts"
import { HeadsDigest } from "../../broker/core/audit-export.ts"
import { EXPORT_PATH, MEDIA_TYPE_LINES } from "../../broker/wire/record.ts"
import type { Options } from "../exec/options.ts"
import type { CliIo } from "../io.ts"
import { type OperatorClient, openOperator } from "../operate/client.ts"
import { proofsFrom } from "./proofs.ts"
import { replaceFile } from "./replace-file.ts"

/** What is exported: all that the grant covers, unless a part of it is named. */
export interface ExportWindow {
  /** ISO 8601; each ledger then begins with its first record from this time on. */
  readonly since?: string
  /** The name of one unit. */
  readonly unit?: string
  /** The path of a file for the proofs of what is exported. */
  readonly checkpoint?: string
}

/** A part of an export that one call gave. */
interface Part {
  readonly lines: readonly string[]
  /** Null: there are no more parts. */
  readonly next: string | null
}

const ATTEMPTS = 4
const FIRST_PAUSE_MS = 1000
/** An operator token is renewed when it lives no longer than this. */
const RENEWED_BEFORE_MS = 60_000
/** Several times what a broker puts into one part. */
const PART_CHARACTERS = 8000 * 8192

/**
 * The record of a broker, on any runtime, as the lines of one export. A call that fails on its way is made again, so that a long
 * export survives a restart of the broker. One part of the export is in memory at a time.
 *
 * @param opened a client that is open already, for a command that makes other calls, too: the token of some CIs opens one only
 * @throws {ActionError}
 */
export async function* exportedBy(
  options: Options,
  { since, unit, checkpoint }: ExportWindow,
  io: CliIo,
  opened?: OperatorClient,
): AsyncGenerator<string> {
  const heads = new HeadsDigest()
  let client = opened ?? (await openOperator(options, io))
  if (checkpoint !== undefined) await replaceFile(checkpoint, await proofsFrom(client, unit), io)
  let next: string | null = null
  do {
    if (client.endsAt - io.now().getTime() < RENEWED_BEFORE_MS) client = await openOperator(options, io)
    const query = { ...(since && { since }), ...(unit && { unit }), ...(next !== null && { after: next }) }
    const part: Part = await partOf(client, query)
    for (const line of part.lines) {
      noteHead(line, heads)
      yield line
    }
    next = part.next
  } while (next !== null)
  yield `{"end":{"digest":"${heads.digest()}","ledgers":${heads.ledgers}}}`
}

async function partOf(client: OperatorClient, query: Readonly<Record<string, string>>): Promise<Part> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readPart(client, query)
    } catch (error) {
      const isWorth = !(error instanceof ActionError) || error.retry !== undefined
      if (attempt === ATTEMPTS || !isWorth) throw error
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
  }
}

/** Reads one answer to its end. Its last line says how to go on: an answer without it was cut. */
async function readPart(client: OperatorClient, query: Readonly<Record<string, string>>): Promise<Part> {
  const stream = await client.stream({ method: "GET", path: EXPORT_PATH, query, accept: MEDIA_TYPE_LINES })
  let text = ""
  try {
    for await (const chunk of stream.setEncoding("utf8")) {
      text += chunk
      if (text.length > PART_CHARACTERS + MAX_RECORD_BYTES)
        throw unusable(client, "is longer than any part of an export")
    }
  } catch (cause) {
    if (cause instanceof ActionError) throw cause
    throw cutShort(client, cause)
  }
  const lines = text.split("\n")
  if (lines.pop() !== "") throw cutShort(client)
  const last = lines.pop() ?? ""
  if (last === '{"done":true}') return { lines, next: null }
  const next = /^\{"next":"([^"\\]{1,400})"\}$/.exec(last)?.[1]
  if (next === undefined) throw cutShort(client)
  return { lines, next }
}

/** The digest of the closing line is over the ledgers' heads. Whether they fit the records is found by `audit verify`. */
function noteHead(line: string, heads: HeadsDigest): void {
  const [, chain, seq] = /^\{"head":\{"chain":"([0-9a-f]{64})","seq":([0-9]{1,16})\}\}$/.exec(line) ?? []
  if (chain !== undefined) heads.add({ chain, seq: Number(seq) })
}

const cutShort = ({ broker }: OperatorClient, cause?: unknown): ActionError =>
  Object.assign(
    new ActionError("broker_unreachable", `The answer of ${broker} ended before it was whole.`, {
      change: "Export again. If it returns, look for a proxy that cuts long answers.",
      retry: { pace: "patient" },
    }),
    { cause },
  )

const unusable = ({ broker }: OperatorClient, what: string): ActionError =>
  new ActionError("answer_unusable", `The answer of ${broker} ${what}.`, {
    change: "Check that --broker names a broker of Daypass, of this version or a later one.",
  })
