import type { StartVendor } from "../vendor.ts"
import { startAws } from "./aws.ts"
import { startConjurVendor } from "./conjur.ts"
import { startDopplerVendor } from "./doppler.ts"
import { startInfisicalVendor } from "./infisical.ts"
import { startOnePasswordVendor } from "./one-password.ts"

/** Every vendor, in the order of the demo. */
export const VENDORS: readonly StartVendor[] = [
  startAws,
  startOnePasswordVendor,
  startDopplerVendor,
  startInfisicalVendor,
  startConjurVendor,
]
