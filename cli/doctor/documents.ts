import { parseKeySet } from "../../broker/issuers/jwks.ts"
import { JWKS_PATH } from "../../broker/signing/discovery.ts"
import { SIGN_IN_PATH } from "../../broker/wire/sign-in.ts"
import { counted } from "../format.ts"
import type { CliIo } from "../io.ts"
import { type Got, get, getObject, objectIn } from "./ask.ts"
import { type DoctorFinding, findingsFor } from "./finding.ts"

export const DISCOVERY_PATH = "/.well-known/openid-configuration"

/** What AWS, Google, Entra and Vault all verify. */
const ALGORITHM = "RS256"

/** The discovery document: clouds compare its issuer with what they were told, as text. */
export function issuerFinding(broker: string, { response }: Got): DoctorFinding {
  const { ok, fix } = findingsFor("issuer")
  const document = response.status === 200 ? objectIn(response) : null
  if (document === null) {
    return fix(
      `${DISCOVERY_PATH} answers HTTP ${response.status} and no JSON object. This is no broker, or a proxy before it blocks the path: it must be public.`,
    )
  }
  const { issuer, jwks_uri: keys, id_token_signing_alg_values_supported: algorithms } = document
  if (issuer !== broker) {
    return fix(
      `The broker calls itself ${text(issuer)}, and not ${broker}. Clouds compare the two as text: set DAYPASS_URL to the address that jobs and clouds use, or use the other address.`,
    )
  }
  if (keys !== `${broker}${JWKS_PATH}`) return fix(`The discovery document names other keys: ${text(keys)}.`)
  if (!Array.isArray(algorithms) || !algorithms.includes(ALGORITHM)) {
    return fix(`The discovery document does not name ${ALGORITHM}, which clouds demand.`)
  }
  return ok(`The broker is the issuer ${broker}.`)
}

/** The key set, by the rules with which the broker itself reads those of other issuers. */
export async function keysFinding(broker: string, io: CliIo): Promise<DoctorFinding> {
  const { ok, fix } = findingsFor("keys")
  const got = await get(`${broker}${JWKS_PATH}`, io)
  if (!got.ok) return fix(`${JWKS_PATH} ${got.fault}.`)
  const { response } = got.value
  if (response.status !== 200) return fix(`${JWKS_PATH} answers HTTP ${response.status}. /healthz and the log say why.`)
  const keys = parseKeySet(response.body)
  if (!keys.ok) return fix(`The broker cannot be trusted by anybody: ${keys.fault}.`)
  const listed = objectIn(response)?.["keys"]
  const unusable = (Array.isArray(listed) ? listed.length : 0) - keys.value.length
  const foreign = keys.value.filter(({ kty, alg }) => kty !== "RSA" || alg !== ALGORITHM)
  if (keys.value.length === 0) return fix("The key set has no usable key. /healthz and the log say why.")
  if (unusable + foreign.length > 0) {
    return fix(`${counted(unusable + foreign.length, "key")} of the set cannot be used with ${ALGORITHM}.`)
  }
  return ok(`${counted(keys.value.length, "key")} for ${ALGORITHM}: ${keys.value.map(({ kid }) => kid).join(", ")}.`)
}

/** How people sign in, and whether the company's provider answers. None where only jobs are served. */
export async function signInFindings(broker: string, io: CliIo): Promise<readonly DoctorFinding[]> {
  const read = await getObject(`${broker}${SIGN_IN_PATH}`, io)
  if (!read.ok) return [findingsFor("sign-in").fix(`${SIGN_IN_PATH} ${read.fault}.`)]
  const { people } = read.value
  const urls = (Array.isArray(people) ? people : []).flatMap((one: unknown) => {
    const url = typeof one === "object" && one !== null && "url" in one ? one.url : undefined
    return typeof url === "string" ? [url] : []
  })
  return await Promise.all(urls.map((url) => providerFinding(url, io)))
}

async function providerFinding(url: string, io: CliIo): Promise<DoctorFinding> {
  const { ok, fix } = findingsFor("sign-in")
  const document = await getObject(`${url.replace(/\/$/, "")}${DISCOVERY_PATH}`, io)
  if (!document.ok) return fix(`The OpenID provider ${url} ${document.fault}.`)
  const { issuer, authorization_endpoint: authorize } = document.value
  if (issuer !== url) {
    return fix(`The OpenID provider calls itself ${text(issuer)}: write this as the url of the issuer of people.`)
  }
  if (typeof authorize !== "string") return fix(`The OpenID provider ${url} names no place to sign in.`)
  return ok(`People sign in at ${url}.`)
}

/** A text of somebody else's document, for a message. */
const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, 200) : "nothing")
