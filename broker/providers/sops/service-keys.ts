import type * as z from "zod"
import { didYouMean, quote } from "../../core/policy/faults.ts"
import type { ConnectionAudiences, JoinFault, NamedSettings } from "../../core/policy/provider-schemas.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import type { SubjectLimit } from "../../wire/subject.ts"
import type { KeyRequest, KeyService, NamedKey } from "../key-service.ts"
import { KEY_SERVICES } from "../key-services.ts"
import type { ProviderIo } from "../provider.ts"
import type { ServiceOpener } from "./data-key.ts"
import type { Connection } from "./grant.ts"

/** A connection with the settings of those that its keys go through. The fault names the place in the connection. */
export function withServices(
  settings: Connection,
  others: ReadonlyMap<string, NamedSettings>,
): Result<Connection, JoinFault> {
  const through: NamedKey[] = []
  for (const [index, { connection: name, ...rest }] of (settings.keys ?? []).entries()) {
    const no = (message: string, ...at: readonly PropertyKey[]) => fail({ at: ["keys", index, ...at], message })
    const other = others.get(name)
    if (other === undefined)
      return no(`There is no connection ${quote(name)}.${didYouMean(name, others.keys())}`, "connection")
    const service = KEY_SERVICES.get(other.provider)
    if (service === undefined)
      return no(
        `The connection ${quote(name)} is of the provider ${other.provider}, which decrypts no keys of files: name one of ${[...KEY_SERVICES.keys()].join(", ")}.`,
        "connection",
      )
    const entry = service.entry.safeParse(rest)
    if (!entry.success) {
      const [issue] = entry.error.issues
      return no(`${faultOf(service, issue)}.`, ...(issue?.path ?? []))
    }
    const one = { name, of: other.provider, entry: entry.data as { readonly key: string }, settings: other.settings }
    const conflict = service.check(one)
    if (conflict !== null) return no(`The key ${one.entry.key} ${conflict}.`)
    through.push(one)
  }
  return ok(through.length === 0 ? settings : { ...settings, through })
}

/** What is wrong with an entry. It quotes no text of the file but the names of keys that nobody chose freely. */
function faultOf({ title }: KeyService, issue: z.core.$ZodIssue | undefined): string {
  const field = issue?.path.join(".") ?? ""
  if (issue?.code === "unrecognized_keys")
    return `A key of ${title} has no ${issue.keys.map(quote).join(", ")}: remove it`
  if (issue?.code === "invalid_type" && issue.input === undefined) return `A key of ${title} also needs ${field}`
  return `${field}: ${issue?.message ?? "is not valid"}`
}

/** The keys of vendors that a connection may use, for one request. */
export const serviceOpeners = ({ through = [] }: Connection, request: KeyRequest, io: ProviderIo): ServiceOpener[] =>
  through.flatMap((one) => {
    const service = KEY_SERVICES.get(one.of)
    if (service === undefined) return []
    // Logins of several vendors stand side by side in one connection.
    const own: ProviderIo = { ...io, login: (what, make, of) => io.login(`${one.name}: ${what}`, make, of) }
    return [{ of: one.of, key: one.entry.key, open: (wrapped) => service.unwrap(wrapped, one, request, own) }]
  })

/** The audiences of the identity tokens for all keys of a connection. */
export function audiencesOf({ through = [] }: Connection): ConnectionAudiences {
  const all = through.map(({ of, settings }) => KEY_SERVICES.get(of)?.audiences(settings) ?? {})
  return {
    presented: [...new Set(all.flatMap(({ presented = [] }) => presented))],
    ownLogin: [...new Set(all.flatMap(({ ownLogin = [] }) => ownLogin))],
  }
}

/** The tightest limit for the `sub` of the broker's tokens. */
export function subjectLimitOf({ through = [] }: Connection): SubjectLimit | undefined {
  const limits = through.flatMap(({ of }) => KEY_SERVICES.get(of)?.subjectLimit ?? [])
  return limits.toSorted((a, b) => a.bytes - b.bytes)[0]
}
