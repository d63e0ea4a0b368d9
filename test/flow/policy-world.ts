import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ExchangeAnswer } from "../../broker/wire/exchange.ts"
import type { Trace } from "../../broker/wire/trace.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type GitHubApi, type HostedRepository, type Installation, startGitHubApi } from "../support/github-api.ts"
import { freePort } from "../support/servers.ts"
import { type Sts, startSts } from "../support/sts.ts"
import { formsOf, formsOfPem } from "./canary.ts"
import { REPOSITORIES, type RepositoryName, writeCeilingPolicies } from "./ceiling-policies.ts"
import { DEPLOYMENT, type RunningBroker, type StartBroker, send } from "./world.ts"

const ACME = { login: "acme", id: 9001 }

/** GitHub with its API, AWS STS, and a broker that reads acme's repositories through a GitHub App. */
export interface PolicyWorld {
  readonly github: GitHub
  readonly api: GitHubApi
  readonly sts: Sts
  readonly broker: RunningBroker
  /** The App on acme: on all of its repositories but one. */
  readonly installation: Installation
  readonly repositories: Readonly<Record<RepositoryName, HostedRepository>>
  /** A place in the organisation file as sentences name it, for example `daypass.yaml:13`. */
  placeOf(boundary: string): string
  /** A fresh subject token of a job in that repository's `production`, from main, with these claims instead. */
  token(repository: RepositoryName, claims?: Readonly<Record<string, unknown>>): Promise<string>
  exchange(token: string, ...grants: readonly string[]): Promise<Said>
  explain(token: string, ...grants: readonly string[]): Promise<Said>
  /** The version of the organisation's set, as `/healthz` has it. */
  version(): Promise<string>
  /** The last audit record of a repository. */
  lastRecord(repository: RepositoryName): Promise<unknown>
  /** What GitHub's API was asked since the last call. */
  asked(): readonly string[]
  /** Moves the broker's clock on, GitHub's API's with it. STS has its own. */
  advance(seconds: number): Promise<void>
  /** All that the broker ever let out, by where. */
  everythingSaid(): Promise<Readonly<Record<string, string>>>
  /** Every form of the App's key, of its tokens and of those it got. */
  secretForms(): readonly string[]
  close(): Promise<void>
}

/** An answer of the broker's, read as far as every answer may be. */
export interface Said {
  readonly status: number
  readonly code: unknown
  readonly detail: string
  readonly policyVersion: unknown
  readonly credentials: ExchangeAnswer["credentials"]
  readonly trace: Trace | undefined
  readonly retryAfter: string | null
}

export interface PolicyWorldOptions {
  /** Writes the setting `DAYPASS_GITHUB_APP_KEY`, given the broker's URL and the App's key in both forms. */
  readonly appKey?: (url: string, key: GitHubApi["key"]) => Promise<string> | string
  readonly kek?: string
}

export async function startPolicyWorld(
  startBroker: StartBroker,
  { appKey = (_, { pkcs1 }) => pkcs1, kek }: PolicyWorldOptions = {},
): Promise<PolicyWorld> {
  let aheadMs = 0
  const now = () => new Date(Date.now() + aheadMs)
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-flow-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [github, sts, api] = await Promise.all([startGitHub(), startSts(), startGitHubApi({ now })])
  for (const server of [github, sts, api]) ends.defer(() => server.close())
  const organisation = writeCeilingPolicies(folder, { issuer: github.issuer, sts: sts.url }).split("\n")

  const names = Object.keys(REPOSITORIES) as RepositoryName[]
  const hosted = names.map((name) => [name, api.host(REPOSITORIES[name], ACME, name)] as const)
  for (const [name, repository] of hosted) repository.push({ "README.md": `# ${name}\n` })
  const installation = api.install(ACME, {
    repositories: names.filter((name) => name !== "private").map((name) => REPOSITORIES[name]),
  })

  const port = await freePort()
  const broker = await startBroker({
    policies: folder,
    port,
    movableClock: true,
    ...(kek === undefined ? {} : { kek }),
    settings: {
      DAYPASS_GITHUB_APP_ID: api.appId,
      DAYPASS_GITHUB_APP_KEY: await appKey(`http://127.0.0.1:${port}`, api.key),
      DAYPASS_GITHUB_API_URL: api.url,
      DAYPASS_GITHUB_ISSUER: github.issuer,
    },
  })
  ends.defer(async () => void (await broker.stop()))

  const answers: string[] = []
  const call = async (path: string, token: string, grants: readonly string[]): Promise<Said> => {
    const { status, headers, text, json } = await send(broker, path, { token, body: { grants } })
    answers.push(JSON.stringify([...headers]), text)
    return {
      status,
      code: json["code"],
      detail: String(json["detail"] ?? ""),
      policyVersion: json["policy_version"],
      credentials: (json["credentials"] ?? {}) as Said["credentials"],
      trace: json["trace"] as Trace | undefined,
      retryAfter: headers.get("retry-after"),
    }
  }
  const trailOf = (repository: RepositoryName) => broker.trail(github.issuer, `${REPOSITORIES[repository]}`)
  let seen = 0
  const running = ends.move()

  return {
    github,
    api,
    sts,
    broker,
    installation,
    repositories: Object.fromEntries(hosted) as PolicyWorld["repositories"],
    placeOf: (boundary) => `daypass.yaml:${organisation.indexOf(`  - name: ${boundary}`) + 1}`,
    token: (repository, claims = {}) =>
      github.mint(
        { ...DEPLOYMENT, repository: `acme/${repository}`, repository_id: `${REPOSITORIES[repository]}`, ...claims },
        { audience: broker.url, issuedAt: Math.floor(now().getTime() / 1000) },
      ),
    exchange: (token, ...grants) => call("/v1/exchange", token, grants),
    explain: (token, ...grants) => call("/v1/explain", token, grants),
    async version() {
      const { text, json } = await send(broker, "/healthz")
      answers.push(text)
      return String((json["policies"] as { version?: unknown }).version)
    },
    lastRecord: async (repository) => (await trailOf(repository)).at(-1)?.record,
    asked() {
      const lines = api.requests.slice(seen)
      seen = api.requests.length
      return lines
    },
    async advance(seconds) {
      await broker.advance(seconds)
      aheadMs += seconds * 1000
    },
    async everythingSaid() {
      const trails = await Promise.all(names.map(trailOf))
      return { answers: answers.join("\n"), output: broker.output(), audit: JSON.stringify(trails) }
    },
    secretForms: () => [...Object.values(api.key).flatMap(formsOfPem), ...api.credentials.flatMap(formsOf)],
    close: () => running.disposeAsync(),
  }
}
