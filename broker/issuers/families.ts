import type { IssuerFamily } from "./family.ts"
import { githubActions } from "./github-actions/family.ts"

/** Every family an organisation file can name. */
export const FAMILIES: ReadonlyMap<string, IssuerFamily> = new Map(
  [githubActions].map((family) => [family.name, family]),
)
