import type { OtherSide } from "../call.ts"
import type { Entra } from "./grant.ts"

/** An access token that is wanted of Entra, and everything that a refusal may have to name. */
export interface TokenWish {
  readonly settings: Entra
  readonly clientId: string
  readonly scope: string
  /** The `sub` of the broker's token. */
  readonly subject: string
}

/** Entra, as errors name it. */
export const sideOf = (connection: string): OtherSide => ({ name: "Microsoft Entra ID", connection })
