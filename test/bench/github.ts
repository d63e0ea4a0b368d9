import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { stringify } from "yaml"
import { startNodeBroker } from "../support/broker-node.ts"
import { CONCURRENCY, type Shot } from "./load.ts"
import { figuresOf, race, ratioOf } from "./race.ts"
import { BARE_AUDIENCE, startRoute, startScript } from "./script.ts"
import { atLeast, type Bench, type Section } from "./section.ts"

const GRANT = "release"
/** Each revocation needs an exchange before. */
const SHOTS = 300

interface Stand {
  readonly url: string
  readonly appId: string
  /** PEM in PKCS#8. */
  readonly key: string
}

/**
 * Tokens of a GitHub App, and their way back, against bare routes that record nothing. All ask the same strict stand-in for
 * GitHub, on loopback and without a delay, so what counts is what they do themselves. `bare_route` keeps the App's JWT as the
 * broker does. `bare_route_signing` signs one for each token, as GitHub's own example does.
 */
export async function measureGithub(bench: Bench): Promise<Section> {
  const github = JSON.parse((await startScript(bench, "github-server.ts")).said) as Stand
  const route = (...how: string[]) => {
    const args = [bench.issuer.issuer, BARE_AUDIENCE, github.url, github.appId, ...how]
    return startRoute(bench, "bare-github-route.ts", args, { APP_KEY: github.key })
  }
  const kept = await route()
  const signing = await route("signing")
  const policies = join(bench.folder, "github-policies")
  writePolicies(policies, bench.issuer.issuer, github)
  const broker = await startNodeBroker({ policies, settings: { APP_KEY: github.key } })
  bench.ends.defer(async () => void (await broker.stop()))
  const ours = { url: broker.url, pids: [broker.pid] }

  const exchanges = (audience: string) => (count: number) =>
    bench.issuer.mint(count, audience).map((token): Shot => ({ token, body: JSON.stringify({ grants: [GRANT] }) }))
  const arms = {
    bare_route: { ...kept, shots: exchanges(BARE_AUDIENCE) },
    bare_route_signing: { ...signing, shots: exchanges(BARE_AUDIENCE) },
    github_exchange: { ...ours, shots: exchanges(broker.url) },
    github_revocation: { ...ours, shots: (count: number) => revocations(bench, broker.url, count) },
  }
  const raced = await race(bench, arms, { shots: SHOTS })
  return {
    rows: [
      atLeast(
        "github grant against a bare route that records nothing",
        ratioOf(raced, "github_exchange", "bare_route"),
        0.8,
      ),
      atLeast(
        "revocation of a github token against its exchange",
        ratioOf(raced, "github_revocation", "github_exchange"),
        1,
      ),
    ],
    figures: {
      against_a_route_that_signs_each_time_ratio: ratioOf(raced, "github_exchange", "bare_route_signing"),
    },
    arms: figuresOf(raced),
  }
}

/** Opens `count` leases, and returns the requests that end them. */
async function revocations({ issuer }: Pick<Bench, "issuer">, url: string, count: number): Promise<readonly Shot[]> {
  const opening = issuer.mint(count, url)
  const ending = issuer.mint(count, url)
  const shots: Shot[] = []
  const open = async () => {
    for (let token = opening.pop(); token !== undefined; token = opening.pop()) {
      const response = await fetch(`${url}/v1/exchange`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ grants: [GRANT] }),
      })
      if (!response.ok) throw new Error(`the broker answered ${response.status}: ${await response.text()}`)
      const { lease } = (await response.json()) as { lease: string }
      shots.push({ token: ending.pop() ?? "", body: "", method: "DELETE", path: `/v1/leases/${lease}` })
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, open))
  return shots
}

function writePolicies(folder: string, issuer: string, github: Stand): void {
  mkdirSync(folder)
  const organisation = {
    version: 1,
    issuers: { github: { family: "github-actions", url: issuer, owners: { acme: "9001" } } },
    connections: {
      github: {
        provider: "github",
        app_id: github.appId,
        key: "env:APP_KEY",
        owner: "acme",
        owner_id: "9001",
        api_url: github.url,
      },
    },
    // One repository makes all exchanges here.
    limits: [{ when: { repository: "acme/*" }, exchanges_per_minute: 100_000, open_leases: 1_000_000 }],
  }
  const policy = {
    version: 1,
    repository: "acme/shop",
    repository_id: "41",
    environment: "production",
    allow: [{ name: "main", when: { ref: "refs/heads/main", event_name: "push" }, grants: [GRANT] }],
    grants: {
      [GRANT]: { connection: "github", repositories: ["shop"], permissions: { contents: "write" }, ttl: "10m" },
    },
  }
  writeFileSync(join(folder, "daypass.yaml"), stringify(organisation))
  writeFileSync(join(folder, "shop.yaml"), stringify(policy))
}
