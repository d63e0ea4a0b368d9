import assert from "node:assert/strict"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { denial } from "../contract/ledger-samples.ts"
import { githubClaims } from "../support/github-claims.ts"
import { installPackage, type PackagedRun, runNode } from "../support/packaged.ts"
import { installNodes } from "./nodes.ts"
import type { Check } from "./run.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** One call of the command line in a folder that `makeWorld` made, and how it ends. */
interface Story {
  readonly args: readonly string[]
  readonly code: number
  readonly input?: string
  /** Sealing draws random bytes: no two runs print the same. */
  readonly random?: true
  /** Needs node:sqlite, which Node 20 has not. */
  readonly sqlite?: true
}

const STORIES: readonly Story[] = [
  { args: ["--version"], code: 0 },
  { args: ["--help"], code: 0 },
  { args: ["no-such-command"], code: 2 },
  { args: ["init", "acme/new", "--repository-id", "7", "--owner-id", "9001", "--dir", "made"], code: 0 },
  { args: ["check", "policies"], code: 0 },
  { args: ["check", "policies", "--json"], code: 0 },
  { args: ["check", "faulty"], code: 1 },
  { args: ["test", "policies"], code: 0 },
  { args: ["who-can", "policies"], code: 0 },
  { args: ["diff", "policies", "wider"], code: 3 },
  { args: ["diff", "wider", "policies"], code: 0 },
  { args: ["explain", "--policies", "policies", "--claims", "claims.json", "--grants", "aws-deploy"], code: 1 },
  { args: ["schema"], code: 0 },
  { args: ["seal", "--for", "VAULT_TOKEN"], code: 0, input: "canary", random: true },
  { args: ["push", "policies", "--dry-run"], code: 0 },
  { args: ["audit", "verify", "trail.jsonl"], code: 0 },
  { args: ["audit", "export", "--data", "missing"], code: 2, sqlite: true },
  { args: ["audit", "export", "--data", "data"], code: 0, sqlite: true },
]

/** The package from its tarball on every Node that it promises. Each answers to the letter as the Node of this checkout. */
export async function packageCase(_programs: string, check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-package-"))
  const command = await installPackage(folder)
  const world = join(folder, "world")
  await makeWorld(world)
  /** Tells stories to one Node, in a copy of the world, once each. */
  const listener = (node: string, name: string) => {
    const cwd = join(folder, name)
    cpSync(world, cwd, { recursive: true })
    const told = new Map<Story, PackagedRun>()
    return async (story: Story): Promise<PackagedRun> => {
      const known = told.get(story) ?? (await answerOf(node, command, cwd, story))
      told.set(story, known)
      return known
    }
  }
  const ours = listener(process.execPath, "ours")
  const { version } = process
  for (const story of STORIES) {
    await check(`Node ${version.slice(1)}: daypass ${story.args.join(" ")} ends with ${story.code}`, async () => {
      const { code, out, err } = await ours(story)
      assert.equal(code, story.code, `${out}${err}`)
    })
  }
  for (const [other, node] of await installNodes()) {
    const theirs = listener(node, other)
    for (const story of STORIES) {
      const lacking = story.sqlite && !hasSqlite(other)
      const ends = lacking ? "says which Node it needs" : `answers as on Node ${version.slice(1)}`
      await check(`Node ${other}: daypass ${story.args.join(" ")} ${ends}`, async () => {
        const [expected, told] = [await ours(story), await theirs(story)]
        if (lacking) assert.deepEqual(told, { code: 2, out: "", err: needsSqlite(other) })
        else if (story.random) assert.deepEqual([told.code, told.err], [expected.code, expected.err])
        else assert.deepEqual(told, expected)
      })
    }
    await check(`Node ${other}: daypass serve says that the broker needs Node 24`, async () => {
      const { code, out, err } = await runNode(
        node,
        [command, "serve", "--url", "http://127.0.0.1:8787", "--data", "data"],
        { cwd: folder, env: {} },
      )
      assert.deepEqual([code, out], [2, ""])
      assert.ok(err.startsWith(`The broker needs Node 24 or newer, and this is Node ${other}.`), err)
    })
  }
}

const hasSqlite = (version: string) => Number.parseInt(version, 10) >= 22
const needsSqlite = (version: string) =>
  `daypass: audit export needs Node 22.13 or newer, which has node:sqlite; this is v${version}\n`

async function answerOf(node: string, command: string, cwd: string, story: Story): Promise<PackagedRun> {
  const { code, out, err } = await runNode(node, [command, ...story.args], {
    cwd,
    env: {
      PATH: dirname(node),
      HOME: cwd,
      TMPDIR: cwd,
      DAYPASS_URL: "https://daypass.example.com",
      DAYPASS_KEK: Buffer.from(Array.from({ length: 32 }, (_, at) => at * 5)).toString("base64"),
    },
    ...(story.input !== undefined && { input: story.input }),
  })
  // Node's own word about node:sqlite, which each version has its own of.
  return { code, out, err: err.replaceAll(/^\(.*(?:ExperimentalWarning: SQLite|--trace-warnings).*\n/gm, "") }
}

/** A job that the policies let in, but for its environment's protection: offline, that is not known. */
const JOB = {
  iss: "https://token.actions.githubusercontent.com",
  repository: "acme/shop",
  repository_id: "41",
  repository_owner_id: "9001",
  environment: "production",
  ref: "refs/heads/main",
}

/** What the stories read: policies, wider ones, faulty ones, a job's claims, a ledger and its trail. */
async function makeWorld(cwd: string): Promise<void> {
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), text)
  }
  const change = (path: string, from: string, to: string) => {
    const text = readFileSync(join(cwd, path), "utf8")
    assert.ok(text.includes(from), `${path} has ${from}`)
    put(path, text.replace(from, to))
  }
  for (const name of ["policies", "wider", "faulty"])
    cpSync(join(ROOT, "examples/control-repository/policies"), join(cwd, name), { recursive: true })
  change("wider/acme/services.yaml", "event_name: push", "event_name: [push, workflow_dispatch]")
  change("wider/acme/shop/production.yaml", "ttl: 15m", "ttl: 30m")
  change("faulty/acme/services.yaml", "ttl: 15m", "tll: 15m")
  put("claims.json", JSON.stringify(githubClaims(JOB)))
  // Stands in for wrangler, over a namespace without keys.
  put(
    "node_modules/wrangler/bin/wrangler.js",
    `const [, , ...args] = process.argv
const keys = args.slice(0, 3).join(" ") === "kv bulk get" ? JSON.parse(require("node:fs").readFileSync(args[3], "utf8")) : []
process.stdout.write(JSON.stringify(keys.length > 0 ? Object.fromEntries(keys.map((key) => [key, null])) : []))`,
  )
  const store = openNodeStore(join(cwd, "data"))
  for (const repository of ["7", "41"])
    await store.ledgers.of("https://issuer.example", repository).admit(denial("token"))
  await store.close()
  put("trail.jsonl", [...readAuditTrail(join(cwd, "data"))].map((line) => `${line}\n`).join(""))
}
