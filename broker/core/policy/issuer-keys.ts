import type { FamilyFacts } from "../families/family-facts.ts"
import { KEY_TYPES, type PublicKey, readPublicKey } from "../public-key.ts"
import { didYouMean, fault, quote } from "./faults.ts"
import type { IssuerConfig, PolicyFault } from "./model.ts"
import type { OrganisationFile } from "./schema.ts"
import { publicJwk } from "./schema-keys.ts"
import { childOf, keyPosition, nodeAt, textOf, type YamlNode, type YamlPath } from "./yaml.ts"

type IssuerEntry = OrganisationFile["issuers"][string]

/**
 * What the schema cannot say of an issuer's `jwks`, `jwks_url` and `claims`. A listed key that cannot be used is a fault: the
 * broker would refuse the tokens that it signs, and nothing would say why. `issuer` is the part as plain data.
 */
export function keyFaults(
  file: string,
  root: YamlNode,
  path: YamlPath,
  issuer: Readonly<Record<string, unknown>>,
  family: FamilyFacts,
): PolicyFault[] {
  const node = nodeAt(root, path)
  const faults: PolicyFault[] = []
  if (childOf(node, "jwks") && childOf(node, "jwks_url")) {
    const message =
      "Keys are either listed or fetched: leave jwks out, or jwks_url. Listed keys change only with this file."
    faults.push(fault(file, keyPosition(root, [...path, "jwks_url"]), "key_unknown", message))
  }
  const { keyTypes = KEY_TYPES } = family
  const kids = new Map<string, number>()
  const { keys } = (issuer["jwks"] ?? {}) as { readonly keys?: unknown }
  for (const [index, key] of (Array.isArray(keys) ? keys : []).entries()) {
    // Any other entry is a fault of the schema.
    if (!publicJwk.safeParse(key).success) continue
    const at = [...path, "jwks", "keys", index]
    const { kid } = key as { readonly kid: string }
    const read = readPublicKey(key, family.keySpelling)
    if (!read.ok) {
      const where = keyPosition(root, [...at, read.fault.member])
      faults.push(fault(file, where, "value_invalid", `The key ${quote(kid)} ${read.fault.fault}.`))
    } else if (!keyTypes.includes(read.value.kty)) {
      const message = `The key ${quote(kid)} is of the type ${read.value.kty}, and issuers of the family ${family.name} sign with ${keyTypes.join(" or ")} keys: remove it.`
      faults.push(fault(file, nodeAt(root, [...at, "kty"]).at, "value_invalid", message))
    }
    const first = kids.get(kid)
    if (first === undefined) kids.set(kid, nodeAt(root, at).at.line)
    else {
      const message = `Two keys have the kid ${quote(kid)} (the other is at line ${first}): keep one, because a token names its key by kid alone.`
      faults.push(fault(file, nodeAt(root, [...at, "kid"]).at, "value_invalid", message))
    }
  }
  return [...faults, ...claimFaults(file, root, path, family)]
}

function claimFaults(
  file: string,
  root: YamlNode,
  path: YamlPath,
  { name, mapped = [], claims: table }: FamilyFacts,
): PolicyFault[] {
  const claims = childOf(nodeAt(root, path), "claims")
  if (claims === undefined) return []
  if (mapped.length === 0) {
    const message = `Tokens of the family ${name} always have the same claims: leave claims out.`
    return [fault(file, keyPosition(root, [...path, "claims"]), "key_unknown", message)]
  }
  if (claims.kind !== "map") return []
  return [...claims.entries].flatMap(([role, { at, value }]) => {
    if (!mapped.includes(role)) {
      const hint = didYouMean(role, mapped) || ` Known: ${mapped.join(", ")}.`
      const message = `The family ${name} maps no claim ${quote(role)}.${hint}`
      return [fault(file, at, "key_unknown", message)]
    }
    const claim = textOf(value)
    if (claim === null || !table.get(claim)?.registered) return []
    const message = `The claim ${claim} is about the token and says nothing of the job: map another one.`
    return [fault(file, value.at, "value_invalid", message)]
  })
}

/** The parts of an issuer that say where its keys are and which of its claims say what. The entry has no faults. */
export function keysOf({ jwks, jwks_url: url, claims }: IssuerEntry, family: FamilyFacts): Partial<IssuerConfig> {
  return {
    ...(jwks === undefined ? {} : { keys: { by: "list" as const, list: jwks.keys.flatMap(readable) } }),
    ...(url === undefined ? {} : { keys: { by: "url" as const, url } }),
    ...(claims === undefined ? {} : { claims }),
  }

  function readable(key: Readonly<Record<string, unknown>>): readonly PublicKey[] {
    const read = readPublicKey(key, family.keySpelling)
    return read.ok ? [read.value] : []
  }
}
