import type { MintedValue } from "../provider.ts"
import type { Connection, Grant } from "./grant.ts"

/**
 * The account, and the variables from which tools read the project: client libraries and Terraform's provider, gcloud, and an
 * older name of the libraries, which some of them read first. None of it is secret.
 */
export function publicValues(
  { project }: Pick<Connection, "project">,
  { service_account: account }: Pick<Grant, "service_account">,
): Record<string, MintedValue> {
  return {
    ...(project === undefined
      ? {}
      : {
          project: { value: project, env: "GOOGLE_CLOUD_PROJECT" },
          "cloudsdk-project": { value: project, env: "CLOUDSDK_CORE_PROJECT" },
          "gcloud-project": { value: project, env: "GCLOUD_PROJECT" },
        }),
    ...(account === undefined ? {} : { "service-account": { value: account } }),
  }
}
