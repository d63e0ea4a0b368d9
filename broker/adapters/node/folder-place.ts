import { readdirSync, readlinkSync, realpathSync } from "node:fs"
import { join, sep } from "node:path"
import { isReadName } from "../../core/policy/policy-input.ts"

/**
 * The link that Kubernetes swaps in a mounted ConfigMap, Secret or projected volume. It points to a hidden folder with the
 * whole new state. The visible names are links through it.
 */
const MOUNT_LINK = "..data"

/** Where the files of a policy folder really are. */
export interface FolderPlace {
  /** The real path of the folder whose files are read. */
  readonly path: string
  /** The real path of the folder itself: the same, except for a mount of Kubernetes. */
  readonly outer: string
  /** Files that cannot be read with the others. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[]
}

/**
 * Follows the links to a policy folder: `current -> releases/42`, and the `..data` of a mount of Kubernetes.
 *
 * Of such a mount, the folder behind `..data` is read and not the visible names: Kubernetes swaps `..data` first and then
 * adds the visible names of new files, so a `deny` that moved to a new file would be missing in between.
 *
 * @throws {Error} the error of `node:fs`, when the folder or its link leads nowhere
 */
export function placeOf(folder: string): FolderPlace {
  const outer = realpathSync(folder)
  if (linkIn(outer, MOUNT_LINK) === null) return { path: outer, outer, refused: [] }
  const path = realpathSync(join(outer, MOUNT_LINK))
  if (!isInside(path, outer)) return { path: outer, outer, refused: [{ path: MOUNT_LINK, reason: OUTSIDE }] }
  return { path, outer, refused: besideMount(outer) }
}

export const isInside = (path: string, root: string) => path.startsWith(root + sep)

function besideMount(outer: string): FolderPlace["refused"] {
  return readdirSync(outer, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith(".") && (isReadName(entry.name) || !entry.isFile()))
    .filter(({ name }) => !linkIn(outer, name)?.startsWith(`${MOUNT_LINK}/`))
    .map(({ name }) => ({ path: name, reason: BESIDE }))
}

/** The text of a symlink; null for anything else. */
function linkIn(folder: string, name: string): string | null {
  try {
    return readlinkSync(join(folder, name))
  } catch (error) {
    // EINVAL: there is something, and it is not a link.
    const code = error instanceof Error && "code" in error ? error.code : null
    if (code === "EINVAL" || code === "ENOENT") return null
    throw error
  }
}

const OUTSIDE = "The link ..data points outside of the folder: mount the ConfigMap with its own ..data."
const BESIDE = "This stands beside a mounted ConfigMap and is not part of it: add it to the ConfigMap, or remove it."
