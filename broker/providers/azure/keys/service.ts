import type { KeyService } from "../../key-service.ts"
import type { Connection } from "../grant.ts"
import { SUBJECT_LIMIT } from "../wish.ts"
import { type Entry, entry } from "./key.ts"

/** Keys of Azure Key Vault, with a client that grants cannot name. */
export const azureKeys: KeyService<Entry, Connection> = {
  title: "Azure Key Vault",
  entry,
  check: ({ entry: { client_id: client }, settings: { client_ids: listed } }) =>
    listed.includes(client)
      ? `needs another client: grants of its connection may name ${client}, and a job could decrypt every file itself`
      : null,
  // As declared by the connections of Entra, which has one audience, and distinguishes grants by subject.
  audiences: ({ audience }) => ({ presented: [audience] }),
  subjectLimit: SUBJECT_LIMIT,
  door: ({ client_id: client }) => client,
  unwrap: async (...wanted) => (await import("./decrypt.ts")).decrypt(...wanted),
}
