/** Names, for a list of them that reads well in the source. */
export const names = (text: string): ReadonlySet<string> => new Set(text.split(" "))

type Environment = Readonly<Record<string, string | undefined>>

/** Those of these variables that the job has, and that are not empty: tools take an empty one as absent. */
export const setIn = (environment: Environment, wanted: Iterable<string>): readonly string[] =>
  [...wanted].filter((name) => (environment[name] ?? "") !== "")
