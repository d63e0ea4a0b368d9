import { join } from "node:path"
import { FILE_VARIABLES, PROFILE_VARIABLES, readSession, regionOf, SESSION_VALUES } from "../clouds/aws.ts"
import { commandLine } from "../clouds/command-line.ts"
import { names } from "../clouds/variables.ts"
import { ownerFile } from "../deliver/files.ts"
import { deliveryRefused } from "../failure.ts"
import { programPath } from "../runner.ts"
import type { Cloud, Login } from "./cloud.ts"

const ENDPOINT_VARIABLES = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"]

/**
 * How the command finds AWS's sessions: a single one at the endpoint that two variables name, several as one profile each. An
 * endpoint can be set for one session only, so a profile asks through `credential_process`. No profile is the default one:
 * which account a command works in must be written in the workflow.
 *
 * SDKs look into the configuration files and at the machine's own role, too. Both are put out of reach, so that a command
 * fails instead of working with credentials that were not granted.
 */
export const AWS: Cloud = {
  name: "aws",
  format: "aws-session",
  gives: "AWS session",
  scheme: "plain",
  loginValues: SESSION_VALUES,
  withheld: new Set([
    ...names(
      "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_EC2_METADATA_DISABLED",
    ),
    ...PROFILE_VARIABLES,
    ...FILE_VARIABLES,
    ...ENDPOINT_VARIABLES,
  ]),

  /** SDKs sign with a session for the minutes after they asked for it. They wait one or two seconds for an answer. */
  renewal: () => ({ below: (lifeMs) => Math.min(5 * 60_000, lifeMs / 3), answerWithinMs: 800 }),

  read(credential) {
    const session = readSession(credential)
    return { document: { ...session }, endsAt: Date.parse(session.Expiration) }
  },

  plan(logins, { folder, authorization }) {
    const [config, credentials] = [join(folder, "config"), join(folder, "credentials")]
    const common = {
      AWS_CONFIG_FILE: config,
      AWS_SHARED_CREDENTIALS_FILE: credentials,
      AWS_EC2_METADATA_DISABLED: "true",
    }
    const [only, second] = logins
    if (only !== undefined && second === undefined) {
      const [url = "", token = ""] = ENDPOINT_VARIABLES
      return {
        variables: new Map(Object.entries({ [url]: only.url, [token]: authorization, ...common })),
        files: [ownerFile(config, ""), ownerFile(credentials, "")],
        places: new Map([[only.credential.grant, [url]]]),
      }
    }
    return {
      variables: new Map(Object.entries(common)),
      files: [
        ownerFile(config, logins.map((login) => profileOf(login, folder)).join("\n")),
        ownerFile(credentials, ""),
        ...logins.map(({ credential, url }) =>
          ownerFile(questionOf(credential.grant, folder), JSON.stringify({ url, authorization })),
        ),
      ],
      places: new Map(logins.map(({ credential: { grant } }) => [grant, [`the profile ${grant} in AWS_CONFIG_FILE`]])),
    }
  },
}

const UNWRITABLE =
  "One command cannot have several AWS sessions on this runner: the path of its folders or of its Node has characters that AWS's SDKs or their shells read differently. Use one step for each session."

/** The file with which `aws-profile.js` asks for the session of a profile. */
const questionOf = (grant: string, folder: string) => join(folder, `${grant}.json`)

function profileOf({ credential }: Login, folder: string): string {
  const { grant } = credential
  const helper = programPath("aws-profile")
  // The name comes last: AWS's SDK for Go removes the first and the last quote of a value that begins and ends with one.
  const command = commandLine([process.execPath, helper, questionOf(grant, folder), grant], process.platform)
  if (command === null) throw deliveryRefused(UNWRITABLE)
  const region = regionOf(credential)
  return [
    `[profile ${grant}]`,
    `credential_process = ${command}`,
    ...(region === null ? [] : [`region = ${region}`]),
    "",
  ].join("\n")
}
