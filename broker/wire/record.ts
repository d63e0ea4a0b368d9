/** The paths under which operators read the record. */
export const LEDGERS_PATH = "/v1/operate/ledgers"
export const SEARCH_PATH = "/v1/operate/audit/search"
export const EXPORT_PATH = "/v1/operate/audit/export"

/** One JSON text a line. */
export const MEDIA_TYPE_LINES = "application/jsonl"

/** The members of a search's query, as the command line and the console send them. All compare whole texts. */
export const SEARCH_TERMS = {
  unit: "unit",
  unit_id: "unitId",
  owner: "owner",
  owner_id: "ownerId",
  actor: "actor",
  actor_id: "actorId",
  grant: "grant",
  connection: "connection",
  resource: "resource",
  code: "code",
  event: "event",
  lease: "lease",
  run: "run",
  fingerprint: "fingerprint",
  request_id: "requestId",
} as const

/** Records of one answer at most. */
export const SEARCH_LIMIT = 500
