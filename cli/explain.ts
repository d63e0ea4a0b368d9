import { parseDuration } from "../broker/core/duration.ts"
import type { Claims } from "../broker/core/identity.ts"
import { decide } from "../broker/core/policy/decide.ts"
import { explainTrace } from "../broker/core/policy/explain.ts"
import { visible } from "../broker/core/policy/faults.ts"
import { FAMILIES } from "../broker/issuers/families.ts"
import { parseStrictJsonObject } from "../broker/issuers/strict-json.ts"
import { MAX_GRANTS_PER_REQUEST } from "../broker/wire/exchange.ts"
import type { Trace } from "../broker/wire/trace.ts"
import { impossible, misused, readArguments, reasonOf } from "./arguments.ts"
import { findingLine } from "./format.ts"
import { type CliIo, EXIT } from "./io.ts"
import { findingsOf, loadPolicies } from "./policies.ts"

const USAGE = `Usage: daypass explain --policies DIR --claims FILE --grants a,b [--ttl 15m] [--json]

Decides what a job with these claims would get, with the broker's own code; only what makes a token good for one call
(signature, audience, time, jti) is left aside. FILE holds the claims of a subject token as JSON.
Exit codes: 0 allow, 1 deny, 2 the policies or the claims cannot be used.`

const OPTIONS = {
  policies: { type: "string" },
  claims: { type: "string" },
  grants: { type: "string" },
  ttl: { type: "string" },
  json: { type: "boolean" },
} as const

interface Outcome {
  readonly decision: "allow" | "deny"
  readonly code: string
  readonly trace: Trace | null
  readonly remark?: string
}

/** `daypass explain`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const { policies: folder, claims: file, grants: list, ttl } = read.options
  if (read.positionals.length > 0) return misused(`explain takes options only, not ${read.positionals[0]}`, USAGE, io)
  if (typeof folder !== "string" || typeof file !== "string" || typeof list !== "string") {
    return misused("--policies, --claims and --grants are needed", USAGE, io)
  }
  const grants = list.split(",").map((name) => name.trim())
  if (grants.includes("") || new Set(grants).size < grants.length || grants.length > MAX_GRANTS_PER_REQUEST) {
    return misused(`--grants takes 1 to ${MAX_GRANTS_PER_REQUEST} different names with commas between them`, USAGE, io)
  }
  const lifetime = typeof ttl === "string" ? parseDuration(ttl) : null
  if (lifetime?.ok === false) return misused(`--ttl: ${lifetime.fault}`, USAGE, io)

  const claims = await readClaims(file, io)
  if (typeof claims === "string") return impossible(`${file} ${claims}`, io)
  const outcome = explain(folder, claims, grants, lifetime?.value)
  if (Array.isArray(outcome)) {
    for (const line of outcome) io.err(line)
    return EXIT.usage
  }
  const { decision, code, trace, remark } = outcome
  if (read.options["json"] === true) io.out(JSON.stringify({ decision, code, grants, trace }, null, 2))
  else io.out([`${decision} (${code})`, ...(remark ? [remark] : []), ...(trace ? explainTrace(trace) : [])].join("\n"))
  return decision === "allow" ? EXIT.ok : EXIT.no
}

async function readClaims(file: string, io: CliIo): Promise<Claims | string> {
  try {
    const parsed = parseStrictJsonObject(await io.readFile(file))
    return parsed.ok ? parsed.value : parsed.fault
  } catch (error) {
    return `cannot be read (${reasonOf(error)})`
  }
}

/** The decision, or lines that say why none can be made. */
function explain(
  folder: string,
  claims: Claims,
  grants: readonly string[],
  ttlSeconds: number | undefined,
): Outcome | string[] {
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return [`daypass: ${loaded}`]
  if (!loaded.result.ok) return findingsOf(loaded).map((finding) => findingLine(folder, finding))
  const set = loaded.result.value

  const { iss } = claims
  if (typeof iss !== "string") return ["daypass: the claims name no issuer: iss is missing, or not a text"]
  const issuer = [...set.organisation.issuers.values()].find(({ url }) => url === iss)
  if (issuer === undefined) {
    const remark = `The organisation file lists no issuer ${visible(JSON.stringify(iss))}: the broker takes no token of it.`
    return { decision: "deny", code: "token_issuer_unknown", trace: null, remark }
  }
  const family = FAMILIES.get(issuer.family)
  if (family === undefined) return [`daypass: this version knows no issuer family ${issuer.family}`]
  const missing = family.requiredStrings.filter((name) => typeof claims[name] !== "string")
  if (missing.length > 0) return [`daypass: the claims lack, or have as other than a text: ${missing.join(", ")}`]
  const identity = family.identify(claims, issuer)
  if (!identity.ok) return [`daypass: ${identity.fault}`]

  const decision = decide({
    organisation: set.organisation,
    policies: set.policiesOf(identity.value),
    identity: identity.value,
    grants,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  })
  if (decision.outcome === "deny") return { decision: "deny", code: decision.code, trace: decision.trace }
  const remark = "Given to key-bound subject tokens only, as the action sends them."
  const allowed = { decision: "allow", code: "allowed", trace: decision.trace } as const
  return decision.requireBoundToken ? { ...allowed, remark } : allowed
}
