import * as z from "zod"
import { secretReference } from "../../core/secret-reference.ts"
import { isHttpsOrLoopback } from "../../core/url.ts"
import { variable } from "../variable.ts"

/**
 * GitHub gives every token of an installation an hour, whatever is asked ("Generating an installation access token for a
 * GitHub App"). A grant's time is shorter because the broker revokes the token when it is over.
 */
export const MIN_TTL_SECONDS = 60
export const MAX_TTL_SECONDS = 3_600

/** How many repositories one token can be limited to (REST API, "Create an installation access token for an app"). */
const MAX_REPOSITORIES = 500
/** GitHub knows fewer permissions than this. */
const MAX_PERMISSIONS = 100
/** Of a grant as the audit record says it, which names every repository and has an end. */
const MAX_RESOURCE_CHARACTERS = 4_096

/** An id of GitHub's: fifteen digits at most are a whole number in JSON too, which is how GitHub takes them. */
const id = (whose: string) =>
  z.string().regex(/^[1-9][0-9]{0,14}$/, `${whose} is a text of digits, such as "9001": write it in quotes`)

/** What the organisation file says of a GitHub App and the account that it is installed on. */
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
  /** The one account whose repositories grants can name. */
  owner: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, "an owner is the name of an organisation or a user, such as acme")
    .meta({ description: "The organisation or user that the App is installed on." }),
  /** Decides: a name that was given up can be taken by anybody, who can then install the App. */
  owner_id: id("an owner's id").meta({
    description: "The owner's id, in quotes: names can be taken over, ids cannot.",
  }),
  /** Another GitHub than github.com: GitHub Enterprise Server, or a ghe.com subdomain. */
  api_url: z
    .string()
    .max(256)
    .refine(isHttpsOrLoopback, "an API's URL is an https URL")
    .refine((url) => !/[?#]/.test(url), "an API's URL has no query and no fragment")
    .default("https://api.github.com")
    .meta({ description: "https://HOST/api/v3 for GitHub Enterprise Server, https://api.NAME.ghe.com for ghe.com." }),
})

export type Connection = z.infer<typeof connection>

/** A repository's name, as it stands behind the owner's. No pattern: what a token reaches is written out. */
const repository = z
  .string()
  .regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
    "a repository is its name alone, without its owner, such as shop; no pattern",
  )

const permissions = z
  .record(
    z
      .string()
      .regex(/^[a-z][a-z_]{0,63}$/, "a permission is named as in GitHub's API: small letters and _, as pull_requests"),
    z.enum(["read", "write", "admin"]),
  )
  .superRefine((all, context) => {
    const count = Object.keys(all).length
    // To GitHub none is no limit: the token would have all that the App has.
    if (count === 0) context.addIssue({ code: "custom", message: "is empty", params: { fault: "value_empty" } })
    if (count > MAX_PERMISSIONS)
      context.addIssue({ code: "custom", message: `at most ${MAX_PERMISSIONS} permissions; GitHub knows fewer` })
  })
  .meta({ description: "Permissions as GitHub's API names them: read, write or admin each.", minProperties: 1 })

/** What a policy offers of GitHub. Neither list is ever left out or empty: to GitHub that means all. */
export const grant = z
  .strictObject({
    repositories: z
      .array(repository)
      .min(1)
      .max(MAX_REPOSITORIES)
      .meta({ description: "Names of the owner's repositories, without the owner." }),
    repository_ids: z
      .array(id("a repository's id"))
      .min(1)
      .max(MAX_REPOSITORIES)
      .optional()
      .meta({ description: "The ids of these repositories, in quotes: then no other of the same name is meant." }),
    permissions,
    env: variable.optional().meta({ description: "The environment variable that the job finds the token in." }),
  })
  .superRefine((one, context) => {
    const { repository_ids: ids } = one
    if (ids !== undefined && new Set(ids).size !== namesOf(one).length) {
      const message = "there is not one id for each of repositories; the order does not matter"
      context.addIssue({ code: "custom", path: ["repository_ids"], message })
    }
    if (resourceOf(one).length > MAX_RESOURCE_CHARACTERS) {
      const message = `repositories and permissions have at most ${MAX_RESOURCE_CHARACTERS} characters together; make a second grant`
      context.addIssue({ code: "custom", path: ["repositories"], message })
    }
  })

export type Grant = z.infer<typeof grant>

/** The repositories of a grant, each once: GitHub takes names in any case for the same. A gap may repeat one. */
export const namesOf = ({ repositories }: Pick<Grant, "repositories">): readonly string[] => [
  ...new Map(repositories.map((name) => [name.toLowerCase(), name])).values(),
]

/** `contents: read`, for people. */
export const permissionsOf = ({ permissions: all }: Pick<Grant, "permissions">): readonly string[] =>
  Object.entries(all).map(([name, level]) => `${name}: ${level}`)

/** What a grant reaches, and how far: `shop, docs (contents: write)`. */
export const resourceOf = (one: Pick<Grant, "repositories" | "permissions">): string =>
  `${namesOf(one).join(", ")} (${permissionsOf(one).join(", ")})`
