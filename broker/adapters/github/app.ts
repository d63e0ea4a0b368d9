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

/** GitHub as one GitHub App sees it. Only ever reads. */
export interface GitHubApp {
  /** Asks for one thing of one repository, under a token for that repository and that permission. Never throws for what GitHub does. */
  get(question: Question): Promise<Answer>
}

export interface Question {
  /** Decides: a name can be taken over, and GitHub answers an old one with a redirect. */
  readonly repositoryId: string
  readonly permission: Permission
  /** Below the repository: empty, or with a slash in front and its parts encoded. */
  readonly path: string
  /** That of an answer at hand, which is then not sent again. */
  readonly etag?: string | null
  readonly maxBytes: number
  /** Unix milliseconds. */
  readonly deadline: number
}

const MAX_TOKENS = 5_000
/** Tokens live an hour. None is used in its last minutes, so that none ends on its way. */
const TOKEN_MARGIN_MS = 5 * 60_000
/** Limits are an installation's, or the App's own. */
const MAX_PAUSES = 1_000
const APP = "app"

/**
 * Makes GitHub readable through a GitHub App.
 *
 * Tokens stay in this instance's memory, one for each repository and permission. While GitHub asks for patience, nothing
 * is sent for that installation: whoever goes on asking may be banned.
 *
 * @throws {BrokerError} `configuration_invalid` when the key is not usable; says why, and never shows it
 */
export async function createGitHubApp({ apiUrl, appId, key, http, clock }: GitHubAppOptions): Promise<GitHubApp> {
  const imported = await importAppKey(key)
  if (!imported.ok) throw new BrokerError("configuration_invalid", `The GitHub App's private key ${imported.fault}`)
  const api = createApi(apiUrl, http, clock)
  const appToken = createAppTokens(appId, imported.value, clock)
  const tokens = createBoundedCache<InstallationToken>(MAX_TOKENS)
  const pauses = createBoundedCache<number>(MAX_PAUSES)

  const nowMs = () => clock.now().getTime()

  function pauseOf(whose: string): RateLimited | null {
    const left = (pauses.get(whose) ?? 0) - nowMs()
    return left > 0 ? { outcome: "rate-limited", retryAfterSeconds: Math.ceil(left / 1000) } : null
  }

  function noting<Any extends Answer | InstallationToken>(whose: string, answer: Any): Any {
    if (answer.outcome === "rate-limited") pauses.set(whose, nowMs() + answer.retryAfterSeconds * 1000)
    return answer
  }

  async function freshToken(question: Question): Promise<InstallationToken | Refusal> {
    const pause = pauseOf(APP)
    if (pause !== null) return pause
    const { repositoryId, permission, deadline } = question
    const request = { repositoryId, permission, deadline, app: await appToken(), now: clock.now() }
    const minted = noting(APP, await mintInstallationToken(request, api))
    if (minted.outcome === "ok") tokens.set(keyOf(question), minted)
    return minted
  }

  async function ask({ repositoryId, path, ...question }: Question, { token, installationId }: InstallationToken) {
    const whose = `installation ${installationId}`
    const { etag, maxBytes, deadline } = question
    const request = { path: `/repositories/${repositoryId}${path}`, etag: etag ?? null, maxBytes, deadline }
    return pauseOf(whose) ?? noting(whose, await api({ ...request, method: "GET", bearer: token }))
  }

  return {
    async get(question) {
      if (!isId(question.repositoryId)) return failed("was not asked: that is no repository's id")
      const kept = tokens.get(keyOf(question))
      if (kept !== undefined && nowMs() < kept.expiresAt - TOKEN_MARGIN_MS) {
        const answer = await ask(question, kept)
        if (answer.outcome !== "no-access") return answer
        // What was withdrawn, moved or given since the token was made shows with a new one.
      }
      const fresh = await freshToken(question)
      if (fresh.outcome !== "ok") return fresh
      const answer = await ask(question, fresh)
      if (answer.outcome !== "no-access") return answer
      tokens.delete(keyOf(question))
      return answer.why === "app-rejected" ? failed("did not take the token that it had just given") : answer
    },
  }
}

const keyOf = ({ repositoryId, permission }: Question) => `${repositoryId} ${permission}`

/** A positive whole number that is one in JSON too: GitHub takes ids as numbers. */
const isId = (id: string) => /^[1-9][0-9]{0,15}$/.test(id) && Number.isSafeInteger(Number(id))
