import { randomUUID } from "node:crypto"

/** A refusal, in Vault's words: they are those of OpenBao 2.7, which has most of them from Vault. */
export class VaultRefusal extends Error {
  override readonly name = "VaultRefusal"
  readonly status: number
  readonly errors: readonly string[]

  constructor(status: number, ...errors: readonly string[]) {
    super(`${status}: ${errors.join("; ")}`)
    this.status = status
    this.errors = errors
  }
}

/** What a policy does not allow. The refusal of a token that is none is the bare words, not in a list. */
export const forbidden = () => new VaultRefusal(403, "1 error occurred:\n\t* permission denied\n\n")
export const noSuchToken = () => new VaultRefusal(403, "permission denied")

/** An answer's members that differ from those of an answer without anything in it; null for 204. */
export type VaultAnswer = Readonly<Record<string, unknown>> | null

export const envelope = (parts: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    request_id: randomUUID(),
    lease_id: "",
    renewable: false,
    lease_duration: 0,
    data: null,
    wrap_info: null,
    warnings: null,
    auth: null,
    ...parts,
  })

/** One call whose form is right. */
export interface VaultCall {
  readonly method: "GET" | "POST"
  /** Below `/v1/`, decoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly token: string | null
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * The body's members that the path knows, each of the kind that it must be. What it does not know, a query too, is passed
 * over as Vault does: a parameter with a wrong name is one that nobody heeds, and nobody says so.
 *
 * @throws {VaultRefusal}
 */
export function parameters<Name extends string>(
  { body }: VaultCall,
  kinds: Readonly<Record<Name, "text" | "number" | "flag" | "texts">>,
  required: readonly NoInfer<Name>[] = [],
): { readonly [Key in Name]?: unknown } {
  const known = Object.entries(body).filter(([name]) => Object.hasOwn(kinds, name))
  for (const [name, value] of known) {
    if (!isOf(kinds[name as Name], value)) throw new VaultRefusal(400, `Field validation failed: ${name}`)
  }
  const missing = required.find((name) => !Object.hasOwn(body, name))
  if (missing !== undefined) throw new VaultRefusal(400, `${missing} must be specified`)
  return Object.fromEntries(known) as { readonly [Key in Name]?: unknown }
}

function isOf(kind: "text" | "number" | "flag" | "texts", value: unknown): boolean {
  if (kind === "texts") return Array.isArray(value) && value.every((one) => typeof one === "string")
  return typeof value === { text: "string", number: "number", flag: "boolean" }[kind]
}
