import { withLogin } from "../login.ts"
import type { MintRequest, ProviderIo } from "../provider.ts"
import type { SessionCredentials } from "./api.ts"
import { MIN_TTL_SECONDS, roleParts } from "./grant.ts"
import { openSession } from "./role-session.ts"
import type { AwsStoreSettings } from "./store-settings.ts"

/**
 * Reads with a session of the connection's role, which is the broker's own: it never leaves this instance's memory.
 *
 * As short as STS makes them. No session policy narrows it to what this exchange asks for: the role is there for reading
 * alone, the session is not handed out, and one session serves all that the jobs of a run read. A policy would make each
 * exchange log in, and 64 names do not fit into the 2,048 characters that it may have.
 *
 * @throws {BrokerError} what logging in or `use` throws
 */
export async function withSession<Result>(
  request: MintRequest<AwsStoreSettings, unknown>,
  io: ProviderIo,
  use: (session: SessionCredentials) => Promise<Result>,
): Promise<Result> {
  const { role, region, audience, session_tags, sts_endpoint: endpoint } = request.connection
  const about = { role, accounts: [roleParts(role).account], seconds: MIN_TTL_SECONDS }
  const open = () => openSession(about, { region, audience, session_tags, endpoint }, request, io)
  return await withLogin(io, `${role} ${region}`, open, use)
}
