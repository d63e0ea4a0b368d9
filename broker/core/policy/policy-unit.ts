import type { FamilyFacts } from "../families/family-facts.ts"
import { UNIT_KINDS, UNITS, type UnitKind } from "../families/units.ts"
import { ownerOf, shortName } from "../identity.ts"
import { didYouMean, fault, type Position, quote } from "./faults.ts"
import type { PolicyFault, PolicyTarget } from "./model.ts"
import { ANYTHING, compilePattern } from "./pattern.ts"
import { PEOPLE_KEY } from "./schema-units.ts"
import { childOf, keyPosition, textOf, type YamlNode } from "./yaml.ts"

/** The issuer that a policy names, as far as it is known. */
export interface IssuerReading {
  readonly issuer: string | null
  readonly family: FamilyFacts
  /** Owner name -> owner id; null when the issuer is not known. */
  readonly owners: ReadonlyMap<string, string> | null
}

/** The unit that a policy file speaks of: its name as written, and which units it covers. Null for what has faults. */
export interface UnitReading {
  readonly name: string | null
  readonly target: PolicyTarget | null
  readonly faults: readonly PolicyFault[]
}

/** A policy file while its unit is read. */
interface Page {
  readonly root: YamlNode
  readonly reading: IssuerReading
  say(at: Position, code: "key_missing" | "value_invalid" | "owner_unknown", message: string): void
}

/** Reads the keys that say whose jobs a file speaks of. They depend on the family of the file's issuer. */
export function readUnit(file: string, root: YamlNode, reading: IssuerReading): UnitReading {
  const { family } = reading
  const faults = foreignKeys(file, root, reading)
  const hasForeignKeys = faults.length > 0
  const say: Page["say"] = (at, code, message) => faults.push(fault(file, at, code, message))
  const page: Page = { root, reading, say }
  const people = family.unit === "person" ? childOf(root, PEOPLE_KEY) : undefined
  if (people !== undefined) return { name: ANYTHING.source, target: everybody(people, page), faults }
  const node = childOf(root, family.unit)
  const at = node?.at ?? root.at
  const name = textOf(node)
  const { idKey } = UNITS[family.unit]
  const needsName = family.unitName !== undefined || idKey === null
  if (node === undefined && needsName && !hasForeignKeys && root.kind === "map") {
    say(root.at, "key_missing", `The required key ${quote(family.unit)} is missing: add it.`)
  }
  if (name !== null && family.unitName && !family.unitName.pattern.test(name)) {
    say(at, "value_invalid", `${family.unit}: ${family.unitName.words}.`)
    // One that is not written as one is a fault already, and nothing to build a command or a hint of.
    return { name: null, target: null, faults }
  }
  if (name === null && (node !== undefined || needsName)) return { name: null, target: null, faults }
  if (idKey === null) {
    if (name !== null && !family.unitId.pattern.test(name)) {
      say(at, "value_invalid", `${family.unit}: ${family.unitId.words}.`)
    }
    return { name, target: name === null ? null : { kind: "unit", id: name }, faults }
  }
  if (name?.includes("*")) return { name, target: wideTarget(name, at, childOf(root, idKey)?.at, page), faults }
  if (childOf(root, idKey) === undefined && root.kind === "map" && !hasForeignKeys) {
    say(root.at, "key_missing", idMissing(idKey, name, family))
  }
  const id = readId(idKey, page)
  return { name: name ?? id, target: id === null ? null : { kind: "unit", id }, faults }
}

/** All units of the issuer. Their ids and names are the issuer's business; the rules say which of them. */
function everybody(node: YamlNode, { root, reading, say }: Page): PolicyTarget | null {
  for (const key of keysOf(reading.family.unit)) {
    if (childOf(root, key) === undefined) continue
    const message = `${PEOPLE_KEY} stands for all people of the issuer, and ${key} for one: leave one of the two out.`
    say(keyPosition(root, [key]), "value_invalid", message)
  }
  const isMeant = node.kind === "scalar" && node.value === true
  const [ownerId] = reading.owners?.values() ?? []
  return isMeant && ownerId !== undefined ? { kind: "owner", ownerId, names: ANYTHING } : null
}

/**
 * Those of one owner whose names match. A pattern's owner is written out and listed, so that its id is known; `acme*`
 * would also match an owner `acme-evil` that an attacker registers.
 */
function wideTarget(wide: string, at: Position, idAt: Position | undefined, page: Page): PolicyTarget | null {
  const { say, reading } = page
  const { family, owners, issuer } = reading
  const { one, many, idKey } = UNITS[family.unit]
  if (!family.patterns) {
    const each = family.unit === "person" ? `${PEOPLE_KEY}: true with a condition` : `a policy for each of the ${many}`
    const message = `A ${one} of the family ${family.name} cannot be a pattern: its names say nothing of an owner's id. Write ${each}.`
    say(at, "value_invalid", message)
    return null
  }
  if (idAt !== undefined) {
    const message = `A pattern names more than one ${one}, and an id only one: leave ${idKey} out, or the stars.`
    say(idAt, "value_invalid", message)
  }
  const owner = ownerOf(wide)
  const ownerId = owners?.get(owner)
  if (owners !== null && ownerId === undefined) {
    const hint = didYouMean(owner, owners.keys()) || ` Listed: ${[...owners.keys()].join(", ") || "none"}.`
    const message = `The organisation file lists no owner ${quote(owner)} for the issuer ${issuer}, and a pattern needs its id.${hint}`
    say(at, "owner_unknown", message)
  }
  const names = compilePattern(shortName(wide))
  if (!names.ok) say(at, "value_invalid", `${family.unit}: ${names.fault}.`)
  return names.ok && ownerId !== undefined ? { kind: "owner", ownerId, names: names.value } : null
}

function readId(idKey: string, { root, reading, say }: Page): string | null {
  const { unitId } = reading.family
  const node = childOf(root, idKey)
  const id = textOf(node)
  if (node !== undefined && id !== null && !unitId.pattern.test(id)) {
    say(node.at, "value_invalid", `${idKey}: ${unitId.words}.`)
  }
  return id
}

function idMissing(idKey: string, name: string | null, { unit, findId }: FamilyFacts): string {
  const allToo = unit === "person" ? `, or write ${PEOPLE_KEY}: true for all people` : ""
  return `The key ${quote(idKey)} is missing here: names can be taken over, so the id decides${allToo}. Find it with: ${findId(name ?? "")}`
}

/** The keys that name units of other kinds. */
export const foreignUnitKeys = (unit: UnitKind): readonly string[] =>
  UNIT_KINDS.flatMap((kind) => (kind === unit ? [] : [...keysOf(kind), ...(kind === "person" ? [PEOPLE_KEY] : [])]))

/** Keys of other kinds of unit: `repository` where the issuer knows projects. */
function foreignKeys(file: string, root: YamlNode, { family, issuer }: IssuerReading): PolicyFault[] {
  // Without an issuer it is unknown which keys are right.
  if (issuer === null) return []
  const { many } = UNITS[family.unit]
  const own = keysOf(family.unit)
  return foreignUnitKeys(family.unit)
    .filter((key) => childOf(root, key) !== undefined)
    .map((key) => {
      const message = `The issuer ${issuer} is of the family ${family.name}, which knows ${many}: write ${own.join(" and ")} instead of ${key}.`
      return fault(file, keyPosition(root, [key]), "key_unknown", message)
    })
}

/** The keys that name one unit of a kind: its name and, where it has one, its id. */
export const keysOf = (kind: UnitKind): readonly string[] => [kind, ...[UNITS[kind].idKey].flatMap((key) => key ?? [])]
