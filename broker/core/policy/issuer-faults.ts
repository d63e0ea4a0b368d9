import { formatDuration, parseDuration } from "../duration.ts"
import { FAMILY_FACTS } from "../families/families.ts"
import { UNITS } from "../families/units.ts"
import { fault } from "./faults.ts"
import { keyFaults } from "./issuer-keys.ts"
import type { PolicyFault } from "./model.ts"
import { isPlainMap } from "./plain.ts"
import { childOf, keyPosition, nodeAt, textOf, type YamlDocument } from "./yaml.ts"

/** Keys about policies that repositories keep, and about the App that reads them. */
const OF_REPOSITORIES = ["repository_policies", "control_repository", "organisation_properties"] as const

/** Keys about a server and its tokens. An issuer that is no server has none of them. */
const OF_SERVERS = ["url", "jwks", "jwks_url", "max_token_lifetime"] as const

/** What the schema cannot say of an issuer, because it depends on its family. */
export function issuerFaults(file: string, { root, value }: YamlDocument, name: string): PolicyFault[] {
  const node = nodeAt(root, ["issuers", name])
  const family = FAMILY_FACTS.get(textOf(childOf(node, "family")) ?? "")
  if (family === undefined) return []
  const owners = childOf(node, "owners")
  const { ownerId, maxTokenLifetimeSeconds: longest } = family
  const faults: PolicyFault[] = []
  if (ownerId === undefined && owners !== undefined) {
    const message = `An issuer of the family ${family.name} is the owner of its ${UNITS[family.unit].many}: leave owners out.`
    faults.push(fault(file, keyPosition(root, ["issuers", name, "owners"]), "key_unknown", message))
  }
  if (ownerId !== undefined && owners === undefined && node.kind === "map") {
    faults.push(fault(file, node.at, "key_missing", 'The required key "owners" is missing: add it.'))
  }
  for (const [owner, id] of ownerId !== undefined && owners?.kind === "map" ? owners.entries : []) {
    const text = owners && textOf(childOf(owners, owner))
    if (text !== null && text !== undefined && !ownerId?.pattern.test(text)) {
      faults.push(fault(file, id.at, "value_invalid", `issuers.${name}.owners.${owner}: ${ownerId?.words}.`))
    }
  }
  if (family.fixedUrl === undefined && childOf(node, "url") === undefined && node.kind === "map") {
    faults.push(fault(file, node.at, "key_missing", 'The required key "url" is missing: add it.'))
  }
  for (const key of family.fixedUrl === undefined ? [] : OF_SERVERS) {
    if (childOf(node, key) === undefined) continue
    const message = `An issuer of the family ${family.name} is no server, and no broker takes its tokens: leave ${key} out.`
    faults.push(fault(file, keyPosition(root, ["issuers", name, key]), "key_unknown", message))
  }
  for (const key of family.keepsPolicies ? [] : OF_REPOSITORIES) {
    if (childOf(node, key) === undefined) continue
    const message = `${key} is about repositories of GitHub, and this issuer is of the family ${family.name}: leave it out.`
    faults.push(fault(file, keyPosition(root, ["issuers", name, key]), "key_unknown", message))
  }
  const audience = childOf(node, "audience")
  if (family.audience === "issuer" && audience === undefined && node.kind === "map") {
    const message = `Every token of the family ${family.name} has its issuer's own audience: add the key "audience" with that text.`
    faults.push(fault(file, node.at, "key_missing", message))
  }
  if (family.audience === "job" && audience !== undefined) {
    const message = `Jobs of the family ${family.name} ask for the broker's audience: leave audience out.`
    faults.push(fault(file, keyPosition(root, ["issuers", name, "audience"]), "key_unknown", message))
  }
  if (!family.severalAudiences && childOf(node, "other_audiences") !== undefined) {
    const message = `A token of the family ${family.name} has one audience: leave other_audiences out.`
    faults.push(fault(file, keyPosition(root, ["issuers", name, "other_audiences"]), "key_unknown", message))
  }
  const lifetime = childOf(node, "max_token_lifetime")
  const seconds = parseDuration(textOf(lifetime) ?? "")
  if (lifetime !== undefined && seconds.ok && seconds.value > longest) {
    const message = `max_token_lifetime must be at most ${formatDuration(longest)}: no token of the family ${family.name} lives longer.`
    faults.push(fault(file, lifetime.at, "value_invalid", message))
  }
  const issuers = isPlainMap(value) && isPlainMap(value["issuers"]) ? value["issuers"] : {}
  const issuer = isPlainMap(issuers[name]) ? issuers[name] : {}
  return [...faults, ...keyFaults(file, root, ["issuers", name], issuer, family)]
}
