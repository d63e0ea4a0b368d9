/** The URL of a text; null when it is none. `URL.parse`, which Node 20 lacks. */
export const parseUrl = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)
