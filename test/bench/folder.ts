import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openPolicyFolder, type PolicyFolder } from "../../broker/adapters/node/policy-folder.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { ORGANISATION, policyOf } from "./decide.ts"
import { measurePublished } from "./published.ts"
import { atMost, type Bench, type Section } from "./section.ts"

const MANY = 10_000
const OPEN_BUDGET_MS = 5000

/** Policies of ten thousand repositories: as a folder on Node, and as they are published for the edge. */
export async function measurePolicies({ folder }: Pick<Bench, "folder">): Promise<Section> {
  const opened = await measureFolder(join(folder, "policies"), MANY)
  const published = await measurePublished(MANY)
  return {
    rows: [atMost("a folder of 10,000 policies: time to open against 5 s", opened.open_ms / OPEN_BUDGET_MS, 1)],
    figures: { ...opened, ...published },
  }
}

/** Writes one policy each for `count` repositories, and an organisation file. */
export function writePolicies(folder: string, count: number): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "daypass.yaml"), ORGANISATION)
  for (let id = 1; id <= count; id++) {
    mkdirSync(join(folder, `acme/repository-${id}`), { recursive: true })
    writeFileSync(join(folder, `acme/repository-${id}/production.yaml`), policyOf(id))
  }
}

/** Milliseconds. A block is the longest time in which nothing else was answered. */
interface FolderFigures {
  readonly open_ms: number
  readonly one_changed_ms: number
  readonly one_changed_block_ms: number
  readonly organisation_changed_ms: number
  readonly organisation_changed_block_ms: number
  /** A look that finds nothing new: what every poll costs. */
  readonly unchanged_ms: number
}

/** Writes a folder of policies, opens it, changes one of them, and then the organisation file. */
async function measureFolder(folder: string, count: number): Promise<FolderFigures> {
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text)
  writePolicies(folder, count)
  const from = performance.now()
  // Nothing but what is asked for here looks at the folder; what was just written counts as old, as it would be.
  const source = await openPolicyFolder(folder, PROVIDERS, {
    quietMs: 0,
    pollMs: 3_600_000,
    isWatching: false,
    now: () => Date.now() + 60_000,
  })
  try {
    const open = performance.now() - from
    if (source.status().policies !== count) throw new Error("the bench's policies must all be in force")

    const unchanged = await measureReload(source)
    write("acme/repository-7/production.yaml", policyOf(7).replace("name: deploy", "name: deploys"))
    const one = await measureReload(source)
    write("daypass.yaml", ORGANISATION.replace("version: 1\n", "version: 1\nrequire_bound_token: true\n"))
    const organisation = await measureReload(source)
    return {
      open_ms: open,
      one_changed_ms: one.ms,
      one_changed_block_ms: one.block,
      organisation_changed_ms: organisation.ms,
      organisation_changed_block_ms: organisation.block,
      unchanged_ms: unchanged.ms,
    }
  } finally {
    source.close()
  }
}

/** How long a reload takes, and the longest wait of somebody who asks for a turn again and again meanwhile. */
async function measureReload(source: PolicyFolder): Promise<{ ms: number; block: number }> {
  let block = 0
  let last = performance.now()
  let turn: NodeJS.Immediate
  const next = () => {
    const now = performance.now()
    block = Math.max(block, now - last)
    last = now
    turn = setImmediate(next)
  }
  turn = setImmediate(next)
  const from = performance.now()
  if (!(await source.reload())) throw new Error("the bench's changed policies must be in force")
  const ms = performance.now() - from
  block = Math.max(block, performance.now() - last)
  clearImmediate(turn)
  return { ms, block }
}
