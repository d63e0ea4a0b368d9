import type { SubjectLimit } from "../../wire/subject.ts"
import type { OtherSide } from "../call.ts"
import type { Entra } from "./grant.ts"

/** A requested access token, with everything that the message of a refusal may name. */
export interface TokenWish {
  readonly settings: Entra
  readonly clientId: string
  readonly scope: string
  /** The `sub` of the broker's token. */
  readonly subject: string
}

/** The longest subject of a federated credential (Microsoft Graph, `federatedIdentityCredential`). */
export const SUBJECT_LIMIT: SubjectLimit = { bytes: 600, place: "the subject of a federated credential in Entra" }

/** Entra, as errors name it. */
export const sideOf = (connection: string): OtherSide => ({ name: "Microsoft Entra ID", connection })
