"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __esm = (fn, res, err) => function __init() {
  if (err) throw err[0];
  try {
    return fn && (res = (0, fn[__getOwnPropNames(fn)[0]])(fn = 0)), res;
  } catch (e) {
    throw err = [e], e;
  }
};
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};

// refresh/kept-file.ts
function readKept(path) {
  try {
    const file = (0, import_node_fs.openSync)(path, import_node_fs.constants.O_RDONLY | NO_FOLLOW | NO_WAIT);
    try {
      const stat = (0, import_node_fs.fstatSync)(file);
      return stat.isFile() && stat.size <= MAX_BYTES ? JSON.parse((0, import_node_fs.readFileSync)(file, "utf8")) : void 0;
    } finally {
      (0, import_node_fs.closeSync)(file);
    }
  } catch {
    return void 0;
  }
}
function replaceKept(path, value) {
  const aside = `${path}.${(0, import_node_crypto.randomUUID)()}`;
  try {
    const file = (0, import_node_fs.openSync)(aside, import_node_fs.constants.O_WRONLY | import_node_fs.constants.O_CREAT | import_node_fs.constants.O_EXCL | NO_FOLLOW, 384);
    try {
      (0, import_node_fs.writeSync)(file, JSON.stringify(value));
    } finally {
      (0, import_node_fs.closeSync)(file);
    }
    (0, import_node_fs.renameSync)(aside, path);
  } catch (thrown) {
    (0, import_node_fs.rmSync)(aside, { force: true });
    throw thrown;
  }
}
var import_node_crypto, import_node_fs, NO_FOLLOW, NO_WAIT, MAX_BYTES;
var init_kept_file = __esm({
  "refresh/kept-file.ts"() {
    "use strict";
    import_node_crypto = require("node:crypto");
    import_node_fs = require("node:fs");
    NO_FOLLOW = import_node_fs.constants.O_NOFOLLOW ?? 0;
    NO_WAIT = import_node_fs.constants.O_NONBLOCK ?? 0;
    MAX_BYTES = 256 * 1024;
  }
});

// refresh/lock.ts
function tryLock(folder) {
  const taken = locksIn(folder);
  const highest = taken.at(-1);
  if (highest !== void 0 && isHeld(pathOf(folder, highest))) return null;
  const mine = (highest ?? -1) + 1;
  try {
    const file = (0, import_node_fs2.openSync)(
      pathOf(folder, mine),
      import_node_fs2.constants.O_WRONLY | import_node_fs2.constants.O_CREAT | import_node_fs2.constants.O_EXCL | NO_FOLLOW2,
      384
    );
    (0, import_node_fs2.writeSync)(file, String(process.pid));
    (0, import_node_fs2.closeSync)(file);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") return null;
    throw thrown;
  }
  return {
    release() {
      for (const number of [...taken, mine]) (0, import_node_fs2.rmSync)(pathOf(folder, number), { force: true });
    }
  };
}
function locksIn(folder) {
  return (0, import_node_fs2.readdirSync)(folder).flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number).sort((one, other) => one - other);
}
function isHeld(path) {
  try {
    const file = (0, import_node_fs2.openSync)(path, import_node_fs2.constants.O_RDONLY | NO_FOLLOW2 | NO_WAIT2);
    try {
      const stat = (0, import_node_fs2.fstatSync)(file);
      const age = Math.abs(Date.now() - stat.mtimeMs);
      if (!stat.isFile() || stat.size > 16 || age > LONGEST_HOLD_MS) return false;
      const holder = (0, import_node_fs2.readFileSync)(file, "latin1");
      return holder === "" ? age < UNSIGNED_MS : /^[1-9][0-9]{0,9}$/.test(holder) && isAlive(Number(holder));
    } finally {
      (0, import_node_fs2.closeSync)(file);
    }
  } catch {
    return false;
  }
}
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
var import_node_fs2, import_node_path, LONGEST_HOLD_MS, UNSIGNED_MS, NAME, NO_FOLLOW2, NO_WAIT2, pathOf;
var init_lock = __esm({
  "refresh/lock.ts"() {
    "use strict";
    import_node_fs2 = require("node:fs");
    import_node_path = require("node:path");
    LONGEST_HOLD_MS = 6e4;
    UNSIGNED_MS = 2e3;
    NAME = /^lock\.(0|[1-9][0-9]{0,8})$/;
    NO_FOLLOW2 = import_node_fs2.constants.O_NOFOLLOW ?? 0;
    NO_WAIT2 = import_node_fs2.constants.O_NONBLOCK ?? 0;
    pathOf = (folder, number) => (0, import_node_path.join)(folder, `lock.${number}`);
  }
});

// refresh/current.ts
async function currentAnswer(folder, { renewBelowMs }, fetch) {
  const kept = () => asKept(readKept((0, import_node_path2.join)(folder, "kept.json")));
  const isFresh = (one) => leftOf(one) >= Math.min(renewBelowMs, Math.max(USABLE_MS, (one.expiresAt - one.receivedAt) * LONGEST_USE));
  const end = performance.now() + WAIT_MS;
  while (performance.now() < end) {
    const one = kept();
    if (one !== null && isFresh(one)) return one.answer;
    const failure = recentFailure(folder);
    if (failure !== null) return usableOr(one, failure);
    const lock = tryLock(folder);
    if (lock === null) {
      await sleep(40 + 60 * Math.random());
      continue;
    }
    try {
      const now = kept();
      if (now !== null && isFresh(now)) return now.answer;
      const failed = recentFailure(folder);
      return failed === null ? await fetchAndKeep(folder, now, fetch) : usableOr(now, failed);
    } finally {
      lock.release();
    }
  }
  throw new RefreshError(
    "broker_timeout",
    "Another process asks the broker for this credential, and has no answer yet. Run the command again."
  );
}
async function fetchAndKeep(folder, old, fetch) {
  try {
    const fetched = await fetch();
    keep((0, import_node_path2.join)(folder, "kept.json"), fetched);
    return fetched.answer;
  } catch (thrown) {
    if (!(thrown instanceof RefreshError)) throw thrown;
    const { code, message, isOwn } = thrown;
    if (!isOwn) keep((0, import_node_path2.join)(folder, "failed.json"), { at: Date.now(), code, message });
    return usableOr(old, thrown);
  }
}
function keep(path, value) {
  try {
    replaceKept(path, value);
  } catch {
  }
}
function usableOr(kept, failure) {
  if (kept !== null && leftOf(kept) >= USABLE_MS) return kept.answer;
  throw failure;
}
function recentFailure(folder) {
  const { at, code, message } = readKept((0, import_node_path2.join)(folder, "failed.json")) ?? {};
  if (typeof at !== "number" || typeof code !== "string" || typeof message !== "string") return null;
  const age = Date.now() - at;
  return age >= 0 && age < REST_AFTER_FAILURE_MS ? new RefreshError(code, message) : null;
}
function asKept(value) {
  const { receivedAt, expiresAt, answer } = value ?? {};
  if (typeof receivedAt !== "number" || typeof expiresAt !== "number" || typeof answer !== "object") return null;
  return { receivedAt, expiresAt, answer };
}
var import_node_path2, WAIT_MS, REST_AFTER_FAILURE_MS, LONGEST_USE, USABLE_MS, RefreshError, leftOf, sleep;
var init_current = __esm({
  "refresh/current.ts"() {
    "use strict";
    import_node_path2 = require("node:path");
    init_kept_file();
    init_lock();
    WAIT_MS = 45e3;
    REST_AFTER_FAILURE_MS = 1e4;
    LONGEST_USE = 0.8;
    USABLE_MS = 3e4;
    RefreshError = class extends Error {
      name = "RefreshError";
      code;
      /** True when only this process fails, because of its own environment. */
      isOwn;
      constructor(code, message, isOwn = false) {
        super(message);
        this.code = code;
        this.isOwn = isOwn;
      }
    };
    leftOf = ({ expiresAt }) => expiresAt - Date.now();
    sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
});

// refresh/exchange-again.ts
var exchange_again_exports = {};
__export(exchange_again_exports, {
  exchangeAgain: () => exchangeAgain
});
async function exchangeAgain(settings, leasesFile) {
  (0, import_runner.silenceLog)();
  requireIdTokens();
  try {
    const { asker, grant, broker, audience, ttl } = settings;
    const inputs = {
      broker,
      audience,
      grants: [grant],
      ...ttl !== void 0 && { ttl },
      parallelJobs: 1
    };
    const leases = {
      ask: (id) => note(leasesFile, `ask ${id}`),
      forget: (id) => {
        try {
          note(leasesFile, `end ${id}`);
        } catch {
        }
      }
    };
    const answer = await (0, import_exchange.exchangeForAnswer)(inputs, leases, (0, import_retry.startDeadline)(DEADLINE_MS));
    const lease = (0, import_answer.readLease)(answer);
    note(leasesFile, `got ${lease.id} ${lease.expiresAt}`);
    const [credential] = (0, import_answer.readCredentials)(answer, [grant]);
    if (credential === void 0) throw new Error("unreachable: exactly one credential was read");
    return (0, import_deliver.keptAnswer)(asker, credential);
  } catch (thrown) {
    const failure = (0, import_failure.toFailure)(thrown);
    throw new RefreshError(failure.code, `${(0, import_escape.messageForLog)(failure.message)} ${(0, import_escape.messageForLog)((0, import_advice.changeFor)(failure))}`);
  }
}
function requireIdTokens() {
  if ((0, import_runner.idTokenEndpoint)() !== null) return;
  throw new RefreshError(
    "id_token_permission_missing",
    "This process has no ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN. Add `permissions: id-token: write` to the job, and let programs that clear the environment, such as sudo, pass both variables.",
    true
  );
}
function note(path, line) {
  try {
    const file = (0, import_node_fs3.openSync)(path, import_node_fs3.constants.O_WRONLY | import_node_fs3.constants.O_APPEND | (import_node_fs3.constants.O_NOFOLLOW ?? 0));
    try {
      (0, import_node_fs3.writeSync)(file, `${line}
`);
      if ((0, import_node_fs3.statSync)(path).ino === (0, import_node_fs3.fstatSync)(file).ino) return;
    } finally {
      (0, import_node_fs3.closeSync)(file);
    }
  } catch {
  }
  throw new import_failure.ActionError("lease_not_found", "The Daypass step that gave this credential has ended.");
}
var import_node_fs3, import_advice, import_answer, import_escape, import_exchange, import_failure, import_deliver, import_retry, import_runner, DEADLINE_MS;
var init_exchange_again = __esm({
  "refresh/exchange-again.ts"() {
    "use strict";
    import_node_fs3 = require("node:fs");
    import_advice = require("./main.js");
    import_answer = require("./main.js");
    import_escape = require("./main.js");
    import_exchange = require("./main.js");
    import_failure = require("./main.js");
    import_deliver = require("./files.js");
    import_retry = require("./main.js");
    import_runner = require("./main.js");
    init_current();
    DEADLINE_MS = 3e4;
  }
});

// refresh/refresh.ts
var import_node_path3 = require("node:path");
init_current();
init_kept_file();
var WATCHDOG_MS = 55e3;
async function main(path) {
  const settings = readSettings(path);
  setTimeout(() => {
    fail(settings, new RefreshError("broker_timeout", "The broker did not answer in time. Run the command again."));
    process.exit();
  }, WATCHDOG_MS).unref();
  try {
    if (settings === null) {
      throw new RefreshError(
        "lease_not_found",
        "The files of this credential are not here: its Daypass step has ended, or this is another machine or container."
      );
    }
    const folder = (0, import_node_path3.dirname)(path);
    const answer = await currentAnswer(folder, settings, async () => {
      const { exchangeAgain: exchangeAgain2 } = await Promise.resolve().then(() => (init_exchange_again(), exchange_again_exports));
      return exchangeAgain2(settings, (0, import_node_path3.join)((0, import_node_path3.dirname)(folder), "leases"));
    });
    process.stdout.write(`${JSON.stringify(answer)}
`);
  } catch (thrown) {
    fail(settings, thrown);
  }
}
function fail(settings, thrown) {
  const { code, message } = thrown instanceof RefreshError ? thrown : ofSystem(thrown);
  if (settings?.asker === "google") {
    process.stdout.write(`${JSON.stringify({ version: 1, success: false, code, message })}
`);
    return;
  }
  process.stderr.write(`Daypass: ${code}: ${message}
`);
  process.exitCode = 1;
}
function ofSystem(thrown) {
  const code = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  if (code.startsWith("E")) {
    return new RefreshError("runner_disk", `The folder of this credential cannot be read or written (${code}).`);
  }
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
  return new RefreshError("unexpected", `Fetching this credential failed with ${kind}. Please report this.`);
}
function readSettings(path) {
  const read = readKept(path);
  const { asker, grant, broker, audience, ttl, renewBelowMs } = read ?? {};
  if (asker !== "aws" && asker !== "google") return null;
  if (typeof grant !== "string" || typeof broker !== "string" || typeof audience !== "string") return null;
  if (typeof renewBelowMs !== "number" || ttl !== void 0 && typeof ttl !== "string") return null;
  return { asker, grant, broker, audience, renewBelowMs, ...ttl !== void 0 && { ttl } };
}
void main(process.argv[2] ?? "");
