import type { Provider } from "../provider.ts"
import {
  audienceOf,
  type Connection,
  ceilingFaultOf,
  conflictOf,
  connection,
  type Grant,
  grant,
  MAX_TTL_SECONDS,
  MIN_TTL_SECONDS,
} from "./grant.ts"
import { openSession, SUBJECT_LIMIT } from "./role-session.ts"

/** Temporary credentials of an AWS role, for the broker's identity token. No AWS key is stored. */
export const aws: Provider<Connection, Grant> = {
  name: "aws",
  summary: "credentials of an AWS role, by AssumeRoleWithWebIdentity",
  ends: "expires",
  connection,
  grant,
  check: conflictOf,
  checkCeiling: ceilingFaultOf,
  minTtlSeconds: MIN_TTL_SECONDS,
  maxTtlSeconds: MAX_TTL_SECONDS,

  audiences: (settings) => ({ presented: [audienceOf(settings)] }),
  subjectLimit: () => SUBJECT_LIMIT,

  resource: (wanted) => wanted.role,

  async mint(request, io) {
    const { connection: settings, grant: wanted, ttlSeconds } = request
    const { value: session, endsAt } = await openSession(
      { ...wanted, accounts: settings.accounts, seconds: ttlSeconds },
      { ...settings, audience: audienceOf(settings) },
      request,
      io,
    )
    return {
      // Without a format, the job's side hands the values over, and nothing else.
      ...(wanted.as === undefined && { format: "aws-session" as const }),
      values: {
        "access-key-id": { value: session.accessKeyId, env: "AWS_ACCESS_KEY_ID", recorded: "id" },
        "secret-access-key": { value: session.secretAccessKey, env: "AWS_SECRET_ACCESS_KEY" },
        "session-token": { value: session.sessionToken, env: "AWS_SESSION_TOKEN", recorded: "fingerprint" },
        region: { value: settings.region, env: "AWS_REGION" },
        "default-region": { value: settings.region, env: "AWS_DEFAULT_REGION" },
        "account-id": { value: session.account },
      },
      expiresAt: endsAt,
      revocation: "expires-only",
    }
  },
}
