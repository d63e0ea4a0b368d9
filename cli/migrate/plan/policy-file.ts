import { isMap, parseDocument } from "yaml"
import * as z from "zod"
import { fail, ok, type Result } from "../../../broker/core/result.ts"
import type { YamlValue } from "../../init/yaml-text.ts"

/** A grant in place of secrets. */
export interface MigratedGrant {
  readonly name: string
  readonly connection: string
  /** The provider's keys, in their order. */
  readonly fields: Readonly<Record<string, YamlValue>>
}

/** Jobs of one workflow, and what they get. The name is the workflow's path. */
export interface MigratedRule {
  readonly name: string
  readonly workflowRefs: readonly string[]
  readonly events: readonly string[]
  readonly grants: readonly string[]
}

/** What a workflow gets in place of which secret. `verify` reads it. */
export interface Replacement {
  readonly workflow: string
  readonly secret: string
  readonly grant: string
}

/** The policy file that a migration writes, and reads again. */
export interface MigratedPolicy {
  /** The issuer's name, where the organisation has several. */
  readonly issuer: string | null
  readonly repository: string
  readonly repositoryId: string
  readonly environment: string | null
  readonly rules: readonly MigratedRule[]
  readonly grants: readonly MigratedGrant[]
  readonly replaced: readonly Replacement[]
}

const SCHEMA = "https://raw.githubusercontent.com/daypass/daypass/main/docs/schema/policy.schema.json"
const FIRST_LINES = [
  `# yaml-language-server: $schema=${SCHEMA}`,
  "# Written by daypass migrate, which reads it again: to change a rule or a grant, move it to another file.",
]

/** The text of the file. The same policy always has the same text. */
export function policyText(policy: MigratedPolicy): string {
  const { issuer, repository, repositoryId, environment, rules, grants, replaced } = policy
  const byKey = <Item>(items: readonly Item[], key: (item: Item) => string) =>
    [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1))
  return [
    ...FIRST_LINES,
    "# In place of secrets of GitHub's settings:",
    ...byKey(replaced, replacementLine).map(replacementLine),
    "version: 1",
    ...(issuer === null ? [] : [`issuer: ${issuer}`]),
    `repository: ${repository} # for people`,
    `repository_id: "${repositoryId}" # decides`,
    ...(environment === null ? [] : [`environment: ${JSON.stringify(environment)}`]),
    "allow:",
    ...byKey(rules, ({ name }) => name).flatMap((rule) => [
      `  - name: ${JSON.stringify(rule.name)}`,
      "    when:",
      `      workflow_ref: ${list(rule.workflowRefs)}`,
      `      event_name: ${list(rule.events)}`,
      `    grants: [${[...rule.grants].sort().join(", ")}]`,
    ]),
    "grants:",
    ...byKey(grants, ({ name }) => name).flatMap(({ name, connection, fields }) => [
      `  ${name}:`,
      `    connection: ${connection}`,
      ...Object.entries(fields).map(([key, value]) => `    ${key}: ${valueText(value)}`),
    ]),
    "",
  ].join("\n")
}

/** One line of the file about a replacement. */
export const replacementLine = ({ workflow, secret, grant }: Replacement) => `#   ${workflow}: ${grant} for ${secret}`

const list = (texts: readonly string[]) => {
  const spelt = [...texts].sort().map((text) => JSON.stringify(text))
  return spelt.length === 1 ? (spelt[0] ?? "") : `[${spelt.join(", ")}]`
}

const valueText = (value: MigratedGrant["fields"][string]) => {
  if (typeof value === "string" || typeof value === "boolean") return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((text) => JSON.stringify(text)).join(", ")}]`
  return `{ ${Object.entries(value)
    .map(([key, text]) => `${key}: ${JSON.stringify(text)}`)
    .join(", ")} }`
}

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())])
const FORM = z.object({
  version: z.literal(1),
  issuer: z.string().optional(),
  repository: z.string(),
  repository_id: z.string(),
  environment: z.string().optional(),
  allow: z.array(
    z.object({
      name: z.string(),
      when: z.object({ workflow_ref: texts, event_name: texts }),
      grants: z.array(z.string()),
    }),
  ),
  grants: z.record(z.string(), z.looseObject({ connection: z.string() })),
})
const REPLACED = /^#[ ]{3}(\S+): ([a-z][a-z0-9-]*) for ([A-Z_][A-Z0-9_]*)$/

/** Reads a file that a migration wrote. The fault is a sentence: somebody changed it, so that it cannot be written anew. */
export function readPolicy(path: string, text: string): Result<MigratedPolicy, string> {
  const document = parseDocument(text, { version: "1.2", schema: "core", prettyErrors: false })
  const parsed = FORM.safeParse(
    document.errors.length > 0 || !isMap(document.contents) ? null : document.toJS({ maxAliasCount: 0 }),
  )
  const changed = fail(
    `${path} was changed by hand, so it is not written anew: move your changes to another policy file of the environment, and restore this one`,
  )
  if (!parsed.success) return changed
  const { issuer, repository, repository_id: repositoryId, environment, allow, grants } = parsed.data
  const policy: MigratedPolicy = {
    issuer: issuer ?? null,
    repository,
    repositoryId,
    environment: environment ?? null,
    rules: allow.map(({ name, when, grants: given }) => ({
      name,
      workflowRefs: when.workflow_ref,
      events: when.event_name,
      grants: given,
    })),
    grants: Object.entries(grants).map(([name, { connection, ...fields }]) => ({
      name,
      connection,
      fields: fields as MigratedGrant["fields"],
    })),
    replaced: replacementsIn(text),
  }
  // Only a text that this writer would write: a comment of somebody's is not lost.
  return policyText(policy) === text ? ok(policy) : changed
}

/** The replacements that a policy file names in its comments. */
export function replacementsIn(text: string): readonly Replacement[] {
  return text.split("\n").flatMap((line) => {
    const [, workflow, grant, secret] = REPLACED.exec(line.trimEnd()) ?? []
    return workflow === undefined || grant === undefined || secret === undefined ? [] : [{ workflow, grant, secret }]
  })
}

/** A grant's name that stands for two things; null: there is none. One would take the other's place. */
export function ambiguousGrant(grants: readonly MigratedGrant[]): string | null {
  const known = new Map<string, string>()
  for (const { name, connection, fields } of grants) {
    const text = JSON.stringify([connection, Object.entries(fields).map(([key, value]) => [key, valueText(value)])])
    if ((known.get(name) ?? text) !== text) return name
    known.set(name, text)
  }
  return null
}

/** Adds to a policy what it lacks. What is there stays: a rule that was written for a workflow gets what its other jobs need. */
export function merged(old: MigratedPolicy | null, add: MigratedPolicy): MigratedPolicy {
  const rules = new Map(old?.rules.map((rule) => [rule.name, rule]))
  for (const rule of add.rules) {
    const known = rules.get(rule.name)
    const both = (of: (one: MigratedRule) => readonly string[]) => [...new Set([...of(known ?? rule), ...of(rule)])]
    rules.set(rule.name, {
      name: rule.name,
      workflowRefs: both(({ workflowRefs }) => workflowRefs),
      events: both(({ events }) => events),
      grants: both(({ grants }) => grants),
    })
  }
  const grants = new Map([...(old?.grants ?? []), ...add.grants].map((grant) => [grant.name, grant]))
  const replaced = new Map([...(old?.replaced ?? []), ...add.replaced].map((one) => [replacementLine(one), one]))
  return { ...add, rules: [...rules.values()], grants: [...grants.values()], replaced: [...replaced.values()] }
}
