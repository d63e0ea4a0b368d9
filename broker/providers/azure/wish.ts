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

/** Entra, as errors name it. */
export const sideOf = (connection: string): OtherSide => ({ name: "Microsoft Entra ID", connection })
