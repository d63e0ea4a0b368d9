import type { ArgumentDeclaration, OptionTable } from "./declaration.ts"

// Options and arguments that several commands have in common, with the same words everywhere.

/** Where policies are when a command line does not say it. */
export const POLICY_FOLDER = "policies"

/** The policy folder as an argument. */
export const FOLDER: ArgumentDeclaration = {
  name: "DIR",
  words: "the policy folder",
  optional: true,
  preset: POLICY_FOLDER,
}

/** The output formats of every command that reads policies. */
export const FORMAT_OPTIONS = {
  format: {
    value: "NAME",
    words: "how the result is printed; github annotates the lines of a pull request",
    choices: ["text", "json", "github"],
    preset: "text",
  },
  json: { words: "the same as --format json" },
} as const satisfies OptionTable

export const JSON_OPTION = { json: { words: "prints one JSON object" } } as const satisfies OptionTable

/** The CIs whose tokens can be meant, and a person's login. */
export const SOURCE_NAMES = [
  "github",
  "gitlab",
  "buildkite",
  "circleci",
  "bitbucket",
  "azure-devops",
  "hcp-terraform",
  "spacelift",
  "semaphore",
  "jenkins",
  "variable",
  "kubernetes",
  "login",
] as const

const BROKER = { value: "URL", words: "the broker's origin; by default $DAYPASS_BROKER" }

const CALLER_OPTIONS = {
  ttl: { value: "TIME", words: "a shorter lifetime than the policy's: 90s, 15m, 1h" },
  audience: { value: "TEXT", words: "the broker's audience, if it is not its origin" },
  timeout: { value: "TIME", words: "for the calls to the broker together", preset: "60s" },
  source: {
    value: "NAME",
    words: "the CI whose token is meant, when there are several; login for a person's own",
    choices: SOURCE_NAMES,
  },
  "token-file": { value: "FILE", words: "a file with the job's ID token; - for standard input" },
  "token-variable": { value: "NAME", words: "a variable with the job's ID token" },
} as const satisfies OptionTable

/** What `exec` and `token` have in common. */
export const CLIENT_OPTIONS = {
  broker: BROKER,
  grants: { value: "NAMES", words: "the grants that are needed, separated by commas" },
  local: { words: "decides on this machine, without any network, and records in your own folder" },
  policies: { value: "DIR", words: "the policy folder, for --local", preset: POLICY_FOLDER },
  ...CALLER_OPTIONS,
} as const satisfies OptionTable

/** What every command has that acts on a broker as an operator. */
export const OPERATOR_OPTIONS = {
  broker: BROKER,
  grant: { value: "NAME", words: "the grant of the provider broker that gives you the right", preset: "operator" },
  ...CALLER_OPTIONS,
} as const satisfies OptionTable

/** The options with which a command signs in at the broker that its record is of. */
const { broker: _, ...signIn } = OPERATOR_OPTIONS
export const SIGN_IN_OPTIONS: Omit<typeof OPERATOR_OPTIONS, "broker"> = signIn

/** The part of a record that is meant. */
export const WINDOW_OPTIONS = {
  since: { value: "TIME", words: "from then on: an age such as 90d or 12h, or a day such as 2026-11-01" },
  until: { value: "TIME", words: "before then" },
} as const satisfies OptionTable

/** What a record can be, for the text about a command. */
export const RECORD_WORDS = `A record is a file of "daypass audit export", a folder that a broker exports to, - for standard input,
or the URL of a broker, where you are an operator with the right audit.read.`

export const AS_OPERATOR_WORDS = `A person signs in first, with "daypass login --broker URL". In a job, the job's own token counts.`
