import { type StoredParameter, shownParameter } from "./parameters.ts"
import type { Permissions } from "./permissions.ts"
import { StoreRefusal } from "./refusal.ts"

const INPUTS = ["Path", "Recursive", "WithDecryption", "MaxResults", "NextToken"]
const PATH = /^\/$|^(?:\/[A-Za-z0-9_.-]+){1,14}\/?$/
/** As AWS's limit, and its default. */
const MAX_RESULTS = 10

/**
 * GetParametersByPath: a page of the parameters below a path, those of its own level only unless the caller wants all. The
 * caller needs the permission on the path and what is below it. Real pages may have fewer parameters than asked for, even
 * none, before the last one: here the second page of every path is empty.
 */
export function getParametersByPath(
  input: Readonly<Record<string, unknown>>,
  parameters: ReadonlyMap<string, StoredParameter>,
  { prefix, permissions }: { readonly prefix: string; readonly permissions: Permissions },
): object {
  const { Path: path, Recursive: recursive = false, WithDecryption: decrypt = false } = input
  const { MaxResults: most = MAX_RESULTS, NextToken: token } = input
  if (Object.keys(input).some((key) => !INPUTS.includes(key)))
    throw new StoreRefusal("ValidationException", "GetParametersByPath has no such parameter")
  if (typeof path !== "string" || !PATH.test(path))
    throw new StoreRefusal("ValidationException", "The parameter path must be a fully qualified name.")
  if (typeof recursive !== "boolean" || typeof decrypt !== "boolean")
    throw new StoreRefusal("ValidationException", "Recursive and WithDecryption are booleans")
  if (typeof most !== "number" || !Number.isInteger(most) || most < 1 || most > MAX_RESULTS)
    throw new StoreRefusal("ValidationException", "Member must have value less than or equal to 10")
  const folder = path.endsWith("/") ? path : `${path}/`
  const arnOf = (name: string) => `${prefix}parameter/${name.replace(/^\//, "")}`
  permissions.demand("ssm:GetParametersByPath", arnOf(folder.slice(0, -1)))

  const [from, isEmpty] = positionOf(token, folder)
  const below = [...parameters.values()]
    .filter(({ name }) => name.startsWith(folder) && (recursive || !name.slice(folder.length).includes("/")))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const page = isEmpty ? [] : below.slice(from, from + most)
  const next = from + page.length
  return {
    Parameters: page.map((parameter) =>
      shownParameter(parameter, parameter.versions.length - 1, { arn: arnOf(parameter.name), decrypt, permissions }),
    ),
    ...(next < below.length ? { NextToken: tokenFor(folder, next, from === 0 && !isEmpty) } : {}),
  }
}

/** A token says where its page begins, and belongs to one path. AWS's are opaque. */
const tokenFor = (folder: string, from: number, isEmpty: boolean) => btoa(JSON.stringify([folder, from, isEmpty]))

function positionOf(token: unknown, folder: string): readonly [from: number, isEmpty: boolean] {
  if (token === undefined) return [0, false]
  try {
    const [of, from, isEmpty] = JSON.parse(atob(String(token))) as [string, number, boolean]
    if (of === folder && Number.isInteger(from)) return [from, isEmpty]
  } catch {
    // The same refusal as for any other text.
  }
  throw new StoreRefusal("ValidationException", "The specified token is not valid.")
}
