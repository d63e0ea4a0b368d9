import crypto from "node:crypto"
import { open } from "node:fs/promises"
import { type ChainVerdict, ChainVerifier } from "../../analysis/audit/verify.ts"
import type { LedgerName, Sha256 } from "../../broker/core/audit-chain.ts"
import { visible } from "../../broker/core/policy/faults.ts"
import { impossible, misused, readArguments, reasonOf } from "../arguments.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"

const USAGE = `Usage: daypass audit verify FILE [--head HASH]

Verifies an audit trail that daypass audit export wrote. Finds every edited, deleted, reordered, repeated or cut-off record.
Prints the head of each ledger (of a repository, a project, ...): the number and the hash of its last record.

The file alone cannot show that the whole trail was rewritten, heads included. So store a head where the broker's operator
cannot change it, and pass it as --head later. The command then checks that this head is still part of its chain: if it
is, everything up to it is unchanged since you stored it.
Exit codes: 0 the trail verifies, 1 it does not, and the first wrong record is named, 2 the file cannot be read.`

/** OpenSSL's, at a fifth of the time of JavaScript's. Node before 20.12 has no `hash`, which makes no object a call. */
const sha256: Sha256 =
  crypto.hash === undefined
    ? (bytes) => crypto.createHash("sha256").update(bytes).digest()
    : (bytes) => crypto.hash("sha256", bytes, "buffer")

/** One buffer for the whole file: a stream makes one for every chunk. */
const CHUNK_BYTES = 1 << 18

const HASH = /^[0-9a-f]{64}$/

/** `daypass audit verify`. Reads the file as a stream, so it can have any size. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, { head: { type: "string" } }, io)
  if (typeof read === "number") return read
  const [file, ...others] = read.positionals
  if (file === undefined || file === "" || others.length > 0) return misused("audit verify takes one file", USAGE, io)
  const { head } = read.options
  if (head !== undefined && !(typeof head === "string" && HASH.test(head))) {
    return misused("a head is 64 hexadecimal digits in lower case", USAGE, io)
  }

  const verifier = new ChainVerifier(sha256, head === undefined ? [] : [head])
  try {
    await readInto(verifier, file)
  } catch (error) {
    return impossible(`${file} cannot be read: ${reasonOf(error)}`, io)
  }
  return report(file, verifier.end(), head, io)
}

async function readInto(verifier: ChainVerifier, path: string): Promise<void> {
  const file = await open(path)
  try {
    const chunk = new Uint8Array(CHUNK_BYTES)
    for (;;) {
      // All four: Node 20.0 reads nothing when only the first is given.
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null)
      if (bytesRead === 0) return
      verifier.push(chunk.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}

function report(file: string, verdict: ChainVerdict, head: string | undefined, io: CliIo): number {
  if (!verdict.ok) {
    const { line, ledger, seq, reason } = verdict.fault
    const record = seq === null || ledger === null ? "" : `record ${seq} of ${named(ledger)}: `
    io.out(inert(`${file}:${line}: ${record}${reason}`))
    return EXIT.no
  }
  for (const { ledger, seq, chain } of verdict.ledgers) {
    io.out(`${named(ledger)}: ${seq} ${seq === 1 ? "record" : "records"}, head ${chain}`)
  }
  if (verdict.ledgers.length === 0) io.out(inert(`${file} verifies and contains no records`))
  if (head === undefined) return EXIT.ok
  const [found] = verdict.found
  if (found === undefined) {
    io.out(
      `the head ${head} is not part of any chain: the trail before it was rewritten, or the head is from another trail`,
    )
    return EXIT.no
  }
  io.out(`the head ${head} is record ${found.seq} of ${named(found.ledger)}`)
  return EXIT.ok
}

/** Escapes control characters: a file of unknown origin could move the terminal's cursor. JSON does not escape C1 controls. */
const named = (ledger: LedgerName) =>
  visible(`unit ${JSON.stringify(ledger.unit_id)} of ${JSON.stringify(ledger.issuer)}`)
