/** The current time. A port, so that tests of expiry need no sleep, and one decision uses one reading of the clock. */
export interface Clock {
  now(): Date
}
