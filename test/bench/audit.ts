import { appendFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { chainRecord, chainStart } from "../../broker/core/audit-chain.ts"
import { ExportWriter } from "../../broker/core/audit-export.ts"
import { draft } from "../core/audit-fixture.ts"
import { builtCli } from "./check.ts"
import { atMost, type Bench, type Section } from "./section.ts"
import { least, type Spent, spent } from "./spawned.ts"

const RECORDS = 100_000
const LEDGERS = 10
const RUNS = 3
/** What a verifier cannot do without takes a third of its time: it also compares each line with its canonical text. */
const BUDGET = 3

/** Reads the same file line by line, parses each, and hashes it once. */
const BARE = `
import { hash } from "node:crypto"
import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
for await (const line of createInterface(createReadStream(process.argv[1]))) {
  JSON.parse(line)
  hash("sha256", line)
}
`

/** `daypass audit verify`, built, of an export of 100,000 records. */
export async function measureAudit({ folder }: Pick<Bench, "folder">): Promise<Section> {
  const file = join(folder, "trail.jsonl")
  writeTrail(file)
  const bin = await builtCli(folder)
  const [bare, ours]: [Spent[], Spent[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    bare.push(spent(["--input-type=module", "--eval", BARE, file], {}))
    ours.push(spent([bin, "audit", "verify", file], { env: { HOME: folder, XDG_CACHE_HOME: folder } }))
  }
  const [floor, verify] = [least(bare), least(ours)]
  return {
    rows: [
      atMost("audit verify of 100,000 records against parsing and hashing lines", verify.cpu_ms / floor.cpu_ms, BUDGET),
    ],
    figures: {
      lines_ms: floor.ms,
      lines_cpu_ms: floor.cpu_ms,
      verify_ms: verify.ms,
      verify_cpu_ms: verify.cpu_ms,
      verify_rss_mb: verify.rss_mb,
    },
  }
}

function writeTrail(file: string): void {
  const writer = new ExportWriter()
  writeFileSync(file, "")
  for (let id = 1; id <= LEDGERS; id++) {
    const name = { issuer: "https://token.actions.githubusercontent.com", unit_id: `${id}` }
    const lines = [writer.ledger(name)]
    let chain = chainStart(name, sha256)
    for (let seq = 1; seq <= RECORDS / LEDGERS; seq++) {
      const link = chainRecord(chain, { ...draft({ request_id: crypto.randomUUID() }), seq }, sha256)
      if (!link.ok) throw new Error(link.fault)
      chain = link.value.chain
      lines.push(writer.record(link.value))
    }
    lines.push(writer.head({ seq: RECORDS / LEDGERS, chain }))
    appendFileSync(file, lines.map((line) => `${line}\n`).join(""))
  }
  appendFileSync(file, `${writer.end()}\n`)
}
