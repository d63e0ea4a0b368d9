import { ApiRefusal } from "./answer.ts"
import type { Tokens } from "./tokens.ts"

const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
const VERSION_PATH =
  /^\/v1\/projects\/([^/?#]+)\/(?:locations\/([^/?#]+)\/)?secrets\/([^/?#]+)\/versions\/([^/?#:]+):access$/
const SECRET_ID = /^[A-Za-z0-9_-]{1,255}$/
const VERSION = /^(?:[1-9][0-9]*|[A-Za-z][A-Za-z0-9_-]{0,62})$/
const MAX_PAYLOAD_BYTES = 64 * 1024

/** A project, which can be called by its id and by its number. */
export interface Project {
  readonly id: string
  readonly number: string
  /** Members with `roles/secretmanager.secretAccessor` on all of it. */
  readonly accessors?: readonly string[]
  readonly apiDisabled?: boolean
}

/** A secret with its versions, the oldest first. */
export interface StoredSecret {
  /** The project's id. */
  readonly project: string
  /** The region of a regional secret. */
  readonly location?: string
  readonly id: string
  readonly versions: readonly {
    readonly payload: string | Uint8Array
    readonly state?: "DISABLED" | "DESTROYED"
    /** From before July 2021, when versions got checksums. */
    readonly isOld?: true
  }[]
  readonly aliases?: Readonly<Record<string, number>>
  /** Members with `roles/secretmanager.secretAccessor` on it. */
  readonly accessors?: readonly string[]
}

/** Whose secrets there are, by full name without the project's. */
export interface Secrets {
  readonly projects: Map<string, Project>
  readonly secrets: StoredSecret[]
}

/** @throws {TypeError} for a secret that nobody can make */
export function assertPossible({ id, versions, aliases = {} }: StoredSecret): void {
  if (!SECRET_ID.test(id)) throw new TypeError("a secret's id has letters, digits, - and _, at most 255")
  for (const { payload } of versions) {
    const bytes = Buffer.byteLength(payload)
    if (bytes === 0 || bytes > MAX_PAYLOAD_BYTES) throw new TypeError("a payload has 1 byte to 64 KiB")
  }
  for (const [alias, version] of Object.entries(aliases)) {
    if (!/^(?!(?:latest|new)$)[a-z][a-z0-9_-]{0,62}$/i.test(alias) || versions[version - 1] === undefined)
      throw new TypeError("an alias is a word that begins with a letter, for a version that is there")
  }
}

/** What a request for a version asks for; null when the path is none. Google's clients also say in which form to answer. */
export const versionPathOf = (url: string) => VERSION_PATH.exec(url.replace(/\?(?:%24|\$)alt=json[\w%;=-]*$/, ""))

/**
 * Gives a version as `projects.secrets.versions.access` does, and `projects.locations.secrets.versions.access`. Rights
 * come first: who has none on the project is not told whether a secret is there.
 *
 * @throws {ApiRefusal}
 */
export function accessVersion(
  [, inProject = "", location, id = "", asked = ""]: RegExpExecArray,
  authorization: string | undefined,
  { projects, secrets }: Secrets,
  tokens: Tokens,
): Readonly<Record<string, unknown>> {
  const holder = tokens.holder(/^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "")
  if (!holder) throw new ApiRefusal("UNAUTHENTICATED", "Request had invalid authentication credentials.")
  if (!holder.scopes.includes(CLOUD_PLATFORM))
    throw new ApiRefusal(
      "PERMISSION_DENIED",
      "Request had insufficient authentication scopes.",
      "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    )
  const name = decodeURIComponent(inProject)
  const project = [...projects.values()].find((one) => one.id === name || one.number === name)
  if (!project)
    throw new ApiRefusal("PERMISSION_DENIED", `Permission denied on resource project ${name}.`, "CONSUMER_INVALID")
  if (project.apiDisabled)
    throw new ApiRefusal(
      "PERMISSION_DENIED",
      `Secret Manager API has not been used in project ${project.number} before or it is disabled.`,
      "SERVICE_DISABLED",
    )
  if (!SECRET_ID.test(id) || !VERSION.test(asked))
    throw new ApiRefusal("INVALID_ARGUMENT", "The provided Secret Version ID does not match the expected format.")
  const secret = secrets.find((one) => one.project === project.id && one.location === location && one.id === id)
  const accessors = [...(project.accessors ?? []), ...(secret?.accessors ?? [])]
  const full = `projects/${project.number}${location === undefined ? "" : `/locations/${location}`}/secrets/${id}`
  if (!holder.members.some((member) => accessors.includes(member)))
    throw new ApiRefusal(
      "PERMISSION_DENIED",
      `Permission 'secretmanager.versions.access' denied for resource '${full}/versions/${asked}' (or it may not exist).`,
      "IAM_PERMISSION_DENIED",
    )
  if (!secret || secret.versions.length === 0)
    throw new ApiRefusal("NOT_FOUND", `Secret [${full}] not found or has no versions.`)
  const number = asked === "latest" ? secret.versions.length : (secret.aliases?.[asked] ?? Number(asked))
  const version = secret.versions[number - 1]
  if (!version) throw new ApiRefusal("NOT_FOUND", `Secret Version [${full}/versions/${asked}] not found.`)
  if (version.state !== undefined)
    throw new ApiRefusal(
      "FAILED_PRECONDITION",
      `Secret Version [${full}/versions/${number}] is in ${version.state} state.`,
    )
  const data = Buffer.from(version.payload)
  return {
    name: `${full}/versions/${number}`,
    payload: {
      data: data.toString("base64"),
      ...(version.isOld ? {} : { dataCrc32c: String(checksumOf(data)) }),
    },
  }
}

/** CRC32C, bit by bit: nothing here has it from the code that is tested. */
export function checksumOf(data: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of data) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (0x82f63b78 & -(value & 1))
  }
  return ~value >>> 0
}
