import { FAMILY_FACTS, USUAL_FAMILY } from "../families/families.ts"
import { alwaysHasEnvironment, type FamilyFacts } from "../families/family-facts.ts"
import { UNITS } from "../families/units.ts"
import { ownerOf } from "../identity.ts"
import { parseWith } from "../parse-with.ts"
import { conditionsOf, emptyDemand } from "./boundaries.ts"
import { breakGlassFaults } from "./break-glass-schema.ts"
import { didYouMean, fault, quote } from "./faults.ts"
import { readGrant } from "./grant.ts"
import type { NamedFile } from "./grant-files.ts"
import type { Grant, Policy, PolicyFault, PolicyTarget, Rule } from "./model.ts"
import type { OrganisationReading } from "./organisation.ts"
import { isPlainMap } from "./plain.ts"
import { environmentFaults } from "./policy-environment.ts"
import { foreignUnitKeys, keysOf, readUnit, type UnitReading } from "./policy-unit.ts"
import { type PolicyFile, policySchema } from "./schema.ts"
import { flagFaults, whenSchema } from "./schema-conditions.ts"
import { schemaFaults } from "./schema-faults.ts"
import { PEOPLE_KEY } from "./schema-units.ts"
import { whyUnconstrained } from "./unconstrained.ts"
import { childOf, itemsOf, nodeAt, textOf, type YamlDocument, type YamlNode } from "./yaml.ts"

export interface PolicyReading {
  readonly faults: readonly PolicyFault[]
  /** Null when there are faults. */
  readonly policy: Policy | null
  /** The files that its grants name. */
  readonly named: readonly NamedFile[]
}

/**
 * Reads one policy file, with every fault in it that does not depend on other policies.
 *
 * `organisation` is null when there is none to check against; what depends on it is then left unchecked. Every check
 * looks at the document itself, so that one fault does not hide others. `host` is the issuer of the repository that contains
 * the file, where one does: the file is then about it, and need not say so.
 */
export function readPolicy(
  file: string,
  document: YamlDocument,
  organisation: OrganisationReading | null,
  host: string | null = null,
): PolicyReading {
  const { root, value } = document
  const parsed = parseWith(policySchema, value)
  const faults: PolicyFault[] = []
  const issuer = organisation === null ? null : issuerOf(file, root, { names: organisation.issuerNames, host }, faults)
  const owners = issuer === null ? null : (organisation?.owners.get(issuer) ?? null)
  const known = FAMILY_FACTS.get(organisation?.families.get(issuer ?? "") ?? "")
  const family = known ?? familyByKeys(root)
  const isTold = known !== undefined || family === USUAL_FAMILY
  if (!parsed.success) {
    const subject = { file, root, path: [], schema: policySchema, unspokenKeys: foreignUnitKeys(family.unit) }
    faults.push(...schemaFaults(subject, parsed.error.issues))
  }
  faults.push(...ruleFaults(file, root), ...flagFaults(file, root, ["allow", "deny"]))
  const unit = readUnit(file, root, { issuer, family, owners })
  if (isTold) faults.push(...unit.faults, ...environmentFaults(file, root, family))
  const { target } = unit
  faults.push(...breakGlassFaults(file, root, target))
  const jobs = issuer === null || target === null ? null : subjectParts(issuer, family, target, root)
  const grants = new Map<string, Grant>()
  const named: NamedFile[] = []
  const section = isPlainMap(value) ? value["grants"] : undefined
  if (organisation && isPlainMap(section)) {
    const readers = { jobs, people: family.unit === "person", offline: family.fixedUrl !== undefined }
    for (const [name, part] of Object.entries(section)) {
      const reading = readGrant(file, document, organisation, readers, [name, part])
      faults.push(...reading.faults)
      named.push(...reading.named)
      if (reading.grant) grants.set(name, reading.grant)
    }
  }
  if (parsed.success && issuer !== null) {
    faults.push(...emptyDemand(file, root, parsed.data.protected_environment, [family]))
  }
  if (isTold && !childOf(root, "environment") && !alwaysHasEnvironment(family)) {
    faults.push(...unconstrainedAllows(file, document, unit, { family, owners }))
  }
  if (!parsed.success || faults.length > 0 || issuer === null || target === null) return { faults, policy: null, named }

  const { environment, protected_environment: protectedEnvironment } = parsed.data
  const allow = compileRules(file, root, "allow", parsed.data)
  const deny = compileRules(file, root, "deny", parsed.data)
  const policy: Policy = {
    file,
    issuer,
    unit: unit.name ?? "",
    target,
    ...(environment === undefined ? {} : { environment }),
    origin: "organisation",
    ...(protectedEnvironment === undefined ? {} : { protectedEnvironment }),
    allow,
    deny,
    grants,
  }
  return { faults, policy, named }
}

/**
 * A family that has the keys of the file, where the issuer or its family is misspelled: that is a fault already, and the file's
 * keys are none. What else depends on the family is left unchecked.
 */
const familyByKeys = (root: YamlNode): FamilyFacts =>
  [USUAL_FAMILY, ...FAMILY_FACTS.values()].find(({ unit }) =>
    [...keysOf(unit), ...(unit === "person" ? [PEOPLE_KEY] : [])].some((key) => childOf(root, key) !== undefined),
  ) ?? USUAL_FAMILY

const subjectParts = (issuer: string, { unit, unitId }: FamilyFacts, target: PolicyTarget, root: YamlNode) => ({
  issuer,
  unitKind: unit,
  unitId: target.kind === "unit" ? target.id : null,
  longestId: unitId.longest,
  environment: textOf(childOf(root, "environment")),
})

interface ListedIssuers {
  readonly names: readonly string[]
  readonly host: string | null
}

function issuerOf(file: string, root: YamlNode, { names, host }: ListedIssuers, faults: PolicyFault[]): string | null {
  const node = childOf(root, "issuer")
  if (node === undefined) {
    if (host !== null) return host
    if (names.length <= 1) return names[0] ?? null
    const message = `The organisation file lists several issuers: add the key "issuer" with one of ${names.join(", ")}.`
    faults.push(fault(file, root.at, "key_missing", message))
    return null
  }
  const issuer = textOf(node)
  if (issuer === null || names.includes(issuer)) return issuer
  const hint = didYouMean(issuer, names) || ` Known: ${names.join(", ")}.`
  faults.push(fault(file, node.at, "issuer_unknown", `The organisation file lists no issuer ${quote(issuer)}.${hint}`))
  return null
}

/** What the schema cannot say of rules: that each has a name that no other rule of the file has. */
function ruleFaults(file: string, root: YamlNode): PolicyFault[] {
  const faults: PolicyFault[] = []
  if (root.kind === "map" && !["allow", "deny", "grants"].some((key) => childOf(root, key))) {
    faults.push(fault(file, root.at, "key_missing", "The file says nothing: add allow, deny or grants."))
  }
  const demand = root.kind === "map" ? root.entries.get("protected_environment") : undefined
  if (demand !== undefined && !childOf(root, "environment")) {
    const message = "The file speaks of jobs in no environment, and none can be protected: add the key environment."
    faults.push(fault(file, demand.at, "key_missing", message))
  }
  const lines = new Map<string, number>()
  for (const kind of ["allow", "deny"]) {
    for (const rule of itemsOf(childOf(root, kind))) {
      const name = textOf(childOf(rule, "name")) ?? ""
      const first = lines.get(name)
      if (first === undefined) lines.set(name, rule.at.line)
      else if (name !== "") {
        const message = `The rule in line ${first} is called ${quote(name)} too: give each rule a name of its own.`
        faults.push(fault(file, childOf(rule, "name")?.at ?? rule.at, "rule_duplicate", message))
      }
    }
  }
  return faults
}

/** The allows that would let in every job of the unit. Rules with another fault in their `when` are left out. */
function unconstrainedAllows(
  file: string,
  { root, value }: YamlDocument,
  { name: unit, target }: UnitReading,
  { family, owners }: { readonly family: FamilyFacts; readonly owners: ReadonlyMap<string, string> | null },
): PolicyFault[] {
  const { one, many, standsAlone } = UNITS[family.unit]
  // Other families that stand alone know no policy of several units.
  const ofAllUnits = standsAlone && target?.kind === "owner"
  if (standsAlone && !ofAllUnits) return []
  const unitId = target?.kind === "unit" ? target.id : null
  const ownerId = owners?.get(ownerOf(unit ?? "")) ?? null
  const jobs = { family: family.name, unit: unit ?? "", unitId, ownerId, ofAllUnits }
  const { event, ref } = family.roles
  const claims = [ref, event].flatMap((claim) => claim ?? []).join(" or ") || "a claim of the job"
  const everybody = ofAllUnits ? `all ${many} of the issuer: ` : `every job of the ${one}, on any branch: `
  const environmentToo = family.roles.environment === undefined ? "" : ", or an environment to the file"
  const rules = isPlainMap(value) && Array.isArray(value["allow"]) ? (value["allow"] as readonly unknown[]) : []
  return rules.flatMap((each, index): PolicyFault[] => {
    if (!isPlainMap(each)) return []
    const when = parseWith(whenSchema.optional(), each["when"])
    const reasons = when.success ? whyUnconstrained(conditionsOf(when.data), jobs) : null
    if (reasons === null) return []
    const why = reasons.length === 0 ? "it has no conditions" : reasons.join(", and ")
    const at = nodeAt(root, ["allow", index])
    // A name can be missing, or anything that YAML can hold: that is a fault of its own.
    const name = textOf(childOf(at, "name"))
    const mend = ofAllUnits
      ? 'Say in its "when" which of them, such as by groups.'
      : `Add a condition on ${claims} to its "when"${environmentToo}.`
    const rule = name ? quote(name) : `rule in line ${at.at.line}`
    const message = `The allow ${rule} would let in ${everybody}${why}. ${mend}`
    return [fault(file, at.at, "allow_unconstrained", message)]
  })
}

function compileRules(file: string, root: YamlNode, kind: "allow" | "deny", parsed: PolicyFile): Rule[] {
  return (parsed[kind] ?? []).map(({ name, when, grants }, index): Rule => {
    const { line } = nodeAt(root, [kind, index]).at
    const conditions = conditionsOf(when)
    return { kind, name, file, line, grants: grants === undefined ? "all" : new Set(grants), conditions }
  })
}
