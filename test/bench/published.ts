import { createKvPolicySource, POLICIES_FRESH_SECONDS } from "../../broker/adapters/cloudflare/kv-policy-source.ts"
import type { Identity } from "../../broker/core/identity.ts"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import { CURRENT_KEY } from "../../broker/core/policy/published.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { published } from "../../cli/push/publication.ts"
import { clockOf } from "../support/clock.ts"
import { ORGANISATION, policyOf } from "./decide.ts"
import { median } from "./race.ts"

/** Milliseconds and bytes; what an instance at the edge pays is measured on Node, over a store in memory. */
export interface PublishedFigures {
  /** From a loaded set to the texts of all keys. */
  readonly publish_ms: number
  readonly current_bytes: number
  /** All repositories' keys together. */
  readonly repositories_bytes: number
  /** What the first request of an instance pays: `current` parsed, the organisation and the wide policies compiled. */
  readonly first_read_ms: number
  /** What a request pays every 30 seconds while nothing new is published, and when something is. */
  readonly same_again_ms: number
  readonly changed_ms: number
  /** A repository's first job in an instance, and every one after. */
  readonly first_job_ms: number
  readonly next_job_ms: number
}

const ROUNDS = 15
const JOBS = 200

/** Publishes a set with policies of `count` repositories, and reads it as a broker at the edge does. */
export async function measurePublished(count: number): Promise<PublishedFigures> {
  const encoder = new TextEncoder()
  const file = (path: string, text: string) => ({ path, bytes: encoder.encode(text) })
  const policies = Array.from({ length: count }, (_, index) => file(`p/${index + 1}.yaml`, policyOf(index + 1)))
  const loaded = loadPolicySet([file("daypass.yaml", ORGANISATION), ...policies], PROVIDERS)
  if (!loaded.ok) throw new Error(`the bench's policies are faulty: ${loaded.fault[0]?.message}`)

  const asked = Math.min(JOBS, count)
  let from = performance.now()
  const { current, entries } = published(loaded.value, new Date(0))
  const texts = [0, 1].map((at) => JSON.stringify({ ...current, published_at: new Date(at).toISOString() }))
  const publishMs = performance.now() - from

  const times: Record<"first" | "same" | "changed" | "cold" | "warm", number[]> = {
    first: [],
    same: [],
    changed: [],
    cold: [],
    warm: [],
  }
  for (let round = 0; round < ROUNDS; round++) {
    let seconds = 0
    // Written anew each time: a store hands out another string than the one of before.
    let shown = copyOf(texts[0] ?? "")
    const store = { get: async (key: string) => (key === CURRENT_KEY ? shown : (entries.get(key) ?? null)) }
    const clock = clockOf(() => new Date(seconds * 1000))
    const source = createKvPolicySource(store, {
      clock,
      providers: PROVIDERS,
      floor: { raiseFloor: async () => true },
      publishers: [],
      log: () => {},
    })
    const timed = async (into: number[], work: () => Promise<unknown>, times = 1) => {
      from = performance.now()
      await work()
      into.push((performance.now() - from) / times)
    }
    const jobs = async () => {
      const snapshot = await source.snapshot()
      for (let id = 1; id <= asked; id++) {
        if ((await snapshot.policiesOf(identityOf(id))).policies.length !== 1)
          throw new Error("the bench's job has a policy")
      }
    }
    await timed(times.first, () => source.snapshot())
    await timed(times.cold, jobs, asked)
    await timed(times.warm, jobs, asked)
    seconds += POLICIES_FRESH_SECONDS
    shown = copyOf(texts[0] ?? "")
    await timed(times.same, () => source.snapshot())
    seconds += POLICIES_FRESH_SECONDS
    shown = copyOf(texts[1] ?? "")
    await timed(times.changed, () => source.snapshot())
  }
  return {
    publish_ms: publishMs,
    current_bytes: encoder.encode(texts[0]).length,
    repositories_bytes: [...entries.values()].reduce((sum, text) => sum + encoder.encode(text).length, 0),
    first_read_ms: median(times.first),
    same_again_ms: median(times.same),
    changed_ms: median(times.changed),
    first_job_ms: median(times.cold),
    next_job_ms: median(times.warm),
  }
}

const copyOf = (text: string) => Buffer.from(text).toString()

const identityOf = (id: number): Identity => ({
  issuer: "github",
  issuerUrl: "https://token.actions.githubusercontent.com",
  unitKind: "repository",
  unit: `acme/repository-${id}`,
  unitId: String(id),
  owner: "acme",
  ownerId: "9001",
  environment: "production",
  ref: "refs/heads/main",
  refType: "branch",
  event: "push",
  actor: "octocat",
  actorId: null,
  cautions: [],
  runId: "1",
  runAttempt: "1",
  claims: {},
})
