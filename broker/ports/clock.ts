/**
 * The current time. A port, so that tests of expiry need no sleep, and one decision uses one reading of the clock.
 *
 * The wall clock can be set forward and back while the broker runs. So it only answers what other systems ask: when a token
 * or a credential ends. How old something in memory is, is answered by `elapsed`.
 */
export interface Clock {
  now(): Date
  /**
   * Whole milliseconds since some moment before the start of this instance. It never goes back and never jumps. Two readings can
   * be compared within one instance only. workerd has no such clock and derives it from the platform's wall clock.
   */
  elapsed(): number
}
