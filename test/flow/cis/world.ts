import { type CiIssuer, startCiIssuer, startCluster } from "../../support/ci-issuer.ts"
import { AZURE_ORG, CIRCLECI_ORG } from "../../support/ci-jobs.ts"

export const CIS = ["gitlab", "cluster", "buildkite", "jenkins", "terraform", "circleci", "azure"] as const

export type Ci = (typeof CIS)[number]

/** The issuers that an organisation lists beside GitHub, each with its own key. */
export type Cis = Readonly<Record<Ci, CiIssuer>>

/** Starts them all. Each has the paths that the real one has. */
export async function startCis(): Promise<Cis> {
  const [gitlab, buildkite, jenkins, terraform, circleci, azure] = await Promise.all([
    startCiIssuer({ keysPath: "/oauth/discovery/keys" }),
    startCiIssuer({ keysPath: "/.well-known/jwks" }),
    startCiIssuer({ path: "/oidc", keysPath: "/oidc/jwks", discovery: false }),
    startCiIssuer({ keysPath: "/.well-known/jwks" }),
    startCiIssuer({ path: `/org/${CIRCLECI_ORG}`, keysPath: `/org/${CIRCLECI_ORG}/.well-known/jwks-pub.json` }),
    startCiIssuer({ path: `/${AZURE_ORG}`, keysPath: "/.well-known/jwks" }),
  ])
  return { gitlab, cluster: startCluster(), buildkite, jenkins, terraform, circleci, azure }
}

/** Stops them. Each asserts that it was asked for its documents alone. */
export async function stopCis(cis: Cis): Promise<void> {
  for (const name of CIS) await cis[name].close()
}
