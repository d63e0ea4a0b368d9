import type { lintSource } from "@secretlint/core"

type Rule = Extract<
  Parameters<typeof lintSource>[0]["options"]["config"]["rules"][number]["rule"],
  { readonly messages: unknown }
>

/** A literal that looks like a secret. It holds no text of the literal. */
export interface Literal {
  /** Of the rule that found it: `github/GITHUB_TOKEN`. */
  readonly rule: string
  /** Its place in the text, in UTF-16 units; `end` is behind it. */
  readonly at: number
  readonly end: number
}

export interface Content {
  readonly text: string
  /** With its extension: some rules are for files of one name. Nothing is read from there. */
  readonly path: string
}

/** Secrets of our connections that @secretlint does not know. */
const OWN_RULES: readonly (readonly [rule: string, pattern: RegExp])[] = [
  // With its beginning: a frame alone is in many programs, which read keys.
  ["private-key", /-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY-----(?:\\[nr]|\s){1,8}[A-Za-z0-9+/]{16}/g],
  ["age-identity", /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{10,}/g],
  ["json-web-token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g],
  ["vault-token", /\bhv[sbr]\.[A-Za-z0-9_-]{24,}/g],
  ["doppler-token", /\bdp\.(?:pt|st|ct|sa|scim|audit|said)\.[A-Za-z0-9._-]{20,}/g],
]

/** As a rule of the linter, so that its control comments are for our rules, too. */
const ownRule: Rule = {
  messages: {},
  meta: { id: "daypass", type: "scanner", recommended: false, supportedContentTypes: ["text"] },
  create: (context) => ({
    file({ content }) {
      for (const [messageId, pattern] of OWN_RULES) {
        for (const { index, 0: found } of content.matchAll(pattern)) {
          context.report({ message: { messageId, message: "", data: {} }, range: [index, index + found.length] })
        }
      }
    },
  }),
}

/** Names where things are, and opens nothing. */
const NO_SECRETS: readonly string[] = ["aws/AWSAccountID"]

/**
 * Literals that look like secrets, in the order of their places, each place once: by @secretlint's recommended rules and a few
 * of ours. The linter's comments (`secretlint-disable-line`, ...) silence it.
 */
export async function literalsIn({ text, path }: Content): Promise<readonly Literal[]> {
  const { lintSource } = await import("@secretlint/core")
  const { creator } = await import("@secretlint/secretlint-rule-preset-recommend")
  const { messages } = await lintSource({
    source: { content: text, filePath: path, ext: /\.[^./\\]+$/.exec(path)?.[0] ?? "", contentType: "text" },
    options: {
      noPhysicFilePath: true,
      config: {
        rules: [
          { id: "recommended", rule: creator },
          { id: "daypass", rule: ownRule },
        ],
      },
    },
  })
  // Their messages have the secrets in them.
  const found = messages.map(({ range: [at, end], messageId, ruleId }) => ({
    rule: `${ruleId.replace(/^.*secretlint-rule-/, "")}/${messageId}`,
    at,
    end,
  }))
  const secrets = found.filter(({ rule }) => !NO_SECRETS.includes(rule)).sort((a, b) => a.at - b.at)
  // Two rules may match the same text. The linter's comes first, and knows more of it.
  return secrets.filter(({ at }, place) => place === 0 || at >= (secrets[place - 1]?.end ?? 0))
}

/**
 * Disables the linter's own control comments: they would silence it for all that follows in a text that is made of several, and the
 * author of a secret could write one. The replacement has the same length, so that offsets stay valid.
 */
export const unsilenced = (text: string) => text.replace(/secretlint/gi, "secretl1nt")
