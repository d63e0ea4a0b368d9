import * as z from "zod"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { parsePlainUrl } from "../../broker/core/url.ts"
import { HttpError } from "../../broker/ports/http.ts"
import { SIGN_IN_PATH, type SignInIssuer } from "../../broker/wire/sign-in.ts"
import { brokerUrl } from "../explain/broker.ts"
import type { CliIo } from "../io.ts"

/** Where a person signs in. */
export interface Provider {
  readonly issuer: URL
  /** As the organisation file spells it: the `iss` of its tokens. */
  readonly url: string
  readonly clientId: string
  /** The broker that named it; null when it was named by hand. */
  readonly broker: string | null
}

/** The options that say where. */
export interface ProviderOptions {
  readonly broker?: string
  readonly provider?: string
  readonly issuer?: string
  readonly clientId?: string
}

const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 64 * 1024

const answerSchema = z.object({
  people: z.array(z.object({ name: z.string(), url: z.string(), client_id: z.string().min(1) })).max(100),
})

/** Finds the provider: by its two options, or by what the broker publishes. The fault is a sentence. */
export async function findProvider(options: ProviderOptions, io: CliIo): Promise<Result<Provider, string>> {
  const { broker, issuer, clientId, provider } = options
  if (issuer !== undefined || clientId !== undefined) {
    if (broker !== undefined || provider !== undefined) return fail(`--issuer and --client-id ${STAND_ALONE}`)
    if (issuer === undefined || clientId === undefined) return fail("--issuer and --client-id need each other")
    return providerOf(issuer, clientId, null)
  }
  if (broker === undefined) return fail("name the broker with --broker, or the provider with --issuer and --client-id")
  const url = brokerUrl(broker)
  if (url === null) return fail("--broker must be the broker's https URL without a path")
  const published = await askBroker(url, io)
  if (!published.ok) return published
  const chosen = choose(published.value, provider)
  return chosen.ok ? providerOf(chosen.value.url, chosen.value.client_id, url.origin) : chosen
}

const STAND_ALONE = "name the provider, so leave --broker and --provider out"

function choose(people: readonly SignInIssuer[], name: string | undefined): Result<SignInIssuer, string> {
  const names = people.map((one) => one.name).join(", ")
  if (people.length === 0) return fail("this broker serves no people: its organisation file lists no issuer of theirs")
  if (name === undefined && people.length > 1) return fail(`choose where to sign in with --provider: ${names}`)
  const chosen = name === undefined ? people[0] : people.find((one) => one.name === name)
  return chosen === undefined ? fail(`this broker knows no provider of that name, only: ${names}`) : ok(chosen)
}

async function askBroker(broker: URL, io: CliIo): Promise<Result<readonly SignInIssuer[], string>> {
  try {
    const { status, body } = await io.http({
      method: "GET",
      url: new URL(SIGN_IN_PATH, broker).href,
      headers: { accept: "application/json" },
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
    if (status !== 200) return fail(`the broker at ${broker.origin} answered HTTP ${status}: is it a Daypass broker?`)
    const parsed = answerSchema.safeParse(JSON.parse(new TextDecoder().decode(body)))
    if (parsed.success) return ok(parsed.data.people)
  } catch (error) {
    if (error instanceof HttpError) return fail(`the broker at ${broker.origin} cannot be asked (${error.reason})`)
    if (!(error instanceof SyntaxError)) throw error
  }
  return fail(`the broker at ${broker.origin} does not say how people sign in: is it a Daypass broker?`)
}

function providerOf(issuer: string, clientId: string, broker: string | null): Result<Provider, string> {
  if (parsePlainUrl(issuer) === null) return fail("the issuer must be an https URL, spelt as in its tokens")
  if (!/^[!-~]{1,512}$/.test(clientId)) return fail("the client's id must be ASCII without spaces")
  return ok({ issuer: new URL(issuer), url: issuer, clientId, broker })
}
