import * as z from "zod"
import { secretReference } from "../../core/secret-reference.ts"
import { plainUrl } from "../service.ts"
import { variable } from "../variable.ts"

/**
 * Every installation token of GitHub lives one hour ("Generating an installation access token for a GitHub App"). A grant's
 * ttl can be shorter, because the broker then revokes the token.
 */
export const MIN_TTL_SECONDS = 60
export const MAX_TTL_SECONDS = 3_600

/** The most repositories that one token can be limited to (REST API, "Create an installation access token for an app"). */
const MAX_REPOSITORIES = 500
/** GitHub has fewer permissions than this. */
const MAX_PERMISSIONS = 100
/** The limit for a grant's text in the audit record, which names every repository and has a maximum size. */
const MAX_RESOURCE_CHARACTERS = 4_096

/** An id at GitHub. At most fifteen digits, because GitHub expects ids as JSON numbers. */
const id = (what: string) =>
  z.string().regex(/^[1-9][0-9]{0,14}$/, `${what} is a text of digits, such as "9001": write it in quotes`)

/** A GitHub App and the account that it is installed on, in the organisation file. */
export const connection = z.strictObject({
  app_id: z
    .string()
    .regex(
      /^(?:[1-9][0-9]{0,14}|Iv[A-Za-z0-9.]{6,60})$/,
      'an App\'s id is digits in quotes, "730001", or its client id, Iv23liexample',
    )
    .meta({ description: "The App's id, in quotes, or its client id." }),
  key: secretReference.meta({
    description:
      "The App's private key, PEM in PKCS#1 or PKCS#8: env:NAME of a secret that the operator sets; never the secret itself.",
  }),
  /** The only account whose repositories grants can name. */
  owner: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, "an owner must be the name of an organisation or a user, such as acme")
    .meta({ description: "The organisation or user that the App is installed on." }),
  /** The id decides: anyone can take a name that was given up, and then install the App. */
  owner_id: id("an owner's id").meta({
    description: "The owner's id, in quotes: names can be taken over, ids cannot.",
  }),
  /** Another GitHub than github.com: GitHub Enterprise Server, or a ghe.com subdomain. */
  api_url: plainUrl("an API's URL")
    .default("https://api.github.com")
    .meta({ description: "https://HOST/api/v3 for GitHub Enterprise Server, https://api.NAME.ghe.com for ghe.com." }),
})

export type Connection = z.infer<typeof connection>

/** A repository's name without its owner. Patterns are not allowed: a grant names everything that its token reaches. */
const repository = z
  .string()
  .regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
    "a repository must be named without its owner, such as shop; patterns are not allowed",
  )

const permissions = z
  .record(
    z
      .string()
      .regex(
        /^[a-z][a-z_]{0,63}$/,
        "a permission must be named as in GitHub's API: lower-case letters and _, such as pull_requests",
      ),
    z.enum(["read", "write", "admin"]),
  )
  .superRefine((all, context) => {
    const count = Object.keys(all).length
    // GitHub treats an empty map as no limit: the token would have all permissions of the App.
    if (count === 0) context.addIssue({ code: "custom", message: "is empty", params: { fault: "value_empty" } })
    if (count > MAX_PERMISSIONS)
      context.addIssue({
        code: "custom",
        message: `a grant may have at most ${MAX_PERMISSIONS} permissions; GitHub has fewer`,
      })
  })
  .meta({ description: "Permissions, named as in GitHub's API, each read, write or admin.", minProperties: 1 })

/** Not npm and Docker: GitHub's registries accept no installation tokens ("Authenticating to GitHub Packages"). */
const loginTool = z.enum(["git", "netrc"])

/** The tools that log in with the token. Their hosts follow from the connection. */
const loginTools = z.union([loginTool, z.array(loginTool).min(1)]).meta({
  description:
    "The tools that log in at GitHub with the token. No variable contains the token then, unless env names one.",
})

/** A grant for GitHub. Both lists are required and not empty, because GitHub treats a missing or empty list as all. */
export const grant = z
  .strictObject({
    repositories: z
      .array(repository)
      .min(1)
      .max(MAX_REPOSITORIES)
      .meta({ description: "Names of the owner's repositories, without the owner." }),
    repository_ids: z.array(id("a repository's id")).min(1).max(MAX_REPOSITORIES).optional().meta({
      description:
        "The ids of these repositories, in quotes, so that another repository with the same name is refused.",
    }),
    permissions,
    env: variable.optional().meta({ description: "The job's environment variable for the token." }),
    as: loginTools.optional(),
  })
  .superRefine((one, context) => {
    const { repository_ids: ids } = one
    if (ids !== undefined && new Set(ids).size !== namesOf(one).length) {
      const message = "repository_ids must have one id for each of repositories, in any order"
      context.addIssue({ code: "custom", path: ["repository_ids"], message })
    }
    if (resourceOf(one).length > MAX_RESOURCE_CHARACTERS) {
      const message = `repositories and permissions together may have at most ${MAX_RESOURCE_CHARACTERS} characters; make a second grant`
      context.addIssue({ code: "custom", path: ["repositories"], message })
    }
  })

export type Grant = z.infer<typeof grant>

/** The repositories of a grant without duplicates, which a gap may cause. GitHub ignores the case of names. */
export const namesOf = ({ repositories }: Pick<Grant, "repositories">): readonly string[] => [
  ...new Map(repositories.map((name) => [name.toLowerCase(), name])).values(),
]

/** The tools of a grant, without duplicates. */
export const toolsOf = ({ as = [] }: Pick<Grant, "as">): readonly z.infer<typeof loginTool>[] => [
  ...new Set(typeof as === "string" ? [as] : as),
]

/** The permissions as texts: `contents: read`. */
export const permissionsOf = ({ permissions: all }: Pick<Grant, "permissions">): readonly string[] =>
  Object.entries(all).map(([name, level]) => `${name}: ${level}`)

/** The repositories and permissions of a grant: `shop, docs (contents: write)`. */
export const resourceOf = (one: Pick<Grant, "repositories" | "permissions">): string =>
  `${namesOf(one).join(", ")} (${permissionsOf(one).join(", ")})`
