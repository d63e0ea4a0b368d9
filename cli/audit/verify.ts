import { open, stat } from "node:fs/promises"
import { type CheckedProofs, CheckpointWatcher, verifyProofs } from "../../analysis/audit/checkpoints.ts"
import { type ChainVerdict, ChainVerifier, type VerifiedLedger } from "../../analysis/audit/verify.ts"
import type { LedgerName } from "../../broker/core/audit-chain.ts"
import { parseTrustPolicy } from "../../broker/core/checkpoint/trust-policy.ts"
import { visible } from "../../broker/core/policy/faults.ts"
import { impossible, misused, reasonOf } from "../arguments.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { progressOf } from "../terminal.ts"
import { verifyEd25519 } from "./ed25519.ts"
import { exportedFolder } from "./exported-folder.ts"
import { sha256 } from "./sha256.ts"

/** One buffer for the whole file: a stream makes one for every chunk. */
const CHUNK_BYTES = 1 << 18

const HASH = /^[0-9a-f]{64}$/

/** `daypass audit verify`. Reads the file as a stream, so it can have any size. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const [file = ""] = given.positionals
  const { head, checkpoint, policy, earlier } = given.options as Readonly<Record<string, string | undefined>>
  if (head !== undefined && !HASH.test(head)) return misused("a head is 64 hexadecimal digits in lower case")
  if ((checkpoint === undefined) !== (policy === undefined)) {
    return misused("--checkpoint needs --policy, which says whose signatures count, and the other way round")
  }

  const proofs = checkpoint === undefined ? null : await readProofs(checkpoint, policy ?? "", io)
  if (typeof proofs === "number") return proofs
  const before = earlier === undefined ? [] : await readEarlier(earlier, io)
  if (typeof before === "number") return before

  const watcher = new CheckpointWatcher(proofs?.heads ?? [], sha256)
  const noted = [...(head === undefined ? [] : [head]), ...before.map(({ chain }) => chain)]
  const verifier = new ChainVerifier(sha256, noted, watcher)
  try {
    await readInto(verifier, file, io)
  } catch (error) {
    return impossible(`${file} cannot be read: ${reasonOf(error)}`, io)
  }
  const verdict = verifier.end()
  if (!tell(file, verdict, io)) return EXIT.no
  const answers = [
    earlier === undefined || tellEarlier(earlier, before, verdict, io),
    head === undefined || tellHead(head, verdict, io),
    proofs === null || tellCoverage(proofs, watcher, io),
  ]
  return answers.every(Boolean) ? EXIT.ok : EXIT.no
}

async function readProofs(checkpoint: string, policy: string, io: CliIo): Promise<CheckedProofs | number> {
  let reading = policy
  try {
    const trusted = parseTrustPolicy(new TextDecoder().decode(await io.readFile(policy)), sha256)
    if (!trusted.ok) return impossible(`${policy} is no policy for checkpoints: ${trusted.fault}`, io)
    reading = checkpoint
    const proofs = await verifyProofs(await io.readFile(checkpoint), trusted.value, verifyEd25519, sha256)
    if (proofs.ok) return proofs.value
    io.out(inert(`${checkpoint}: ${proofs.fault}`))
    return EXIT.no
  } catch (error) {
    return impossible(`${reading} cannot be read: ${reasonOf(error)}`, io)
  }
}

/** The heads of an older export; an exit code when it does not verify itself. */
async function readEarlier(path: string, io: CliIo): Promise<readonly VerifiedLedger[] | number> {
  const verifier = new ChainVerifier(sha256)
  try {
    await readInto(verifier, path, io)
  } catch (error) {
    return impossible(`${path} cannot be read: ${reasonOf(error)}`, io)
  }
  const verdict = verifier.end()
  if (verdict.ok) return verdict.ledgers.filter(({ seq }) => seq > 0)
  tellFault(path, verdict, io)
  return EXIT.no
}

async function readInto(verifier: ChainVerifier, path: string, io: CliIo): Promise<void> {
  const found = await stat(path)
  if (found.isDirectory()) {
    const encoder = new TextEncoder()
    for await (const line of exportedFolder(path)) verifier.push(encoder.encode(`${line}\n`))
    return
  }
  const progress = progressOf(io, "verifying", found.size)
  const file = await open(path)
  try {
    const chunk = new Uint8Array(CHUNK_BYTES)
    for (;;) {
      // All four: Node 20.0 reads nothing when only the first is given.
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null)
      if (bytesRead === 0) return
      progress.add(bytesRead)
      verifier.push(chunk.subarray(0, bytesRead))
    }
  } finally {
    progress.end()
    await file.close()
  }
}

type Verified = Extract<ChainVerdict, { ok: true }>

function tell(file: string, verdict: ChainVerdict, io: CliIo): verdict is Verified {
  if (!verdict.ok) {
    tellFault(file, verdict, io)
    return false
  }
  for (const { ledger, seq, chain, after } of verdict.ledgers) {
    const records =
      after === undefined ? counted(seq) : `records ${after + 1} to ${seq} (the earlier ones are not in the file)`
    io.out(`${named(ledger)}: ${records}, head ${chain}`)
  }
  if (verdict.ledgers.length === 0) io.out(inert(`${file} verifies and contains no records`))
  return true
}

function tellFault(file: string, { fault }: Extract<ChainVerdict, { ok: false }>, io: CliIo): void {
  const record = fault.seq === null || fault.ledger === null ? "" : `record ${fault.seq} of ${named(fault.ledger)}: `
  io.out(inert(`${file}:${fault.line}: ${record}${fault.reason}`))
}

function tellHead(head: string, verdict: Verified, io: CliIo): boolean {
  const found = verdict.found.find(({ chain }) => chain === head)
  io.out(
    found === undefined
      ? `the head ${head} is not part of any chain: the trail before it was rewritten, or the head is from another trail`
      : `the head ${head} is record ${found.seq} of ${named(found.ledger)}`,
  )
  return found !== undefined
}

function tellEarlier(
  file: string,
  before: readonly VerifiedLedger[],
  { found, ledgers }: Verified,
  io: CliIo,
): boolean {
  const kept = new Set(found.map(({ chain }) => chain))
  const begins = new Map(ledgers.map(({ ledger, after = 0 }) => [named(ledger), after]))
  // A chain starts from its ledger's name, so that no other ledger can have this value.
  const lost = before.filter(({ chain }) => !kept.has(chain))
  for (const { ledger, seq } of lost) {
    const reason =
      seq < (begins.get(named(ledger)) ?? 0)
        ? "is older than this file begins, so that nothing can be said of it: verify an export that has it"
        : "is not here: an earlier record was changed, or some are missing"
    io.out(inert(`${named(ledger)}: record ${seq} of ${file} ${reason}`))
  }
  if (lost.length === 0)
    io.out(inert(`all ${counted(sumOf(before))} of ${file} are the beginning of their ledgers here`))
  return lost.length === 0
}

function tellCoverage({ checkpoints, heads }: CheckedProofs, watcher: CheckpointWatcher, io: CliIo): boolean {
  for (const { origin, size, witnesses } of checkpoints) {
    const who = witnesses.map(({ key, time }) => `${key.name} at ${new Date((time ?? 0) * 1000).toISOString()}`)
    const cosigned = who.length === 0 ? "cosigned by no witness" : `cosigned by ${who.join(", ")}`
    io.out(inert(`checkpoint ${size} of ${origin}, ${cosigned}`))
  }
  const { coverage, misfits } = watcher.end()
  for (const { ledger, reason } of misfits) io.out(`${named(ledger)}: ${reason}`)
  const wrong = new Set(misfits.map(({ ledger }) => named(ledger)))
  for (const { ledger, proven, records } of coverage) {
    const later = records === proven ? "" : `; ${records - proven} came later, and nothing proves them yet`
    if (proven > 0) io.out(`${named(ledger)}: records 1 to ${proven} are those of the checkpoint${later}`)
    else if (!wrong.has(named(ledger)) && !heads.some(({ record }) => record !== null))
      io.out(`${named(ledger)}: not in the checkpoint yet`)
  }
  for (const { head, record } of misfits.length === 0 ? heads : []) {
    if (record !== null) io.out(`${named(head.ledger)}: record ${record.seq} is the one of the checkpoint`)
  }
  return misfits.length === 0
}

const counted = (records: number) => `${records} ${records === 1 ? "record" : "records"}`

const sumOf = (ledgers: readonly VerifiedLedger[]) => ledgers.reduce((sum, { seq }) => sum + seq, 0)

/** Escapes control characters: a file of unknown origin could move the terminal's cursor. JSON does not escape C1 controls. */
const named = (ledger: LedgerName) =>
  visible(`unit ${JSON.stringify(ledger.unit_id)} of ${JSON.stringify(ledger.issuer)}`)
