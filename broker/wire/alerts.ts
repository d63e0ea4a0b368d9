/** `GET`: the endpoints of alerts and the exports, with their state. */
export const ALERTS_PATH = "/v1/operate/alerts"

/** `POST`: send a test to one endpoint. */
export const testPath = (endpoint: string): string => `${ALERTS_PATH}/${endpoint}/test`

/** The answer of `GET /v1/operate/alerts`. Times are ISO 8601, UTC. */
export interface AlertsAnswer {
  readonly alerts: readonly {
    readonly name: string
    readonly url: string
    /** Messages that are not delivered yet. */
    readonly waiting: number
    /** Since when it gets nothing, because it answered 410; null: it is on. */
    readonly off_since: string | null
    readonly failing_since: string | null
    readonly delivered_at: string | null
    readonly last_failure: string | null
  }[]
  readonly exports: readonly {
    readonly name: string
    readonly kind: string
    readonly failing_since: string | null
    readonly last_failure: string | null
  }[]
}

/** The answer of the test. */
export interface TestAnswer {
  readonly delivered: boolean
  /** Why not; null when it was delivered. */
  readonly failure: string | null
}
