import * as z from "zod"
import { didYouMean, type FaultCode, fault, type Position, quote } from "./faults.ts"
import type { PolicyFault } from "./model.ts"
import { keyPosition, nodeAt, type YamlNode, type YamlPath } from "./yaml.ts"

/** The part of a file that was parsed with a schema. */
export interface Subject {
  readonly file: string
  readonly root: YamlNode
  /** The path from the file's root to the parsed part. */
  readonly path: YamlPath
  readonly schema: z.ZodType
  /** Further keys that are allowed at the top of the part: those that every connection or every grant has. */
  readonly commonKeys?: readonly string[]
  /** Keys of the schema that say nothing in this file, so that no hint names them. */
  readonly unspokenKeys?: readonly string[]
}

type Issue = z.core.$ZodIssue

/** Turns zod's issues into faults that say where the fault is and what to change. */
export function schemaFaults(subject: Subject, issues: readonly Issue[]): PolicyFault[] {
  return formFaults(subject, issues, subject.path)
}

function formFaults(subject: Subject, issues: readonly Issue[], path: YamlPath): PolicyFault[] {
  // A map with a misspelled key also fails the checks on the whole map. Only the spelling is reported: it is the cause.
  const misspelled = issues.filter(({ code }) => code === "unrecognized_keys").map((issue) => issue.path.join("\n"))
  return issues
    .filter((issue) => issue.code !== "custom" || !misspelled.includes(issue.path.join("\n")))
    .flatMap((issue) => issueFaults(subject, issue, [...path, ...issue.path]))
}

function issueFaults(subject: Subject, issue: Issue, path: YamlPath): PolicyFault[] {
  const { file, root } = subject
  const node = existing(root, path)
  const label = labelOf(path)
  const one = (at: Position, code: FaultCode, message: string) => [fault(file, at, code, message)]

  if (issue.code === "unrecognized_keys") {
    const common = path.length === subject.path.length ? (subject.commonKeys ?? []) : []
    const all = [...common, ...knownKeys(subject.schema, path.slice(subject.path.length))]
    const known = all.filter((key) => !subject.unspokenKeys?.includes(key))
    return issue.keys.map((key) => {
      const hint = didYouMean(key, known) || ` Known: ${known.join(", ")}.`
      return fault(
        file,
        keyPosition(root, [...path, key]),
        "key_unknown",
        `The key ${quote(key)} is unknown here.${hint}`,
      )
    })
  }
  if (node === null) {
    const key = quote(String(path.at(-1)))
    return one(nodeAt(root, path).at, "key_missing", `The required key ${key} is missing: add it.`)
  }
  if (issue.code === "invalid_key") {
    const message = issue.issues[0]?.message ?? issue.message
    return one(
      keyPosition(root, path),
      "value_invalid",
      `The key ${quote(String(path.at(-1)))} is not valid here: ${message}.`,
    )
  }
  if (node.kind === "scalar" && node.value === null) {
    return one(
      node.at,
      "value_null",
      `${label} has no value, which would match nothing: write one, or leave the key out.`,
    )
  }
  if (issue.code === "invalid_union") return unionFaults(subject, issue, path, node)
  if (issue.code === "invalid_type")
    return one(node.at, "type_wrong", `${label} ${typeMessage(node, [issue.expected])}`)
  if (issue.code === "invalid_value") {
    if (label === "version") {
      return one(
        node.at,
        "version_unsupported",
        "This broker reads only version 1: write version: 1, or update the broker.",
      )
    }
    if (issue.values.length === 1 && issue.values[0] === true) {
      return one(node.at, "value_invalid", `${label} can only be true: write true, or leave the key out.`)
    }
    const values = issue.values.map((value) => quote(String(value))).join(", ")
    const given =
      node.kind === "scalar" && typeof node.value === "string" ? didYouMean(node.value, issue.values.map(String)) : ""
    return one(node.at, "value_invalid", `${label} must be one of ${values}.${given}`)
  }
  if (issue.code === "too_small" && Number(issue.minimum) === 1 && isEmpty(node)) {
    return one(node.at, "value_empty", `${label} is empty, which would match nothing: fill it, or leave the key out.`)
  }
  if (issue.code === "custom" && issue.params?.["fault"] === "value_empty") {
    const at = path.length === 0 ? node.at : keyPosition(root, path)
    return one(at, "value_empty", `${label} is empty, which would match nothing: fill it, or leave the key out.`)
  }
  const code = issue.code === "custom" ? (issue.params?.["fault"] as FaultCode | undefined) : undefined
  return one(node.at, code ?? "value_invalid", `${label}: ${issue.message.replace(/\.$/, "")}.`)
}

/** Reports the faults of the one form that the author evidently meant; if that is unclear, lists the forms allowed. */
function unionFaults(
  subject: Subject,
  issue: z.core.$ZodIssueInvalidUnion,
  path: YamlPath,
  node: YamlNode,
): PolicyFault[] {
  const options = "options" in issue ? issue.options : undefined
  if (Array.isArray(options)) {
    // One key says which form is meant, and has none of its values.
    const values = options.map((value) => quote(String(value))).join(", ")
    return [fault(subject.file, node.at, "value_invalid", `${labelOf(path)} must be one of ${values}.`)]
  }
  const isOther = (one: Issue) => one.path.length === 0 && one.code === "invalid_type"
  const meant = issue.errors.filter((issues) => !issues.some(isOther))
  const [form] = meant
  if (form !== undefined && meant.length === 1) {
    return formFaults(subject, form, path)
  }
  const expected = issue.errors.flatMap((issues) =>
    issues.flatMap((one) => (one.code === "invalid_type" ? [one.expected] : [])),
  )
  const message = meant.length === 0 ? typeMessage(node, expected) : "has a form that is not allowed here."
  return [fault(subject.file, node.at, "type_wrong", `${labelOf(path)} ${message}`)]
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
}

function typeMessage(node: YamlNode, expected: readonly string[]): string {
  const wanted = [...new Set(expected.map((type) => TYPE_NAMES[type] ?? type))].join(" or ")
  if (node.kind !== "scalar") return `must be ${wanted}, but is a ${node.kind}.`
  const is = typeof node.value === "string" ? "a text" : typeof node.value === "number" ? "a number" : "true or false"
  if (typeof node.value !== "string" && expected.includes("string")) {
    return `must be a text, but ${node.source} is ${is}: write it in quotes: ${quote(node.source)}`
  }
  return `must be ${wanted}, but is ${is}.`
}

function isEmpty(node: YamlNode): boolean {
  if (node.kind === "map") return node.entries.size === 0
  if (node.kind === "list") return node.items.length === 0
  return node.value === ""
}

/** The node that a path leads to; null when the document has no such node. */
function existing(root: YamlNode, path: YamlPath): YamlNode | null {
  if (path.length === 0) return root
  const parent = existing(root, path.slice(0, -1))
  const last = path.at(-1)
  if (parent?.kind === "map") return parent.entries.get(String(last))?.value ?? null
  if (parent?.kind === "list") return (typeof last === "number" ? parent.items[last] : undefined) ?? null
  return null
}

/** How a message names a place: `allow[0].when.ref`, or "The file" for the root. */
function labelOf(path: YamlPath): string {
  if (path.length === 0) return "The file"
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${String(step)}`))
    .join("")
}

/** The keys that a schema allows at the end of a path. For a union, the keys of all its forms. */
export function knownKeys(schema: z.core.$ZodType, path: YamlPath): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    return knownKeys(schema.unwrap(), path)
  }
  if (schema instanceof z.ZodPipe) return knownKeys(schema.in, path)
  if (schema instanceof z.ZodUnion) {
    return [...new Set(schema.options.flatMap((option: z.core.$ZodType) => knownKeys(option, path)))]
  }
  const [step, ...rest] = path
  if (step === undefined) return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  if (schema instanceof z.ZodObject) return knownKeys(schema.shape[String(step)] ?? z.unknown(), rest)
  if (schema instanceof z.ZodRecord) return knownKeys(schema.valueType, rest)
  if (schema instanceof z.ZodArray) return knownKeys(schema.element, rest)
  return []
}
