import type { Connection } from "./grant.ts"

/** What the codes of Secret Manager mean for whoever reads this place. A secret that is not there is mostly called forbidden. */
export const accessRefusals = (
  { project, service_account: account }: Connection,
  place: string,
): Readonly<Record<string, string>> => ({
  __proto__: null as never,
  PERMISSION_DENIED: `${account ?? "the job's principal in the pool"} may not read ${place}, or it is not there. Give it roles/secretmanager.secretAccessor on that secret of project ${project}; a change takes some minutes`,
  INVALID_ARGUMENT:
    "the request is none that it takes there. Regional secrets need the connection's location, and others must not have it",
  UNAUTHENTICATED: "it did not take Google's own token. See whether the pool or its provider has just been changed",
  CONSUMER_INVALID: `there is no project ${project}, or it is being deleted. Compare the connection's project`,
  SERVICE_DISABLED: `the Secret Manager API is off. Enable secretmanager.googleapis.com in project ${project}`,
  SECURITY_POLICY_VIOLATED: "a VPC Service Controls perimeter keeps the broker out",
})
