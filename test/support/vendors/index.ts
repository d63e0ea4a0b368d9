import type { StartVendor } from "../vendor.ts"
import { startAws } from "./aws.ts"
import { startGoogle } from "./google.ts"

/** Every vendor, in the order of the demo. */
export const VENDORS: readonly StartVendor[] = [startAws, startGoogle]
