import type { Claims, Identity } from "../core/identity.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import { fail, type Result } from "../core/result.ts"
import { azureDevops } from "./azure-devops/family.ts"
import { bitbucket } from "./bitbucket/family.ts"
import { buildkite } from "./buildkite/family.ts"
import { circleci } from "./circleci/family.ts"
import type { IssuerFamily } from "./family.ts"
import { forgejo } from "./forgejo/family.ts"
import { githubActions } from "./github-actions/family.ts"
import { gitlab } from "./gitlab/family.ts"
import { hcpTerraform } from "./hcp-terraform/family.ts"
import { identify } from "./identify.ts"
import { jenkins } from "./jenkins/family.ts"
import { kubernetes } from "./kubernetes/family.ts"
import { local } from "./local/family.ts"
import { openid } from "./openid/family.ts"
import { semaphore } from "./semaphore/family.ts"
import { spacelift } from "./spacelift/family.ts"

/** Every issuer family that an organisation file can name. */
export const FAMILIES: ReadonlyMap<string, IssuerFamily> = new Map(
  [
    githubActions,
    gitlab,
    kubernetes,
    buildkite,
    circleci,
    forgejo,
    jenkins,
    hcpTerraform,
    bitbucket,
    azureDevops,
    spacelift,
    semaphore,
    openid,
    local,
  ].map((family) => [family.facts.name, family]),
)

/**
 * The identity of a token with these claims, as the broker reads it. The fault says what is wrong with the token: the end of
 * a sentence that begins with `In the subject token, `.
 */
export function identityIn(claims: Claims, issuer: IssuerConfig): Result<Identity, string> {
  const family = FAMILIES.get(issuer.family)
  return family
    ? identify(claims, issuer, family)
    : fail(`this version does not know the issuer family ${issuer.family}`)
}
