import { randomBytes } from "node:crypto"
import type { Installation, IssuedToken } from "./model.ts"

const TOKEN_MS = 60 * 60_000

/** `opaque`: forty characters, as GitHub Enterprise Server has them. `stateless`: as long as github.com's are since 2026. */
export type TokenForm = "opaque" | "stateless"

/** All tokens that were given and not taken back. */
export class InstallationTokens {
  readonly #tokens = new Map<string, IssuedToken>()
  readonly #form: TokenForm
  readonly #now: () => number

  constructor(form: TokenForm, now: () => number) {
    this.#form = form
    this.#now = now
  }

  issue(token: Omit<IssuedToken, "expiresAt">): { readonly token: string; readonly expiresAt: Date } {
    const text = `ghs_${this.#form === "opaque" ? letters(27) : stateless()}`
    // To the second, as the answer says it.
    const expiresAt = new Date(Math.floor((this.#now() + TOKEN_MS) / 1000) * 1000)
    this.#tokens.set(text, { ...token, expiresAt: expiresAt.getTime() })
    return { token: text, expiresAt }
  }

  /** Undefined for a token that was made up, that ended or that was revoked. */
  find(text: string): IssuedToken | undefined {
    const token = this.#tokens.get(text)
    return token !== undefined && token.expiresAt > this.#now() ? token : undefined
  }

  revoke(text: string): void {
    this.#tokens.delete(text)
  }

  revokeAll(): void {
    this.#tokens.clear()
  }

  forgetInstallation(installation: Installation): void {
    for (const [text, token] of this.#tokens) if (token.installation === installation) this.#tokens.delete(text)
  }

  /** How many are good now. */
  get alive(): number {
    return [...this.#tokens.keys()].filter((text) => this.find(text) !== undefined).length
  }
}

const letters = (bytes: number) => randomBytes(bytes).toString("base64url").replace(/[-_]/g, "x")

/** `APPID_` and what looks like a JWT, without a meaning that a client could come to rely on. */
const stateless = () =>
  `730001_${letters(60)}.${letters(210)}.${randomBytes(96).toString("base64url").replace(/-/g, "_")}`
