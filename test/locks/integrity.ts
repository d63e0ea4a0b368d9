/** Entries of a package-lock.json that npm would install without comparing a hash, by their path in it. */
export function entriesWithoutIntegrity(lock: unknown): readonly string[] {
  const packages = memberOf(lock, "packages")
  if (typeof packages !== "object" || packages === null)
    return ["(no list of packages: lockfileVersion 2 or 3 is needed)"]
  return Object.entries(packages).flatMap(([path, entry]) => (needsHash(path, entry) && !hasHash(entry) ? [path] : []))
}

/**
 * The root, workspaces and links are folders of the checkout. What a package brings in its own archive is covered by the
 * hash of that archive.
 */
function needsHash(path: string, entry: unknown): boolean {
  return path.includes("node_modules/") && memberOf(entry, "link") !== true && memberOf(entry, "inBundle") !== true
}

/** SHA-512 (W3C Subresource Integrity). npm takes any of several hashes, so a weaker one beside it would be enough. */
function hasHash(entry: unknown): boolean {
  const integrity = memberOf(entry, "integrity")
  return typeof integrity === "string" && /^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
