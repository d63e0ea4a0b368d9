/** `GET`: the connections that can be asked about. `POST`: ask the other side of one of them. */
export const DOCTOR_PATH = "/v1/operate/doctor"

/**
 * What the answer of a connection's other side proves about its trust in the broker.
 *
 * - `trusted`: it knows the broker, and refused only the subject, which no policy gives
 * - `too_open`: it let in a subject that no policy gives
 * - `not_trusted`: it does not know the broker, or cannot verify its tokens: no exchange through the connection works
 * - `reachable`: it answers, and does not say why it refused
 * - `unreachable`: it does not answer, or fails
 * - `unknown`: its answer proves nothing
 */
export const TRUST_STATES = ["trusted", "too_open", "not_trusted", "reachable", "unreachable", "unknown"] as const
export type TrustState = (typeof TRUST_STATES)[number]

/** The answer of `GET`. */
export interface DoctorAnswer {
  readonly connections: readonly {
    readonly name: string
    readonly provider: string
    /** False where there is nobody to ask: the provider makes no call of its own. */
    readonly can_be_asked: boolean
  }[]
}

/** The body of `POST`. */
export interface DoctorRequest {
  /** The connection's name in the organisation file. */
  readonly connection: string
}

/** The answer of `POST`. */
export interface TrustAnswer {
  readonly connection: string
  readonly provider: string
  readonly findings: readonly {
    /** Whom the finding is about: an account, a client, a role, a service. */
    readonly about: string
    readonly state: TrustState
    /** What it means and, where something is wrong, what to change. No text of the other side. */
    readonly detail: string
  }[]
}
