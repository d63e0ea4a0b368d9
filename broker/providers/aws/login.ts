import { withLogin } from "../login.ts"
import type { MintRequest, ProviderIo } from "../provider.ts"
import type { SessionCredentials } from "./api.ts"
import { MIN_TTL_SECONDS, roleParts } from "./grant.ts"
import { openSession } from "./role-session.ts"
import type { AwsStoreSettings } from "./store-settings.ts"

type LoginSettings = Pick<AwsStoreSettings, "role" | "region" | "audience" | "session_tags" | "sts_endpoint">

/**
 * Calls `use` with a session of the connection's role. The session never leaves this instance's memory.
 *
 * It has the shortest lifetime that STS allows. No session policy limits it to this exchange: the role can only read, the
 * session is not handed out, and one session serves all jobs of a run. With a session policy, each exchange would need its
 * own login, and 64 names do not fit into a policy's 2,048 characters.
 *
 * @throws {BrokerError} the errors of the login and of `use`
 */
export async function withSession<Result>(
  request: Pick<
    MintRequest<LoginSettings, unknown>,
    "connection" | "identity" | "grantName" | "connectionName" | "subject"
  >,
  io: ProviderIo,
  use: (session: SessionCredentials) => Promise<Result>,
): Promise<Result> {
  const { role, region, audience, session_tags, sts_endpoint: endpoint } = request.connection
  const about = { role, accounts: [roleParts(role).account], seconds: MIN_TTL_SECONDS }
  const open = () => openSession(about, { region, audience, session_tags, endpoint }, request, io)
  return await withLogin(io, `${role} ${region}`, open, use)
}
