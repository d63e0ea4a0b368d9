import { createReadStream } from "node:fs"
import { type ChainVerdict, ChainVerifier } from "../../broker/core/audit-verify.ts"
import { visible } from "../../broker/core/policy/faults.ts"
import { impossible, misused, readArguments, reasonOf } from "../arguments.ts"
import { type CliIo, EXIT } from "../io.ts"

const USAGE = `Usage: daypass audit verify FILE [--head HASH]

Verifies an audit trail that daypass audit export wrote: every edit, deletion, reordering, repetition and cut is found.
Prints each repository's head: the number and the hash of its last record.

A trail that somebody rewrote as a whole, heads included, verifies as well: no file can vouch for itself. Note a head where
the broker's operator cannot change it, and pass it as --head later: it must still be part of its chain, and everything up
to it is then as it was when the head was noted.
Exit codes: 0 it verifies, 1 it does not: the first record that does not fit is named, 2 the file cannot be read.`

const HASH = /^[0-9a-f]{64}$/

/** `daypass audit verify`. Reads the file as a stream: its size does not matter. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, { head: { type: "string" } }, io)
  if (typeof read === "number") return read
  const [file, ...others] = read.positionals
  if (file === undefined || file === "" || others.length > 0) return misused("audit verify takes one file", USAGE, io)
  const { head } = read.options
  if (head !== undefined && !(typeof head === "string" && HASH.test(head))) {
    return misused("a head is 64 hexadecimal digits in lower case", USAGE, io)
  }

  const verifier = new ChainVerifier(head === undefined ? [] : [head])
  try {
    for await (const chunk of createReadStream(file)) verifier.push(chunk as Uint8Array)
  } catch (error) {
    return impossible(`${file} cannot be read: ${reasonOf(error)}`, io)
  }
  return report(file, verifier.end(), head, io)
}

function report(file: string, verdict: ChainVerdict, head: string | undefined, io: CliIo): number {
  if (!verdict.ok) {
    const { line, ledger, seq, reason } = verdict.fault
    const record = seq === null || ledger === null ? "" : `record ${seq} of ${named(ledger)}: `
    io.out(`${file}:${line}: ${record}${reason}`)
    return EXIT.no
  }
  for (const { ledger, seq, chain } of verdict.ledgers) {
    io.out(`${named(ledger)}: ${seq} ${seq === 1 ? "record" : "records"}, head ${chain}`)
  }
  if (verdict.ledgers.length === 0) io.out(`${file} is whole and holds no repository`)
  if (head === undefined) return EXIT.ok
  const [found] = verdict.found
  if (found === undefined) {
    io.out(`the head that was noted is part of no chain: what came before it was rewritten, or it is of another trail`)
    return EXIT.no
  }
  io.out(`the head that was noted is record ${found.seq} of ${named(found.ledger)}`)
  return EXIT.ok
}

/** A file of unknown origin must not move the terminal's cursor: JSON alone leaves the C1 controls as they are. */
const named = (ledger: { readonly issuer: string; readonly repository_id: string }) =>
  visible(`repository ${JSON.stringify(ledger.repository_id)} of ${JSON.stringify(ledger.issuer)}`)
