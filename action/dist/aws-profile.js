"use strict";
"use strict";

// aws-profile.ts
var import_node_fs = require("node:fs");
var import_node_http = require("node:http");
var { url, authorization } = JSON.parse((0, import_node_fs.readFileSync)(process.argv[2] ?? "", "utf8"));
var call = (0, import_node_http.get)(url ?? "", { headers: { authorization: authorization ?? "" } }, (response) => {
  let text = "";
  response.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  response.on("end", () => {
    if (response.statusCode !== 200) return fail(`Daypass has no AWS session now (HTTP ${response.statusCode}).`);
    const { Token: SessionToken, ...session } = JSON.parse(text);
    process.stdout.write(`${JSON.stringify({ Version: 1, ...session, SessionToken })}
`);
  });
});
call.on("error", () => fail("The Daypass step that gave this profile has ended."));
function fail(sentence) {
  process.exitCode = 1;
  process.stderr.write(`${sentence}
`);
}
