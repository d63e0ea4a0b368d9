import { join } from "node:path"

/** The folder, in the step's, of all that `renew.js` reads and writes. No grant's name starts with a dot. */
const renewalFolder = (folder: string) => join(folder, ".renewal")

/** Where `renew.js` writes the ids of its leases, for the post step. */
export const leasesFile = (folder: string): string => join(renewalFolder(folder), "leases")

/** The folder of one grant. Its name starts with a word, because Windows reserves names such as `con`. */
export const grantFolder = (folder: string, grant: string): string => join(renewalFolder(folder), `grant-${grant}`)
