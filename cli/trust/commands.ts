import { shellWord as word } from "../shell-word.ts"
import { byDoor, jobWords, poolProviderOf, type Side } from "./side.ts"
import { credentialOf, GOOGLE_MAPPING, googleConditionOf, googleMemberOf, trustPolicyOf, vaultRoleOf } from "./text.ts"

/**
 * The commands of each vendor's own command line that make it trust the broker for these grants. A command for what is there
 * already fails, and changes nothing. What the role, account or client may do is the reader's to add.
 */
export function commandLines(sides: readonly Side[], broker: string): readonly string[] {
  return sides
    .filter(({ usesTokens, subjects }) => usesTokens && subjects.length > 0)
    .flatMap((side) => [
      `# ${side.connection.name} (provider ${side.connection.provider})`,
      ...side.subjects.map((one) => `# ${jobWords(one)}`),
      ...COMMANDS[side.vendor](side, broker),
      ...side.open.map(({ subjects }) => `# Subjects that cannot be listed: ${subjects}. --format text says more.`),
      "",
    ])
}

type Commands = (side: Side, broker: string) => readonly string[]

/** A role's longest session is an hour by default, as AWS has it: a grant for longer needs a role that allows it. */
const aws: Commands = (side, broker) => {
  const audiences = [...new Set(side.subjects.flatMap((one) => one.audiences))]
  return [
    "# Once for each account. For a provider that exists, leave this command out.",
    `aws iam create-open-id-connect-provider --url ${word(broker)} --client-id-list ${audiences.map(word).join(" ")}`,
    ...[...byDoor(side.subjects)].map(([door, those]) => {
      const { path, name } = roleParts(door)
      const policy = word(JSON.stringify(trustPolicyOf(door, those, side, broker)))
      return `aws iam create-role --role-name ${word(name)}${path === "/" ? "" : ` --path ${word(path)}`} --assume-role-policy-document ${policy}`
    }),
  ]
}

function roleParts(door: string | null): { readonly path: string; readonly name: string } {
  const [, path = "/", name = "ROLE"] = /:role(\/(?:.*\/)?)([^/]+)$/.exec(door ?? "") ?? []
  return { path, name }
}

const google: Commands = (side, broker) => {
  const [, project = "PROJECT", pool = "POOL", provider = "PROVIDER"] =
    /^projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(
      poolProviderOf(side.connection) ?? "",
    ) ?? []
  const at = `--project ${word(project)} --location global`
  return [
    `gcloud services enable iam.googleapis.com sts.googleapis.com iamcredentials.googleapis.com --project ${word(project)}`,
    "# Once for each project. For a pool and a provider that exist, change the condition: update-oidc takes the same options.",
    `gcloud iam workload-identity-pools create ${word(pool)} ${at}`,
    `gcloud iam workload-identity-pools providers create-oidc ${word(provider)} ${at} --workload-identity-pool ${word(pool)} --issuer-uri ${word(broker)} --attribute-mapping ${word(GOOGLE_MAPPING)} --attribute-condition ${word(googleConditionOf(side).condition)}`,
    ...[...byDoor(side.subjects)].flatMap(([account, those]) =>
      those.map((one) =>
        account === null
          ? `# Bind what the job may use to the member ${googleMemberOf(one, side)}`
          : `gcloud iam service-accounts add-iam-policy-binding ${word(account)} --role roles/iam.workloadIdentityUser --member ${word(googleMemberOf(one, side))}`,
      ),
    ),
  ]
}

const azure: Commands = ({ subjects }, broker) =>
  subjects.map(
    (one) =>
      `az ad app federated-credential create --id ${word(one.door ?? "CLIENT_ID")} --parameters ${word(JSON.stringify(credentialOf(one, broker)))}`,
  )

const vault: Commands = ({ subjects }, broker) => [
  "# Once for each Vault. Where the auth method is enabled already, leave the first command out.",
  "vault auth enable jwt",
  `vault write auth/jwt/config oidc_discovery_url=${word(broker)} bound_issuer=${word(broker)}`,
  "# Add token_policies: what the role may do.",
  ...[...byDoor(subjects)].map(
    ([role, those]) =>
      `echo ${word(JSON.stringify(vaultRoleOf(those)))} | vault write auth/jwt/role/${word(role ?? "ROLE")} -`,
  ),
]

const oidc: Commands = ({ subjects }, broker) =>
  subjects.map(
    ({ audiences, subject }) =>
      `# Trust the issuer ${broker}, the audience ${audiences.join(" or ")} and the subject ${subject}`,
  )

const COMMANDS: Readonly<Record<Side["vendor"], Commands>> = { aws, google, azure, vault, oidc }
