import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type RunningBroker, type StartBroker, send } from "../flow/world.ts"
import { type GitHub, startGitHub } from "./github.ts"
import { type Page, Person } from "./openid/person.ts"
import { CLIENT, type OpenIdProvider, openIdProvider } from "./openid/provider.ts"
import type { Vendor } from "./vendor.ts"
import { connectionLines, TOOLS, toolsJob, trustBroker, vendorSecrets, writeToolsPolicy } from "./vendor-world.ts"
import { startGitHubVendor } from "./vendors/github.ts"

/** A broker with a console, the company's OpenID provider, jobs that got something and jobs that were denied. */
export interface ConsoleWorld {
  readonly broker: RunningBroker
  readonly github: GitHub
  readonly provider: OpenIdProvider
  /** A grant of acme/tools that can be revoked, and its connection. */
  readonly grant: string
  readonly connection: string
  /** A job of acme/tools asks for a grant; with `token`, the job of that token. */
  ask(
    grant?: string,
    by?: { readonly claims?: Readonly<Record<string, string>>; readonly token?: string },
  ): ReturnType<typeof send>
  /** A person in a browser without scripts, signed in to the console. `ann` may do everything, `bob` may read acme/tools alone. */
  signIn(name: string, to?: string, grant?: string): Promise<{ readonly person: Person; readonly page: Page }>
  close(): Promise<void>
}

const PEOPLE = `version: 1
issuer: staff
people: true
allow:
  - { name: those on call, when: { email: ann@example.com }, grants: [operator] }
  - { name: the team of tools, when: { email: bob@example.com }, grants: [team] }
  - { name: the scraper, when: { email: eve@example.com }, grants: [scraper, dev-token] }
grants:
  operator: { connection: operators, may: [audit.read, leases.read, leases.revoke, stop, keys.rotate, policies.read] }
  team: { connection: operators, may: [audit.read, policies.read], units: ["github:${TOOLS.repository_id}"] }
  scraper: { connection: operators, may: [metrics.read] }
  dev-token: { connection: dev, audience: "https://dev.example.com", ttl: 5m }
`

const SHOP_PRODUCTION = `version: 1
issuer: github
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - { name: deploy from main, when: { ref: refs/heads/main, event_name: [push, workflow_dispatch] }, grants: [aws-deploy, aws-assets, ci-token] }
deny:
  - { name: never on our own runners, when: { runner_environment: { not: github-hosted } } }
grants:
  aws-deploy: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/shop-deploy", ttl: 30m }
  aws-assets: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/shop-assets", ttl: 15m }
  ci-token: { connection: ci, audience: "https://vault.example.com", ttl: 5m }
`

const SHOP = `version: 1
issuer: github
repository: acme/shop
repository_id: "41"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [ci-token] }
grants:
  ci-token: { connection: ci, audience: "https://vault.example.com", ttl: 5m }
`

export async function startConsoleWorld(startBroker: StartBroker): Promise<ConsoleWorld> {
  const ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-console-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [github, provider, api] = await Promise.all([startGitHub(), openIdProvider(), startGitHubVendor()])
  for (const one of [github, provider, api]) ends.defer(() => one.close())
  const policies = join(folder, "policies")
  mkdirSync(join(policies, "acme"), { recursive: true })
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
  staff: { family: openid, url: "${provider.url}", audience: ${CLIENT} }
connections:
  operators: { provider: broker, may: [audit.read, leases.read, leases.revoke, stop, keys.rotate, metrics.read, policies.read], people: true }
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
  ci: { provider: identity-token, audiences: ["https://vault.example.com"] }
  dev: { provider: identity-token, audiences: ["https://dev.example.com"], people: true }
${connectionLines([api])}boundaries:
  - { name: production accounts, when: { repository: acme/shop }, allow: [{ connection: aws-prod, role: "arn:aws:iam::111122223333:role/shop-*" }, { connection: ci }], require: { repository_visibility: private } }
`,
  )
  writeFileSync(join(policies, "people.yaml"), PEOPLE)
  writeFileSync(join(policies, "acme/shop.yaml"), SHOP)
  writeFileSync(join(policies, "acme/shop-production.yaml"), SHOP_PRODUCTION)
  writeToolsPolicy(policies, [api])
  const broker = await startBroker({ policies, settings: vendorSecrets([api]) })
  ends.defer(async () => void (await broker.stop()))
  await trustBroker([api], broker.url)
  const [grant = ""] = Object.keys((api as Vendor).grants)
  const [connection = ""] = Object.keys(api.connections)
  let runs = 500
  return {
    ...{ broker, github, provider, grant, connection },
    async ask(name = grant, by = {}) {
      const token =
        by.token ?? (await github.mint({ ...toolsJob(`${++runs}`), ...by.claims }, { audience: broker.url }))
      return await send(broker, "/v1/exchange", { token, body: { grants: [name] } })
    },
    async signIn(name, to = "/console", asked = name === "bob" ? "team" : "operator") {
      const person = new Person()
      const query = new URLSearchParams({ issuer: "staff", grant: asked, to })
      const login = await person.open(`${broker.url}/console/sign-in?${query}`)
      const consent = await person.submit(login, { prompt: "login", login: name, password: "any" })
      return { person, page: await person.submit(consent, { prompt: "consent" }) }
    },
    close: () => ends.disposeAsync(),
  }
}
