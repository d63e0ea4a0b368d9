import { join } from "node:path"
import type { Credential } from "../answer.ts"
import {
  FILE_VARIABLES,
  KEY_VARIABLE,
  PROFILE_VARIABLES,
  REGION_VARIABLES,
  readSession,
  regionOf,
  SESSION_VALUES,
  type Session,
} from "../clouds/aws.ts"
import { commandLine } from "../clouds/command-line.ts"
import { besidesLogin } from "../clouds/login.ts"
import { setIn } from "../clouds/variables.ts"
import { ownerFile, type PlannedFile } from "../deliver/files.ts"
import { deliveryRefused } from "../failure.ts"
import { listed } from "../words.ts"
import { type FilesContext, NOTHING, RENEWED, type ToolPlan } from "./planned.ts"
import { planRenewable } from "./renewable.ts"

/**
 * Sessions that live shorter are not renewed: botocore asks again when less than 15 minutes are left, so a session of
 * 15 minutes would start the helper at each signing. The minute is what passed since the broker's answer.
 */
const RENEWED_FROM_MS = 29 * 60_000
const KEY = /^[\x21-\x7e]+$/
/** Variables from which SDKs take other credentials before they look at a profile. */
const RIVALS = [KEY_VARIABLE, "AWS_WEB_IDENTITY_TOKEN_FILE"]

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
      ...(only === undefined ? [] : PROFILE_VARIABLES.map((name) => [name, only.grant] as const)),
    ]),
    rest: new Map(
      sessions.map((session) => [session.grant, besidesLogin(session, SESSION_VALUES, sessions.length > 1)]),
    ),
    places: new Map(
      profiles.map(({ grant, fixed }) => [
        grant,
        [`the profile ${grant} in aws/config${fixed === null ? RENEWED : ""}`],
      ]),
    ),
    renewed: named(profiles, null),
    notes: notesOf(profiles, only),
    warnings: warningsOf(profiles, only, context.environment),
  }
}

interface Profile {
  readonly grant: string
  /** The profile's section in the configuration file. */
  readonly config: string
  /** The section in the credentials file of a session that is not renewed. */
  readonly keys: string | null
  readonly files: readonly PlannedFile[]
  /** Why it is not renewed; null when it is. */
  readonly fixed: "short" | "path" | null
}

function planProfile(credential: Credential, context: FilesContext): Profile {
  const { grant } = credential
  const session = readSession(credential)
  const region = regionOf(credential)
  const renewable = planRenewable(credential, "aws", context.folder, context.inputs)
  const command = commandLine([context.node, context.helper, renewable.path], context.platform)
  const isShort = Date.parse(session.Expiration) - Date.now() < RENEWED_FROM_MS
  const fixed = isShort ? "short" : command === null ? "path" : null
  const lines = [
    `[profile ${grant}]`,
    ...(fixed === null ? [`credential_process = ${command}`] : []),
    ...(region === null ? [] : [`region = ${region}`]),
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
    throw deliveryRefused(`The session of ${grant} has characters that no AWS key has.`)
  }
  return [
    `[${grant}]`,
    `aws_access_key_id = ${AccessKeyId}`,
    `aws_secret_access_key = ${SecretAccessKey}`,
    `aws_session_token = ${Token}`,
    "",
  ].join("\n")
}

/** The grants of the profiles that are not renewed for this reason; of those that are, for null. */
const named = (profiles: readonly Profile[], why: Profile["fixed"]): readonly string[] =>
  profiles.filter(({ fixed }) => fixed === why).map(({ grant }) => grant)

function notesOf(profiles: readonly Profile[], only: Credential | undefined): readonly string[] {
  const [short, path] = [named(profiles, "short"), named(profiles, "path")]
  const use =
    only === undefined
      ? `choose one of the profiles ${listed(profiles.map(({ grant }) => grant))}, for example with AWS_PROFILE`
      : `use the profile ${only.grant}`
  return [
    `AWS programs of later steps ${use}. They do not read ~/.aws: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name files of this step.`,
    ...(short.length === 0
      ? []
      : [
          `Later steps cannot renew ${listed(short)}: the session lives less than 30 minutes. Give the grant a ttl of 30m or more, or use the input \`run\`.`,
        ]),
    ...(path.length === 0
      ? []
      : [
          `Later steps cannot renew ${listed(path)}: the path of this runner's folders or of its Node has characters that AWS's SDKs read differently.`,
        ]),
  ]
}

function warningsOf(
  profiles: readonly Profile[],
  only: Credential | undefined,
  environment: FilesContext["environment"],
): readonly string[] {
  const names = profiles.map(({ grant }) => grant)
  const rivals = setIn(environment, RIVALS)
  const profile = only === undefined ? setIn(environment, PROFILE_VARIABLES) : []
  const region = only === undefined ? setIn(environment, REGION_VARIABLES) : []
  const replaced = setIn(environment, FILE_VARIABLES)
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
