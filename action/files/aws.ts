import { join } from "node:path"
import type { Credential } from "../answer.ts"
import { readSession, SESSION_VALUES, type Session } from "../aws-session.ts"
import type { PlannedFile } from "../deliver/files.ts"
import { ActionError } from "../failure.ts"
import { commandLine } from "./command-line.ts"
import { amongThem, type FilesContext, listed, NOTHING, ownerFile, type ToolPlan } from "./planned.ts"
import { planRenewable, valueNamed } from "./renewable.ts"

/**
 * Sessions that live shorter are not fetched again: botocore asks again when less than 15 minutes are left, so a session of
 * 15 minutes would start the helper at each signing. The minute is what passed since the broker's answer.
 */
const RENEWED_FROM_MS = 29 * 60_000
const KEY = /^[\x21-\x7e]+$/
const REGION = /^[a-z0-9-]{1,64}$/
/** Variables from which SDKs take other credentials before they look at a profile. */
const RIVALS = ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"]
const PROFILE_VARIABLES = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]
const REGION_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"]
const FILE_VARIABLES = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]

/**
 * Writes AWS's configuration files with one profile for each session, named as the grant. No profile is the default one. A
 * single profile is selected by variables; of several, each command must name its own.
 */
export function planAwsFiles(credentials: readonly Credential[], context: FilesContext): ToolPlan {
  const sessions = credentials.filter(({ format }) => format === "aws-session")
  if (sessions.length === 0) return NOTHING
  const profiles = sessions.map((session) => planProfile(session, context))
  const [only] = sessions.length === 1 ? sessions : []
  const at = (name: string) => join(context.folder, "aws", name)
  return {
    files: [
      ownerFile(at("config"), profiles.map(({ config }) => config).join("\n")),
      ownerFile(at("credentials"), profiles.flatMap(({ keys }) => keys ?? []).join("\n")),
      ...profiles.flatMap(({ files }) => files),
    ],
    variables: new Map([
      ["AWS_CONFIG_FILE", at("config")],
      ["AWS_SHARED_CREDENTIALS_FILE", at("credentials")],
      // SDKs for Go of version 1 and for JavaScript of version 2 read the configuration file only then.
      ["AWS_SDK_LOAD_CONFIG", "1"],
      // botocore reads the older name first, and JavaScript's SDK knows only the newer one.
      ...(only === undefined ? [] : PROFILE_VARIABLES.map((name) => [name, only.grant] as const)),
    ]),
    rest: new Map(sessions.map((session) => [session.grant, withoutSession(session, sessions.length > 1)])),
    places: new Map(
      profiles.map(({ grant, fixed }) => [
        grant,
        [`the profile ${grant} in aws/config${fixed === null ? ` (fetched again before it ends)` : ""}`],
      ]),
    ),
    notes: notesOf(profiles, only),
    warnings: warningsOf(profiles, only, context.environment),
  }
}

interface Profile {
  readonly grant: string
  /** The profile's section in the configuration file. */
  readonly config: string
  /** The section in the credentials file of a session that is not fetched again. */
  readonly keys: string | null
  readonly files: readonly PlannedFile[]
  /** Why it is not fetched again. */
  readonly fixed: "short" | "path" | null
}

function planProfile(credential: Credential, context: FilesContext): Profile {
  const { grant } = credential
  const session = readSession(credential)
  const region = valueNamed(credential, "region")
  const renewable = planRenewable(credential, "aws", context.folder, context.inputs)
  const command = commandLine([context.node, context.helper, renewable.path], context.platform)
  const isShort = Date.parse(session.Expiration) - Date.now() < RENEWED_FROM_MS
  const fixed = isShort ? "short" : command === null ? "path" : null
  const lines = [
    `[profile ${grant}]`,
    ...(fixed === null ? [`credential_process = ${command}`] : []),
    ...(REGION.test(region) ? [`region = ${region}`] : []),
    "",
  ]
  return {
    grant,
    config: lines.join("\n"),
    keys: fixed === null ? null : keysOf(grant, session),
    files: fixed === null ? renewable.files : [],
    fixed,
  }
}

/** @throws {ActionError} `delivery_refused` for a key with which the file would say something else */
function keysOf(grant: string, { AccessKeyId, SecretAccessKey, Token }: Session): string {
  if (![AccessKeyId, SecretAccessKey, Token].every((text) => KEY.test(text))) {
    throw new ActionError("delivery_refused", `The session of ${grant} has characters that no AWS key has.`)
  }
  return [
    `[${grant}]`,
    `aws_access_key_id = ${AccessKeyId}`,
    `aws_secret_access_key = ${SecretAccessKey}`,
    `aws_session_token = ${Token}`,
    "",
  ].join("\n")
}

/** What stays besides the session. Of several regions each is in its profile only: a variable would hold for all. */
function withoutSession(credential: Credential, isOneOfSeveral: boolean): Credential {
  const isKept = ({ name, env }: Credential["values"][number]) =>
    !SESSION_VALUES.has(name) && env !== undefined && !(isOneOfSeveral && REGION_VARIABLES.includes(env))
  return { ...credential, values: credential.values.filter(isKept) }
}

function notesOf(profiles: readonly Profile[], only: Credential | undefined): readonly string[] {
  const named = (wanted: Profile["fixed"]) => profiles.filter(({ fixed }) => fixed === wanted).map(({ grant }) => grant)
  const [renewed, short, path] = [named(null), named("short"), named("path")]
  const names = profiles.map(({ grant }) => grant)
  return [
    only === undefined
      ? `AWS programs of later steps choose one of the profiles ${listed(names)}, for example with AWS_PROFILE.`
      : `AWS programs of later steps use the profile ${only.grant}.`,
    "AWS programs of later steps do not read ~/.aws: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name files of this step.",
    ...(renewed.length === 0
      ? []
      : [
          `AWS programs of later steps fetch ${listed(renewed)} again before a session ends. The log cannot mask what they fetch. Actions that run in Docker cannot fetch, because this runner's Node is not there.`,
        ]),
    ...(short.length === 0
      ? []
      : [
          `AWS programs of later steps do not fetch ${listed(short)} again: the session lives less than 30 minutes. Give the grant a ttl of 30m or more, or use the input \`run\`.`,
        ]),
    ...(path.length === 0
      ? []
      : [
          `AWS programs of later steps do not fetch ${listed(path)} again: the path of this runner's folders or of its Node has characters that AWS's SDKs read differently.`,
        ]),
  ]
}

function warningsOf(
  profiles: readonly Profile[],
  only: Credential | undefined,
  environment: FilesContext["environment"],
): readonly string[] {
  const names = profiles.map(({ grant }) => grant)
  const rivals = amongThem(RIVALS, environment)
  const profile = only === undefined ? amongThem(PROFILE_VARIABLES, environment) : []
  const region = only === undefined ? amongThem(REGION_VARIABLES, environment) : []
  const replaced = amongThem(FILE_VARIABLES, environment)
  return [
    ...(rivals.length === 0
      ? []
      : [
          `This job has ${listed(rivals)}. Most AWS SDKs take credentials from there, and not from the profile ${listed(names)}. Remove it from the job.`,
        ]),
    ...(profile.length === 0
      ? []
      : [
          `This job has ${listed(profile)}, which selects a profile that is not ${names.join(" or ")}. Remove it, or set it in each step.`,
        ]),
    ...(region.length === 0
      ? []
      : [`This job has ${listed(region)}, which AWS's SDKs use in place of the region of each profile.`]),
    ...(replaced.length === 0
      ? []
      : [`${listed(replaced)} of this job is replaced: later steps do not find the profiles of that file.`]),
  ]
}
