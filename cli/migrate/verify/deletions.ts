import type { StoredSecret } from "../survey/model.ts"
import { readWorkflows } from "../survey/repository.ts"
import type { RepositoryFile } from "../workflow/read.ts"
import { secretUsesOf } from "../workflow/secret-uses.ts"

/** An old secret, and what becomes of it. */
export interface Deletion {
  readonly secret: string
  /** For people: "the environment production". */
  readonly where: string
  /** Null: a secret of the repository. */
  readonly environment: string | null
  /** Why it is not deleted; null when it can go. The end of a sentence. */
  readonly kept: string | null
}

export interface Question {
  /** Names of secrets whose replacements are all used. */
  readonly ready: readonly string[]
  readonly stored: readonly StoredSecret[]
  /** On the default branch. */
  readonly files: readonly RepositoryFile[]
  /** What could not be read: then nothing is deleted. */
  readonly unread: readonly string[]
  readonly environment: string | null
}

/** Which secrets can go. A deleted secret never comes back, so any doubt keeps it. */
export function deletionsOf({ ready, stored, files, unread, environment }: Question): readonly Deletion[] {
  const read = readWorkflows(files)
  const uses = read.workflows.flatMap((file) => secretUsesOf(file, read))
  const doubt = [...unread, ...read.faults][0]
  return ready.flatMap((secret): Deletion[] => {
    const own = stored.filter((one) => one.name.toUpperCase() === secret)
    const inside = own.filter((one) => one.scope === "environment" && one.environment === environment)
    const [found] = inside.length > 0 ? inside : own.filter(({ scope }) => scope === "repository")
    const where = found?.environment === undefined ? "the repository" : `the environment ${found.environment}`
    const use = uses.find((one) => one.secret === secret || one.secret === null)
    const because = (kept: string | null) => [{ secret, where, environment: found?.environment ?? null, kept }]
    if (doubt !== undefined) return because(`not everything could be read (${doubt})`)
    if (use !== undefined)
      return because(`${use.file}:${use.line} still ${use.secret === null ? "hands over all secrets" : "names it"}`)
    if (found === undefined && own.some(({ scope }) => scope === "organisation"))
      return because("it is the organisation's, and other repositories may use it")
    return because(found === undefined ? "GitHub has no such secret" : null)
  })
}
