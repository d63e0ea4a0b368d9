import type { KeyService } from "../../key-service.ts"
import type { Connection } from "../grant.ts"
import { audienceOf, isListed, SUBJECT_LIMIT } from "../settings.ts"
import { type Entry, entry } from "./key.ts"

/** Google Cloud KMS, with the job's own principal in the pool, or with a service account that grants cannot name. */
export const googleKms: KeyService<Entry, Connection> = {
  title: "Google Cloud KMS",
  entry,
  check: ({ entry: { service_account: account }, settings: { service_accounts: listed = [] } }) =>
    account !== undefined && isListed(account, listed)
      ? `needs another service account: grants of its connection may name ${account}, and a job could decrypt every file itself`
      : null,
  // As declared by the connections of Google: a pool has one audience, and distinguishes grants by subject.
  audiences: (settings) => ({ presented: [audienceOf(settings)] }),
  subjectLimit: SUBJECT_LIMIT,
  door: ({ service_account: account }) => account ?? null,
  unwrap: async (...wanted) => (await import("./decrypt.ts")).decrypt(...wanted),
}
