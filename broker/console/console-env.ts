import type { OperateEnv } from "../http/operate/routing.ts"
import type { Session } from "./session.ts"

/** What a route of the console finds in its context. */
export type ConsoleEnv = OperateEnv & { Variables: { session: Session } }
