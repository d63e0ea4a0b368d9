import type { StartVendor } from "../vendor.ts"

/** Every vendor, in the order of the demo. */
export const VENDORS: readonly StartVendor[] = []
