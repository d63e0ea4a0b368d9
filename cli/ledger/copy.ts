import { type ChainVerdict, ChainVerifier } from "../../analysis/audit/verify.ts"
import type { Sha256 } from "../../broker/core/audit-chain.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { complain, impossible, misused, reasonOf } from "../arguments.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"

type Heads = ReadonlyMap<string, string>

/** `daypass ledger copy`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const { from } = given.options
  const to = given.options["to"] ?? io.env["DAYPASS_STORE"]
  if (typeof from !== "string" || from === "") return misused("ledger copy needs --from")
  if (typeof to !== "string" || to === "") return misused("ledger copy needs --to, or DAYPASS_STORE")
  try {
    return await copy(from, to, given.options["to"] !== undefined, io)
  } catch (error) {
    if (reasonOf(error) === "ERR_UNKNOWN_BUILTIN_MODULE") {
      return impossible(`ledger copy needs Node 22.13 or newer, which has node:sqlite; this is ${process.version}`, io)
    }
    if (error instanceof BrokerError) return impossible(error.detail, io)
    throw error
  }
}

/** `isOption`: the URL is from the command line, and not from the environment. */
async function copy(from: string, to: string, isOption: boolean, io: CliIo): Promise<number> {
  // Imported here: on a Node without node:sqlite the import fails, and all other commands must still work.
  const { openStoppedLedger } = await import("../../broker/adapters/node/stopped-ledger.ts")
  const { exportLines } = await import("../../broker/adapters/sqlite/audit-export.ts")
  const { optionFault, readDatabaseAddress } = await import("../../broker/adapters/postgres/address.ts")
  const { copyLedger } = await import("../../broker/adapters/postgres/copy.ts")
  const { sha256 } = await import("../../broker/adapters/node/sha256.ts")
  const fault = isOption ? optionFault("--to", to) : null
  if (fault !== null) return misused(fault)
  const address = readDatabaseAddress(to, io.env["PGPASSWORD"])
  if (!address.ok) return misused(`the URL of the database ${address.fault}`)

  const source = openStoppedLedger(from, io.now().getTime())
  try {
    const before = await verified(exportLines(source.sql), sha256)
    if (typeof before === "string") {
      complain(`the audit trail in ${from} does not verify, and nothing was copied: ${before}`, io)
      return EXIT.no
    }
    let fault: string | null = null
    await copyLedger(source.sql, address.value, sha256, async (lines) => {
      const after = await verified(lines, sha256)
      fault = typeof after === "string" ? after : isSame(before, after) ? null : "the heads differ"
      if (fault !== null) throw new BrokerError("ledger_unavailable", `the copy does not verify: ${fault}`)
    })
    for (const [name, head] of before) io.out(`${name}: ${head}`)
    io.out(`copied ${before.size} ${before.size === 1 ? "ledger" : "ledgers"} into ${address.value.name}`)
    io.out(`start brokers with this database only: ${from} must not be used again`)
    return EXIT.ok
  } finally {
    source.close()
  }
}

/** The heads of an exported trail, or why it does not verify. */
async function verified(lines: Iterable<string> | AsyncIterable<string>, sha256: Sha256): Promise<Heads | string> {
  const verifier = new ChainVerifier(sha256)
  const encoder = new TextEncoder()
  for await (const line of lines) verifier.push(encoder.encode(`${line}\n`))
  const verdict: ChainVerdict = verifier.end()
  if (!verdict.ok) return `${verdict.fault.reason} (line ${verdict.fault.line})`
  return new Map(
    verdict.ledgers.map(({ ledger, seq, chain }) => [
      `unit ${JSON.stringify(ledger.unit_id)} of ${JSON.stringify(ledger.issuer)}`,
      `${seq} ${seq === 1 ? "record" : "records"}, head ${chain}`,
    ]),
  )
}

const isSame = (one: Heads, other: Heads): boolean =>
  one.size === other.size && [...one].every(([name, head]) => other.get(name) === head)
