import { createGitHubApp, type GitHubApp } from "../../broker/adapters/github/app.ts"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { Secret } from "../../broker/core/secret.ts"
import { TestClock } from "../support/clock.ts"
import {
  type Account,
  type GitHubApi,
  type HostedRepository,
  type Installation,
  startGitHubApi,
} from "../support/github-api.ts"

export const ACME: Account = { login: "acme", id: 9001 }
export const OTHERS: Account = { login: "globex", id: 9002 }
export const SHOP_ID = 41
export const MINUTE = 60

/** A clock that stands still until it is moved; the stand-in's too. */
export const movableClock = () => new TestClock(Date.parse("2026-11-22T10:00:00Z"))

export interface GitHubWorld {
  readonly api: GitHubApi
  readonly clock: TestClock
  readonly app: GitHubApp
  /** acme/shop, which has a commit. */
  readonly shop: HostedRepository
  readonly installation: Installation
  /** What the stand-in was asked since the last call. */
  asked(): string[]
}

/** GitHub with acme/shop, the App installed on acme, and the broker's view of both. */
export async function makeGitHubWorld(form: "pkcs1" | "pkcs8" = "pkcs1"): Promise<GitHubWorld> {
  const clock = movableClock()
  const api = await startGitHubApi({ now: () => clock.now() })
  const shop = api.host(SHOP_ID, ACME, "shop")
  shop.push({ "README.md": "# Shop\n" })
  const installation = api.install(ACME)
  const http = createHttp({ userAgent: "daypass-test/1" })
  const app = await createGitHubApp({ apiUrl: api.url, appId: api.appId, key: new Secret(api.key[form]), http, clock })
  let seen = 0
  return {
    api,
    clock,
    app,
    shop,
    installation,
    asked() {
      const lines = api.requests.slice(seen)
      seen = api.requests.length
      return lines
    },
  }
}
