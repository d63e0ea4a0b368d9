import { ISSUER_FAMILIES } from "../claims/families.ts"
import { repositoryName } from "../identity.ts"
import { parseWith } from "../parse-with.ts"
import { conditionsOf } from "./boundaries.ts"
import { didYouMean, fault, quote } from "./faults.ts"
import { readGrant } from "./grant.ts"
import type { NamedFile } from "./grant-files.ts"
import type { Grant, Policy, PolicyFault, PolicyTarget, Rule } from "./model.ts"
import type { OrganisationReading } from "./organisation.ts"
import { compilePattern } from "./pattern.ts"
import { isPlainMap } from "./plain.ts"
import { type PolicyFile, policySchema, REPOSITORY_FORM, whenSchema } from "./schema.ts"
import { schemaFaults } from "./schema-faults.ts"
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
 * looks at the document itself, so that one fault does not hide others.
 */
export function readPolicy(
  file: string,
  document: YamlDocument,
  organisation: OrganisationReading | null,
): PolicyReading {
  const { root, value } = document
  const parsed = parseWith(policySchema, value)
  const faults = parsed.success ? [] : schemaFaults({ file, root, path: [], schema: policySchema }, parsed.error.issues)
  faults.push(...ruleFaults(file, root))

  const issuer = organisation === null ? null : issuerOf(file, root, organisation.issuerNames, faults)
  const owners = issuer === null ? null : (organisation?.owners.get(issuer) ?? null)
  const target = targetOf(file, root, { issuer, owners }, faults)
  const [id, environmentName] = [target?.kind === "repository" ? target.id : null, textOf(childOf(root, "environment"))]
  const jobs = issuer === null || target === null ? null : { issuer, repositoryId: id, environment: environmentName }
  const grants = new Map<string, Grant>()
  const named: NamedFile[] = []
  const section = isPlainMap(value) ? value["grants"] : undefined
  if (organisation && isPlainMap(section)) {
    for (const [name, part] of Object.entries(section)) {
      const reading = readGrant(file, document, organisation, jobs, [name, part])
      faults.push(...reading.faults)
      named.push(...reading.named)
      if (reading.grant) grants.set(name, reading.grant)
    }
  }
  const family = organisation?.families.get(issuer ?? "") ?? ISSUER_FAMILIES[0]
  if (!childOf(root, "environment")) faults.push(...unconstrainedAllows(file, document, family, owners))
  if (!parsed.success || faults.length > 0 || issuer === null || target === null) return { faults, policy: null, named }

  const { repository, environment, protected_environment: protectedEnvironment } = parsed.data
  const allow = compileRules(file, root, "allow", parsed.data)
  const deny = compileRules(file, root, "deny", parsed.data)
  const policy: Policy = {
    file,
    issuer,
    repository,
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
 * Whose jobs the file speaks of: one repository by its id, or those of one owner whose names match. A pattern's owner is
 * written out and listed, so that its id is known; `acme*` would also match an owner `acme-evil` that an attacker registers.
 */
function targetOf(
  file: string,
  root: YamlNode,
  { issuer, owners }: { readonly issuer: string | null; readonly owners: ReadonlyMap<string, string> | null },
  faults: PolicyFault[],
): PolicyTarget | null {
  const node = childOf(root, "repository")
  const repository = textOf(node)
  const idNode = childOf(root, "repository_id")
  // One that is not written as one is a fault already, and nothing to build a command or a hint of.
  if (node === undefined || repository === null || !REPOSITORY_FORM.test(repository)) return null
  if (!repository.includes("*")) {
    const id = textOf(idNode)
    if (idNode === undefined) {
      const message = `The key "repository_id" is missing here: names can be taken over, so the id decides. Find it with: gh api repos/${repository} --jq .id`
      faults.push(fault(file, root.at, "key_missing", message))
    }
    return id === null ? null : { kind: "repository", id }
  }
  if (idNode !== undefined) {
    const message =
      "A pattern names more than one repository, and an id only one: leave repository_id out, or the stars."
    faults.push(fault(file, idNode.at, "value_invalid", message))
  }
  const owner = repository.slice(0, repository.indexOf("/"))
  const ownerId = owners?.get(owner)
  if (owners !== null && ownerId === undefined) {
    const hint = didYouMean(owner, owners.keys()) || ` Listed: ${[...owners.keys()].join(", ") || "none"}.`
    const message = `The organisation file lists no owner ${quote(owner)} for the issuer ${issuer}, and a pattern needs its id.${hint}`
    faults.push(fault(file, node.at, "owner_unknown", message))
  }
  const names = compilePattern(repositoryName(repository))
  if (!names.ok) faults.push(fault(file, node.at, "value_invalid", `repository: ${names.fault}.`))
  return names.ok && ownerId !== undefined ? { kind: "owner", ownerId, names: names.value } : null
}

function issuerOf(file: string, root: YamlNode, names: readonly string[], faults: PolicyFault[]): string | null {
  const node = childOf(root, "issuer")
  if (node === undefined) {
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

/** The allows that would let in every job of the repository. Rules with another fault in their `when` are left out. */
function unconstrainedAllows(
  file: string,
  { root, value }: YamlDocument,
  family: string,
  owners: ReadonlyMap<string, string> | null,
): PolicyFault[] {
  const repository = textOf(childOf(root, "repository")) ?? ""
  const repositoryId = textOf(childOf(root, "repository_id"))
  const jobs = { family, repository, repositoryId, ownerId: owners?.get(repository.split("/")[0] ?? "") ?? null }
  const rules = isPlainMap(value) && Array.isArray(value["allow"]) ? (value["allow"] as readonly unknown[]) : []
  return rules.flatMap((rule, index): PolicyFault[] => {
    if (!isPlainMap(rule)) return []
    const when = parseWith(whenSchema.optional(), rule["when"])
    const reasons = when.success ? whyUnconstrained(conditionsOf(when.data), jobs) : null
    if (reasons === null) return []
    const why = reasons.length === 0 ? "it has no conditions" : reasons.join(", and ")
    const at = nodeAt(root, ["allow", index])
    // A name can be missing, or anything that YAML can hold: that is a fault of its own.
    const name = textOf(childOf(at, "name"))
    const message = `The allow ${name ? quote(name) : `rule in line ${at.at.line}`} would let in every job of the repository, on any branch: ${why}. Add a condition on ref or event_name to its "when", or an environment to the file.`
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
