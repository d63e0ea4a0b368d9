import { givenBy } from "../../analysis/trust/given.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { counted } from "../format.ts"
import { loadPolicies } from "../policies.ts"
import { published } from "../push/publication.ts"
import { sidesOf } from "../trust/side.ts"
import { type DoctorFinding, findingsFor } from "./finding.ts"

/** What a policy folder says about its broker. */
export interface FolderSight {
  /** The versions that a broker with these policies has: one from a folder, and one at the edge. */
  readonly versions: readonly string[]
  readonly findings: readonly DoctorFinding[]
}

/** A sentence instead when the folder cannot be used. */
export function folderSight(folder: string, now: Date): FolderSight | string {
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return loaded
  if (!loaded.result.ok) {
    return `the folder ${folder} has ${counted(loaded.result.fault.length, "error")}: daypass check ${folder}`
  }
  const set = loaded.result.value
  return { versions: [set.version, published(set, now).current.version], findings: givenFindings(set, folder) }
}

/** What other sides must trust by the policies, and how to prove that they let in nothing else. */
function givenFindings(set: PolicySet, folder: string): readonly DoctorFinding[] {
  const given = givenBy(set, {}, { providers: PROVIDERS })
  const sides = sidesOf(set, given, { connection: undefined, grant: undefined })
  const told = sides.filter(
    ({ audiences, subjects }) => [audiences, ...subjects.map((one) => one.audiences)].flat().length > 0,
  )
  if (told.length === 0) return []
  const counts = told.map(({ connection: { name }, subjects, open }) => {
    const also = open.length === 0 ? "" : ` and ${counted(open.length, "pattern")}`
    return `${name} (${counted(subjects.length, "subject")}${also})`
  })
  return [
    findingsFor("subjects").note(
      `The other sides of these must trust what daypass trust ${folder} lists: ${counts.join(", ")}. With --connection NAME --against FILE it proves that one lets in nothing else.`,
    ),
  ]
}
