import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import { type Answer, failed, type RateLimited, type Refusal } from "../../github/answer.ts"
import { importAppKey } from "../../github/app-key.ts"
import { createAppTokens } from "../../github/app-token.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Http } from "../../ports/http.ts"
import { createBoundedCache } from "../memory/bounded-cache.ts"
import { createApi } from "./api.ts"
import { type InstallationToken, mintInstallationToken, type Permission } from "./installation-token.ts"

export interface GitHubAppOptions {
  /** `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server. */
  readonly apiUrl: string
  /** The App's id or its client id. */
  readonly appId: string
  /** The App's private key, PEM. */
  readonly key: Secret<string>
  readonly http: Http
  readonly clock: Clock
}

/** Reads from GitHub as a GitHub App. Never writes. */
export interface GitHubApp {
  /**
   * Reads one resource of one repository, with a token for only that repository and permission. Never throws for failures
   * of GitHub.
   */
  get(question: Question): Promise<Answer>
}

export interface Question {
  /** The id decides: a name can be taken over, and GitHub answers an old name with a redirect. */
  readonly repositoryId: string
  readonly permission: Permission
  /** The path below the repository: empty, or with a leading slash and encoded parts. */
  readonly path: string
  /** The ETag of a cached answer, which GitHub then does not send again if it is unchanged. */
  readonly etag?: string | null
  readonly maxBytes: number
  /** On `Clock.elapsed()`. */
  readonly deadline: number
}

const MAX_TOKENS = 5_000
/** Tokens live one hour. They are not used in their last minutes, so that none expires on its way to GitHub. */
const TOKEN_MARGIN_MS = 5 * 60_000
/** Rate limits apply to one installation, or to the App itself. */
const MAX_PAUSES = 1_000
const APP = "app"

/**
 * Makes a reader of GitHub that authenticates as a GitHub App.
 *
 * Tokens stay in this instance's memory, one for each repository and permission. During a rate limit, nothing is sent for
 * that installation, because clients that continue to send requests may be banned.
 *
 * @throws {BrokerError} `configuration_invalid` when the key is not usable; the detail says why, and never shows the key
 */
export async function createGitHubApp({ apiUrl, appId, key, http, clock }: GitHubAppOptions): Promise<GitHubApp> {
  const imported = await importAppKey(key)
  if (!imported.ok) throw new BrokerError("configuration_invalid", `The GitHub App's private key ${imported.fault}`)
  const api = createApi(apiUrl, http, clock)
  const appToken = createAppTokens(appId, imported.value, clock)
  const tokens = createBoundedCache<InstallationToken>(MAX_TOKENS)
  const pauses = createBoundedCache<number>(MAX_PAUSES)

  function pauseOf(account: string): RateLimited | null {
    const left = (pauses.get(account) ?? 0) - clock.elapsed()
    return left > 0 ? { outcome: "rate-limited", retryAfterSeconds: Math.ceil(left / 1000) } : null
  }

  function notePause<Any extends Answer | InstallationToken>(account: string, answer: Any): Any {
    if (answer.outcome === "rate-limited") pauses.set(account, clock.elapsed() + answer.retryAfterSeconds * 1000)
    return answer
  }

  async function freshToken(question: Question): Promise<InstallationToken | Refusal> {
    const pause = pauseOf(APP)
    if (pause !== null) return pause
    const { repositoryId, permission, deadline } = question
    const request = { repositoryId, permission, deadline, app: await appToken(), clock }
    const minted = notePause(APP, await mintInstallationToken(request, api))
    if (minted.outcome === "ok") tokens.set(keyOf(question), minted)
    return minted
  }

  async function ask({ repositoryId, path, ...question }: Question, { token, installationId }: InstallationToken) {
    const account = `installation ${installationId}`
    const { etag, maxBytes, deadline } = question
    const request = { path: `/repositories/${repositoryId}${path}`, etag: etag ?? null, maxBytes, deadline }
    return pauseOf(account) ?? notePause(account, await api({ ...request, method: "GET", bearer: token }))
  }

  return {
    async get(question) {
      if (!isId(question.repositoryId)) return failed("was not asked: the repository's id is invalid")
      const kept = tokens.get(keyOf(question))
      if (kept !== undefined && clock.elapsed() < kept.endsAt - TOKEN_MARGIN_MS) {
        const answer = await ask(question, kept)
        if (answer.outcome !== "no-access") return answer
        // Permissions and installations may have changed since the token was made, so a new token is tried.
      }
      const fresh = await freshToken(question)
      if (fresh.outcome !== "ok") return fresh
      const answer = await ask(question, fresh)
      if (answer.outcome !== "no-access") return answer
      tokens.delete(keyOf(question))
      return answer.why === "app-rejected" ? failed("refused a token that it had just issued") : answer
    },
  }
}

const keyOf = ({ repositoryId, permission }: Question) => `${repositoryId} ${permission}`

/** A positive whole number that JSON can hold exactly, because GitHub expects ids as numbers. */
const isId = (id: string) => /^[1-9][0-9]{0,15}$/.test(id) && Number.isSafeInteger(Number(id))
