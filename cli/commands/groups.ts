/** What the commands of a group have in common: the first word of their names. */
export const GROUPS: Readonly<Record<string, string>> = {
  alerts: "see who is told of events, and try it",
  audit: "verify, search, export and report the record",
  keys: "show and change the broker's keys",
  ledger: "move a broker's ledger",
  migrate: "replace static secrets, one environment at a time",
}
