/**
 * A workflow command as one line of the log, with its line break: `::name key=value,key=value::data`. The runner reads it from
 * stdout. What could end the data or a property is percent-encoded, so no text becomes a second command.
 *
 * Source: ActionCommand.cs of actions/runner. Written here instead of using GitHub's client: that loads two more of Node's
 * modules at each start, and writes to stdout once for each command.
 */
export function workflowCommand(
  name: string,
  data: string,
  properties: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const pairs = Object.entries(properties).filter(([, value]) => value !== undefined && value !== "")
  const list = pairs.map(([key, value]) => `${key}=${escapeProperty(String(value))}`).join(",")
  return `::${name}${list === "" ? "" : ` ${list}`}::${escapeData(data)}\n`
}

const escapeData = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")

const escapeProperty = (text: string) => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C")
