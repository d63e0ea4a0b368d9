import type { IssuerFamily } from "./family.ts"
import { githubActions } from "./github-actions/family.ts"

/** Every issuer family that an organisation file can name. */
export const FAMILIES: ReadonlyMap<string, IssuerFamily> = new Map(
  [githubActions].map((family) => [family.name, family]),
)
