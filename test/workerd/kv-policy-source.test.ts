import { reset } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { beforeEach, describe, expect, test } from "vitest"
import { createKvPolicySource, POLICIES_FRESH_SECONDS } from "../../broker/adapters/cloudflare/kv-policy-source.ts"
import { createCloudflareGuards } from "../../broker/adapters/cloudflare/ledgers.ts"
import { compiledPolicy } from "../../broker/core/policy/compiled.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { CURRENT_KEY } from "../../broker/core/policy/published.ts"
import { published } from "../../cli/push/publication.ts"
import { policySourceSuite } from "../contract/policy-source.suite.ts"
import { job } from "../core/job.ts"
import { allowing, setOf, TEST_PROVIDERS } from "../core/policy/support.ts"
import { clockOf } from "../support/clock.ts"
import { objects } from "./objects.ts"

const { POLICIES } = env as unknown as { readonly POLICIES: KVNamespace }
const START = Date.parse("2026-11-22T12:00:00Z")
const ONE = setOf({ "p.yaml": allowing("{ ref: refs/heads/main }") })
const TWO = setOf({ "p.yaml": allowing("{ ref: refs/heads/trunk }") })

async function put(set: PolicySet, at: number): Promise<void> {
  const { current, entries } = published(set, new Date(at))
  for (const [key, text] of entries) await POLICIES.put(key, text)
  await POLICIES.put(CURRENT_KEY, JSON.stringify(current))
}

let now = START
const open = () =>
  createKvPolicySource(POLICIES, {
    clock: clockOf(() => new Date(now)),
    providers: TEST_PROVIDERS,
    floor: createCloudflareGuards(objects.KEY_RING),
    publishers: [],
    log: () => {},
  })

beforeEach(async () => {
  // The floor with everything else.
  await reset()
  now = START
  for (const { name } of (await POLICIES.list()).keys) await POLICIES.delete(name)
})

describe("policies in the Workers KV of workerd", () => {
  policySourceSuite(async () => {
    await put(ONE, START)
    return open()
  })

  test("are nobody's before anything is published", async () => {
    await expect(open().snapshot()).rejects.toMatchObject({ code: "policy_unavailable" })
  })

  test("are those of the next set once its time has come, and the old keys may go", async () => {
    await put(ONE, START)
    const source = open()
    const shapes = async () => (await (await source.snapshot()).policiesOf(job())).policies.map(compiledPolicy)
    expect(await shapes()).toEqual(ONE.policiesOf(job()).map(compiledPolicy))
    await put(TWO, START + 1)
    for (const key of published(ONE, new Date(START)).entries.keys()) await POLICIES.delete(key)
    expect(await shapes()).toEqual(ONE.policiesOf(job()).map(compiledPolicy))
    now += POLICIES_FRESH_SECONDS * 1000
    expect(await shapes()).toEqual(TWO.policiesOf(job()).map(compiledPolicy))
  })
})
