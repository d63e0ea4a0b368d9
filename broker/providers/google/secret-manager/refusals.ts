import type { Connection } from "./grant.ts"

/**
 * The meaning of Secret Manager's codes for a read of this place. For a missing secret the code is mostly
 * PERMISSION_DENIED.
 */
export const accessRefusals = (
  { project, service_account: account }: Connection,
  place: string,
): Readonly<Record<string, string>> => ({
  __proto__: null as never,
  PERMISSION_DENIED: `${account ?? "the job's principal in the pool"} may not read ${place}, or it does not exist. Give it roles/secretmanager.secretAccessor on that secret of project ${project}; a change takes some minutes`,
  INVALID_ARGUMENT:
    "it did not accept the form of the request. Regional secrets need the connection's location, and other secrets must not have it",
  UNAUTHENTICATED: "it did not accept Google's own token. Check whether the pool or its provider was just changed",
  CONSUMER_INVALID: `the project ${project} does not exist, or is being deleted. Compare the connection's project`,
  SERVICE_DISABLED: `the Secret Manager API is off. Enable secretmanager.googleapis.com in project ${project}`,
  SECURITY_POLICY_VIOLATED: "a VPC Service Controls perimeter keeps the broker out",
})
