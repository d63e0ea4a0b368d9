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

/** Reads the keys that say whose jobs a file speaks of. They depend on the family of the file's issuer. */
export function readUnit(file: string, root: YamlNode, reading: IssuerReading): UnitReading {
  const { family } = reading
  const faults = foreignKeys(file, root, reading)
  const node = childOf(root, family.unit)
  const name = textOf(node)
  const say = (at: Position, code: "key_missing" | "value_invalid" | "owner_unknown", message: string) =>
    faults.push(fault(file, at, code, message))
  const idKey = UNITS[family.unit].idKey
  const people = family.unit === "person" ? childOf(root, PEOPLE_KEY) : undefined
  if (people !== undefined) return { ...everybody(people), faults }
  const needsName = family.unitName !== undefined || idKey === null
  if (node === undefined && needsName && faults.length === 0 && root.kind === "map") {
    say(root.at, "key_missing", `The required key ${quote(family.unit)} is missing: add it.`)
  }
  if (name !== null && family.unitName && !family.unitName.pattern.test(name)) {
    say(node?.at ?? root.at, "value_invalid", `${family.unit}: ${family.unitName.words}.`)
    // One that is not written as one is a fault already, and nothing to build a command or a hint of.
    return { name: null, target: null, faults }
  }
  if (name === null && (node !== undefined || needsName)) return { name: null, target: null, faults }
  if (name?.includes("*") && idKey !== null) {
    return { name, target: wideTarget(name, node?.at ?? root.at), faults }
  }
  if (idKey === null) {
    if (name !== null && !family.unitId.pattern.test(name)) {
      say(node?.at ?? root.at, "value_invalid", `${family.unit}: ${family.unitId.words}.`)
    }
    return { name, target: name === null ? null : { kind: "unit", id: name }, faults }
  }
  const idNode = childOf(root, idKey)
  const id = textOf(idNode)
  if (idNode === undefined && root.kind === "map" && !faults.some(({ code }) => code === "key_unknown")) {
    const everybodyToo = family.unit === "person" ? `, or write ${PEOPLE_KEY}: true for all people` : ""
    const message = `The key ${quote(idKey)} is missing here: names can be taken over, so the id decides${everybodyToo}. Find it with: ${family.findId(name ?? "")}`
    say(root.at, "key_missing", message)
  }
  if (idNode !== undefined && id !== null && !family.unitId.pattern.test(id)) {
    say(idNode.at, "value_invalid", `${idKey}: ${family.unitId.words}.`)
  }
  return { name: name ?? id, target: id === null ? null : { kind: "unit", id }, faults }

  /** All units of the issuer. Their ids and names are the issuer's business; the rules say which of them. */
  function everybody(node: YamlNode): Pick<UnitReading, "name" | "target"> {
    for (const key of keysOf(family.unit)) {
      if (childOf(root, key) === undefined) continue
      const message = `${PEOPLE_KEY} stands for all people of the issuer, and ${key} for one: leave one of the two out.`
      say(keyPosition(root, [key]), "value_invalid", message)
    }
    const isMeant = node.kind === "scalar" && node.value === true
    const [ownerId] = reading.owners?.values() ?? []
    return {
      name: ANYTHING.source,
      target: isMeant && ownerId !== undefined ? { kind: "owner", ownerId, names: ANYTHING } : null,
    }
  }

  /**
   * Those of one owner whose names match. A pattern's owner is written out and listed, so that its id is known; `acme*`
   * would also match an owner `acme-evil` that an attacker registers.
   */
  function wideTarget(wide: string, at: Position): PolicyTarget | null {
    const { one, many } = UNITS[family.unit]
    if (!family.patterns) {
      const each =
        family.unit === "person" ? `${PEOPLE_KEY}: true with a condition` : `a policy for each of the ${many}`
      const message = `A ${one} of the family ${family.name} cannot be a pattern: its names say nothing of an owner's id. Write ${each}.`
      say(at, "value_invalid", message)
      return null
    }
    const idAt = idKey === null ? undefined : childOf(root, idKey)?.at
    if (idAt !== undefined) {
      const message = `A pattern names more than one ${one}, and an id only one: leave ${idKey} out, or the stars.`
      say(idAt, "value_invalid", message)
    }
    const { owners, issuer } = reading
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
}

/** The keys that name units of other kinds. */
export const foreignUnitKeys = (unit: UnitKind): readonly string[] =>
  UNIT_KINDS.flatMap((kind) => (kind === unit ? [] : [...keysOf(kind), ...(kind === "person" ? [PEOPLE_KEY] : [])]))

/** Keys of other kinds of unit: `repository` where the issuer knows projects. */
function foreignKeys(file: string, root: YamlNode, { family, issuer }: IssuerReading): PolicyFault[] {
  // Without an issuer nobody knows which keys are right.
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
