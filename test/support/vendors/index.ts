import type { StartVendor } from "../vendor.ts"
import { startAws } from "./aws.ts"
import { startSops } from "./sops.ts"

/** Every vendor, in the order of the demo. */
export const VENDORS: readonly StartVendor[] = [startAws, startSops]
