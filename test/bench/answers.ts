import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { chainRecord, chainStart } from "../../broker/core/audit-chain.ts"
import { ExportWriter } from "../../broker/core/audit-export.ts"
import { type AuditDraft, brokersDraft } from "../../broker/core/audit-record.ts"
import { githubRun, loadedFolder } from "../support/recorded-trail.ts"
import { builtCli } from "./check.ts"
import { atMost, type Bench, type Section } from "./section.ts"
import { type Spent, spent } from "./spawned.ts"

const UNITS = 100
/** An exchange leaves three: the intent, the outcome, the end of the lease. */
const RECORDS_EACH = 3
/** Parsing is what no answer can do without. */
const BUDGET = 2.5

const BARE = `
import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
for await (const line of createInterface(createReadStream(process.argv[1]))) JSON.parse(line)
`

/** Answers from a record of 100,000 lines, or of a million with `--long`, by the command line as it is built. */
export async function measureAnswers({ folder, long }: Pick<Bench, "folder" | "long">): Promise<Section> {
  const [old, next] = [join(folder, "old"), join(folder, "new")]
  writeUnits(old, '[refs/heads/main, "refs/heads/feature/*", "refs/tags/v*"]')
  writeUnits(next, "refs/heads/main")
  const records = long ? 1_000_000 : 100_000
  const file = join(folder, "trail.jsonl")
  writeRecord(file, old, records)
  const bin = await builtCli(folder)
  const run = (codes: readonly number[], ...args: readonly string[]) =>
    spent([bin, ...args], { codes, env: { HOME: folder, XDG_CACHE_HOME: folder } })
  const bare = spent(["--input-type=module", "--eval", BARE, file], {})
  const answers: Readonly<Record<string, Spent>> = {
    diff: run([0], "diff", old, next, "--record", file, "--json"),
    tighten: run([0], "tighten", old, "--record", file, "--json"),
    report: run([0], "audit", "report", file, "--json"),
    search: run([0], "audit", "search", file, "--run", "77", "--json"),
  }
  return {
    rows: [
      atMost(
        `diff --record of ${records.toLocaleString("en")} records against parsing them`,
        (answers["diff"]?.cpu_ms ?? 0) / bare.cpu_ms,
        BUDGET,
      ),
    ],
    figures: {
      parse_ms: bare.ms,
      ...Object.fromEntries(
        Object.entries(answers).flatMap(([name, { ms, rss_mb }]) => [
          [`${name}_ms`, ms],
          [`${name}_rss_mb`, rss_mb],
        ]),
      ),
    },
  }
}

function writeUnits(folder: string, ref: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, "daypass.yaml"),
    `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { octo-org: "123456" }
connections:
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
`,
  )
  for (let unit = 1; unit <= UNITS; unit++) {
    writeFileSync(
      join(folder, `unit-${unit}.yaml`),
      `version: 1
repository: octo-org/unit-${unit}
repository_id: "${unit}"
environment: Production
allow:
  - name: deploy
    when: { ref: ${ref}, event_name: [push, workflow_dispatch] }
    grants: [aws-deploy]
grants:
  aws-deploy: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/unit-${unit}" }
`,
    )
  }
}

/** Jobs of 100 repositories, on main, tags and branches, as a busy month has them. */
function writeRecord(file: string, folder: string, records: number): void {
  const set = loadedFolder(folder)
  const writer = new ExportWriter()
  const each = Math.floor(records / UNITS)
  writeFileSync(file, "")
  for (let unit = 1; unit <= UNITS; unit++) {
    const name = { issuer: "https://token.actions.githubusercontent.com", unit_id: `${unit}` }
    const repository = `octo-org/unit-${unit}`
    const claims = { repository, repository_id: `${unit}`, sub: `repo:${repository}:environment:Production` }
    const jobs = Array.from({ length: 20 }, (_, at) => {
      const ref = at % 2 === 0 ? "refs/heads/main" : `refs/${at % 4 === 1 ? "tags/v1." : "heads/feature/f"}${at}`
      return githubRun(set, { ...claims, ref }, { grants: ["aws-deploy"] })
    })
    const lines = [writer.ledger(name)]
    let head = { seq: 0, chain: chainStart(name, sha256) }
    const add = (draft: AuditDraft) => {
      const link = chainRecord(head.chain, { ...draft, seq: head.seq + 1 }, sha256)
      if (!link.ok) throw new Error(link.fault)
      head = { seq: head.seq + 1, chain: link.value.chain }
      lines.push(writer.record(link.value))
    }
    for (let run = 0; run < each / RECORDS_EACH; run++) {
      const job = jobs[run % jobs.length]
      if (job?.identity == null) throw new Error("no job was recorded")
      const at = new Date(Date.parse("2026-11-01T00:00:00Z") + run * 240_000).toISOString()
      const lease = crypto.randomUUID()
      const intent = { ...job, at, lease, identity: { ...job.identity, run_id: String(run) } }
      const { claims: _, ...rest } = intent
      add(intent)
      add({ ...rest, event: "exchange.minted", decision: null, reason: "minted" })
      add(brokersDraft("lease.closed", { at: new Date(at), requestId: lease, lease, reason: "expires-only 1" }))
    }
    appendFileSync(file, [...lines, writer.head(head)].map((line) => `${line}\n`).join(""))
  }
  appendFileSync(file, `${writer.end()}\n`)
}
