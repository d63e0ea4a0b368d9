/** The time. A port, so that tests of expiry need no sleep and nothing reads the clock twice for one decision. */
export interface Clock {
  now(): Date
}
