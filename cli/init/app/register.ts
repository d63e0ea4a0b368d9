import * as z from "zod"
import { Secret } from "../../../broker/core/secret.ts"
import { jsonOfUtf8 } from "../../../broker/core/utf8.ts"
import { importAppKey } from "../../../broker/github/app-key.ts"
import { HttpError, type HttpResponse } from "../../../broker/ports/http.ts"
import type { CliIo } from "../../io.ts"
import { LoginError } from "../../login/login-error.ts"
import { openLoopback } from "../../login/loopback.ts"
import { Refusal } from "../refusal.ts"
import { manifestOf, type Permissions, registrationUrl, startPage, webOf } from "./manifest.ts"

/** A GitHub App that has just been made. */
export interface NewApp {
  readonly id: string
  readonly slug: string
  readonly key: Secret<string>
  /** The App's page, where a person installs it. */
  readonly page: string
}

export interface Wish {
  readonly api: string
  /** The organisation that will own it; null for the person. */
  readonly organisation: string | null
  readonly name: string
  /** The broker's, which is the App's homepage. */
  readonly url: string
  readonly permissions: Permissions
}

/** GitHub's code is good for an hour; a person who reads needs minutes. */
const TIMEOUT_MS = 15 * 60_000
const CONVERSION_TIMEOUT_MS = 20_000
const MAX_ANSWER_BYTES = 64 * 1024

const WORDS = {
  accepted: "The GitHub App is made, and its key is in the terminal's hands. You can close this window.",
  foreign: "This answer belongs to another registration.",
  refused: "The GitHub App cannot be used. The terminal says why.",
  late: "made the GitHub App",
}

/**
 * Has a person register an App in the browser, and gets its private key from GitHub, which gives it this once. `state` ties the
 * answer to this registration: another page cannot slip in an App of its own.
 * @throws {Refusal}
 */
export async function registerApp(wish: Wish, io: CliIo, show: (address: string) => void): Promise<NewApp> {
  const { api, organisation, name, url, permissions } = wish
  const state = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")
  const loopback = await openLoopback(0, WORDS).catch(asRefusal)
  try {
    const manifest = manifestOf({ name, url, permissions, redirectUri: loopback.redirectUri })
    const web = webOf(api)
    const html = startPage(registrationUrl(web, organisation, state), manifest, permissions)
    const made = loopback.answer(async (parameters) => {
      if (parameters.get("state") !== state) return null
      return await convert(parameters.get("code") ?? "", wish, io)
    }, TIMEOUT_MS)
    show(loopback.serve({ html, formAction: web }))
    return await made.catch(asRefusal)
  } finally {
    loopback.close()
  }
}

function asRefusal(error: unknown): never {
  throw error instanceof LoginError ? new Refusal(error.message) : error
}

const conversion = z.object({
  id: z.int().positive(),
  slug: z.string().regex(/^[a-z0-9-]{1,100}$/),
  pem: z.string(),
  html_url: z.string(),
  owner: z.object({ login: z.string() }),
  permissions: z.record(z.string(), z.string()),
})

async function convert(code: string, { api, organisation, permissions }: Wish, io: CliIo): Promise<NewApp> {
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(code)) throw new Refusal("GitHub's answer has no code: make the App again")
  let response: HttpResponse
  try {
    response = await io.http({
      method: "POST",
      url: `${api}/app-manifests/${code}/conversions`,
      headers: { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" },
      timeoutMs: CONVERSION_TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    throw new Refusal(
      `GitHub (${api}) cannot be asked for the App's key (${error.reason}): delete the App, and make it again`,
    )
  }
  if (response.status !== 201)
    throw new Refusal(
      `GitHub answered HTTP ${response.status} when asked for the App's key: delete the App if there is one, and make it again`,
    )
  const parsed = conversion.safeParse(jsonOfUtf8(response.body))
  if (!parsed.success) throw new Refusal("GitHub's answer about the new App is not what its documentation says")
  const { id, slug, pem, html_url: page, owner, permissions: given } = parsed.data
  if (organisation !== null && owner.login.toLowerCase() !== organisation.toLowerCase())
    throw new Refusal(`the new App belongs to ${owner.login}, not to ${organisation}: delete it, and make it again`)
  const more = Object.keys(given).filter(
    (one) => given[one] !== (permissions[one] ?? (one === "metadata" ? "read" : undefined)),
  )
  if (more.length > 0)
    throw new Refusal(
      `the new App has other permissions than asked for (${more.join(", ")}): delete it, and make it again`,
    )
  const key = new Secret(pem.trim())
  const imported = await importAppKey(key)
  if (!imported.ok) throw new Refusal(`the new App's key ${imported.fault}`)
  return { id: String(id), slug, key, page: page.startsWith(`${webOf(api)}/`) ? page : webOf(api) }
}
