/** What the case tells a program besides its environment: names and addresses, as one JSON argument. */
export const settings = JSON.parse(process.argv[2] ?? "{}")

/**
 * Takes the steps one after the other, and prints as JSON what each gave, or the client's own error.
 * @param {Record<string, () => Promise<unknown>>} steps
 */
export async function tell(steps) {
  const told = {}
  for (const [name, step] of Object.entries(steps)) {
    try {
      told[name] = await step()
    } catch (error) {
      // Each client has its own member for the vendor's code or status. Doppler's has the answer's body as detail.
      const code = error.code ?? error.status ?? error.statusCode
      const says = typeof error.detail === "object" ? JSON.stringify(error.detail) : error.message
      told[name] = { refused: [error.name, code, says].filter((part) => part !== undefined).join(" ") }
    }
  }
  process.stdout.write(JSON.stringify(told))
}
