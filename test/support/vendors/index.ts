import type { StartVendor } from "../vendor.ts"
import { startAzureVendor } from "./azure.ts"

/** Every vendor, in the order of the demo. */
export const VENDORS: readonly StartVendor[] = [startAzureVendor]
