import { titleOf } from "../secrets/kinds.ts"
import { type Remedied, revokeFirst, whatOf } from "./words.ts"

const SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
const PAGE = "https://github.com/daypass/daypass/blob/main/docs/scan.md"

/** SARIF 2.1.0 (OASIS), for code scanning. Without snippets, which are the secrets. */
export function sarifOf(found: readonly Remedied[]): object {
  const rules = [...new Set(found.map(({ hit }) => hit.rule))]
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "daypass scan",
            informationUri: PAGE,
            rules: rules.map((id) => ({
              id,
              shortDescription: { text: titleOf(id) },
              helpUri: PAGE,
              defaultConfiguration: { level: "error" },
              properties: { tags: ["security"], "security-severity": "8.0" },
            })),
          },
        },
        results: found.map((one) => resultOf(one, rules)),
      },
    ],
  }
}

function resultOf({ hit, remedy }: Remedied, rules: readonly string[]) {
  const { rule, path, line, column } = hit
  const todo = [...remedy.commands, ...(remedy.policy === null ? [] : [remedy.policy])].join("\n")
  return {
    ruleId: rule,
    ruleIndex: rules.indexOf(rule),
    level: "error",
    message: { text: `${whatOf(hit)}. ${revokeFirst(hit)} ${remedy.advice}\n${todo}` },
    locations: [
      {
        physicalLocation: {
          // A relative reference (RFC 3986), as section 3.4.3 asks.
          artifactLocation: { uri: path.toWellFormed().split("/").map(encodeURIComponent).join("/") },
          ...(line !== undefined && {
            region: { startLine: line, ...(column !== undefined && { startColumn: column }) },
          }),
        },
      },
    ],
  }
}
