import { alwaysHasEnvironment, type FamilyFacts, tellsProtection } from "../families/family-facts.ts"
import { UNITS } from "../families/units.ts"
import { fault } from "./faults.ts"
import type { Boundary, PolicyFault } from "./model.ts"
import { childOf, keyPosition, textOf, type YamlNode } from "./yaml.ts"

/** The environments that a family's jobs cannot run in: a policy about one would match no job, without a word. */
export function environmentFaults(file: string, root: YamlNode, family: FamilyFacts): readonly PolicyFault[] {
  if (root.kind !== "map") return []
  const node = childOf(root, "environment")
  const { environmentName: form, roles, name, unit } = family
  const faults: PolicyFault[] = []
  if (node === undefined && alwaysHasEnvironment(family)) {
    const words = form === undefined ? "" : ` ${sentence(form.words)}`
    const message = `Every job of the family ${name} runs in an environment, by its ${roles.environment}: add the key environment.${words}`
    faults.push(fault(file, root.at, "key_missing", message))
  }
  if (node !== undefined && roles.environment === undefined) {
    const message = `Jobs of the family ${name} run in no environment, so the file would match none: leave environment out.`
    return [fault(file, keyPosition(root, ["environment"]), "key_unknown", message)]
  }
  const said = textOf(node)
  if (node !== undefined && said !== null && form && !form.pattern.test(said)) {
    faults.push(fault(file, node.at, "value_invalid", `environment: ${form.words}.`))
  }
  if (childOf(root, "protected_environment") !== undefined && !tellsProtection(family)) {
    const message = `${unprotected(family)} Leave protected_environment out, and limit who can change the ${UNITS[unit].one}'s environments there.`
    faults.push(fault(file, keyPosition(root, ["protected_environment"]), "key_unknown", message))
  }
  const demand = childOf(root, "protected_environment")
  if (
    demand &&
    childOf(demand, "deployment_branches") &&
    family.protection?.branches === undefined &&
    tellsProtection(family)
  ) {
    const message = `Environments of ${family.title} have no limit to branches, so no job would ever meet the requirement. Leave deployment_branches out, and write a condition on ${roles.ref}.`
    faults.push(fault(file, keyPosition(demand, ["deployment_branches"]), "key_unknown", message))
  }
  return faults
}

/** Why no job of the family meets a `protected_environment`. */
export const unprotected = ({ title }: FamilyFacts): string =>
  `How ${title} protects an environment cannot be known, so no job would ever meet the requirement.`

const sentence = (words: string) => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`

/** Boundaries that demand a protected environment where no listed issuer can say how one is protected. */
export function boundaryEnvironmentFaults(
  file: string,
  root: YamlNode,
  boundaries: readonly Boundary[],
  families: readonly FamilyFacts[],
): readonly PolicyFault[] {
  const [first] = families
  if (first === undefined || families.some(tellsProtection)) return []
  return boundaries.flatMap(({ protectedEnvironment }, index) => {
    if (protectedEnvironment === undefined) return []
    const at = keyPosition(root, ["boundaries", index, "protected_environment"])
    return [fault(file, at, "key_unknown", `${unprotected(first)} Leave protected_environment out.`)]
  })
}
