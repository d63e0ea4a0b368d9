import type { CommandDeclaration, OptionTable } from "./declaration.ts"
import { JSON_OPTION, POLICY_FOLDER, RECORD_WORDS, SIGN_IN_OPTIONS, WINDOW_OPTIONS } from "./shared.ts"

// Commands that leave static secrets behind: find them, replace them, verify, import.

const REPOSITORY = { name: "OWNER/REPO", words: "the repository on GitHub" } as const
const EXCESS = "takes one repository, as OWNER/REPO"
const TOKEN_WORDS = `The token for GitHub is in $GITHUB_TOKEN or $GH_TOKEN; "gh auth token" prints one.`
const POLICIES = { policies: { value: "DIR", words: "the policy folder", preset: POLICY_FOLDER } } as const
const ENVIRONMENT = {
  environment: { value: "NAME", words: "the environment that is meant; left out: jobs that run in no environment" },
} as const

const survey: CommandDeclaration = {
  name: "migrate survey",
  summary: "list static secrets: names, ages, uses, and what each becomes",
  about: `Lists the static secrets of an organisation, a repository or a checkout: their names and ages, every use in workflows, and
what each becomes: a role, a grant, a value in a store, or nothing. Says the share of repositories and jobs without static
secrets. It never sees a value.

It asks GitHub about an organisation or a repository. ${TOKEN_WORDS} For a folder with one or more checkouts it uses no network.`,
  takes: [{ name: "WHAT", words: "an organisation, a repository as OWNER/REPO, or a folder as ./NAME" }],
  options: {
    since: { value: "FILE", words: "compares with an earlier survey: the file of its --json" },
    ...JSON_OPTION,
  },
  exits: {
    0: "done",
    1: "done, and something was not seen: the output says what",
    2: "the arguments are wrong, or GitHub gave no answer",
  },
  examples: ["daypass migrate survey acme --json > survey.json", "daypass migrate survey ./shop"],
  page: "migrate.md",
  load: async () => (await import("../migrate/survey.ts")).run,
}

/** What `plan` and `apply` have in common. */
const PLAN_OPTIONS = {
  ...ENVIRONMENT,
  broker: { value: "URL", words: "the broker, for the new steps; by default $DAYPASS_BROKER" },
  action: {
    value: "SHA",
    words:
      "the full commit SHA of the daypass action, for the new steps; by default that of this version's release, which github.com is asked for",
  },
  ...POLICIES,
  local: { value: "DIR", words: "reads the workflows of this checkout, in place of GitHub's default branch" },
  store: { value: "NAME", words: "the connection of the store; needed unless daypass.yaml has exactly one of sops" },
  locator: { value: "TEXT", words: "where the store has a value, with {name} for the secret's name" },
  with: {
    value: "PROVIDER.FIELD=VALUE",
    words:
      "drafts the grant of a provider that the environment has none of: aws.role, google.service_account, github.repositories with github.permission, vault.role; PROVIDER.connection where there are several",
    repeated: true,
  },
  "repository-id": { value: "ID", words: "the repository's id; GitHub is asked when it is left out" },
  branch: { value: "NAME", words: "the default branch; GitHub is asked when it is left out" },
  ...JSON_OPTION,
} as const satisfies OptionTable

const plan: CommandDeclaration = {
  name: "migrate plan",
  summary: "show how an environment's jobs would get their credentials by policy",
  about: `Shows how the jobs of one environment would get their credentials by policy: the policy file, the changed workflows as a patch,
and every place that stays as it is, with the reason. Comments and layout are kept. It writes nothing.

With --local, --repository-id, --branch and --action it uses no network. ${TOKEN_WORDS}`,
  takes: [REPOSITORY],
  options: PLAN_OPTIONS,
  excess: EXCESS,
  exits: {
    0: "done",
    1: "the policy folder has errors, or would have with the plan",
    2: "the arguments are wrong, or something cannot be read",
  },
  examples: [
    "daypass migrate plan acme/shop --environment staging --broker https://daypass.example.com --with aws.role=shop-deploy",
  ],
  page: "migrate.md",
  load: async () => (await import("../migrate/plan.ts")).run,
}

const apply: CommandDeclaration = {
  name: "migrate apply",
  summary: "write the policy, and open the pull request with the changed workflows",
  about: `Does what "daypass migrate plan" shows: writes the policy file into the policy folder, and the changed workflows on a new branch of
the repository, with a pull request; or with --local into the checkout. What is done already is not done again. Publish the policies
before you merge the pull request: before, the jobs would be denied.

${TOKEN_WORDS} It needs the permissions contents, workflows and pull requests, all write.`,
  takes: [REPOSITORY],
  options: PLAN_OPTIONS,
  excess: EXCESS,
  exits: {
    0: "done, or there is nothing to do",
    1: "the policy folder has errors, or would have with the plan",
    2: "the arguments are wrong, or something cannot be read or written",
  },
  examples: [
    "daypass migrate apply acme/shop --environment staging --broker https://daypass.example.com --with aws.role=shop-deploy",
  ],
  page: "migrate.md",
  load: async () => (await import("../migrate/apply.ts")).run,
}

const verify: CommandDeclaration = {
  name: "migrate verify",
  summary: "say by the record which old secrets can be deleted",
  about: `Says of every secret that was replaced whether each workflow has got the grant in its place, by the record of the broker. When all
have, it names the command that deletes the old secret. Nothing is deleted without --delete.

${RECORD_WORDS}`,
  takes: [REPOSITORY],
  options: {
    ...ENVIRONMENT,
    record: { value: "FILE|URL", words: "the record, or the URL of a broker. Required" },
    ...POLICIES,
    ...WINDOW_OPTIONS,
    delete: {
      words: "has GitHub delete these secrets, after a look that no workflow on the default branch names them",
    },
    ...JSON_OPTION,
    ...SIGN_IN_OPTIONS,
  },
  excess: EXCESS,
  exits: {
    0: "every old secret can be deleted, or is",
    1: "some are still waited for, or were kept",
    2: "the arguments are wrong, or something cannot be read",
  },
  examples: ["daypass migrate verify acme/shop --environment staging --record record.jsonl"],
  page: "migrate.md",
  load: async () => (await import("../migrate/verify.ts")).run,
}

const imported: CommandDeclaration = {
  name: "migrate import",
  summary: "encrypt dotenv and git-crypt files as SOPS, and carry over octo-sts policies",
  about: `Writes the values of dotenv files, of other text files, or of a checkout's files under git-crypt (unlocked by their owner) into one
new SOPS file, encrypted for public keys of age. No value is written in the clear, and none is printed.

Files named NAME.sts.yaml are trust policies of octo-sts: they become policies, each exactly or not at all. ${TOKEN_WORDS}

It never overwrites a file, and leaves the old files as they are.`,
  takes: [{ name: "PATH", words: "files, or a checkout with git-crypt", repeated: true }],
  options: {
    into: { value: "FILE", words: "the new file, which ends in .sops.yaml" },
    age: { value: "KEYS", words: "public keys of age, separated by commas; by default those of .sops.yaml" },
    repository: { value: "OWNER/REPO", words: "for octo-sts: the repository that has the trust policies" },
    policies: { value: "DIR", words: "for octo-sts: the policy folder", preset: POLICY_FOLDER },
  },
  forms: ["PATH... --into FILE [--age KEYS]", "NAME.sts.yaml... --repository OWNER/REPO [--policies DIR]"],
  exits: {
    0: "written",
    1: "a file exists already, or something cannot be carried over",
    2: "the arguments are wrong, or a file cannot be read",
  },
  examples: ["daypass migrate import .env.production --into policies/secrets/acme/shop/production.sops.yaml"],
  page: "migrate.md",
  load: async () => (await import("../migrate/import.ts")).run,
}

export const MIGRATE_COMMANDS: readonly CommandDeclaration[] = [survey, plan, apply, verify, imported]
