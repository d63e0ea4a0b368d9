// A witness of transparency-dev: its library and its store in memory, without the database and the metrics of its own command,
// which take most of the time to compile.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/config"
	"github.com/transparency-dev/witness/omniwitness"
	"github.com/transparency-dev/witness/persistence/inmemory"
	sumdb "golang.org/x/mod/sumdb/note"
)

func main() {
	listen := flag.String("listen", "", "the address to listen on")
	keyFile := flag.String("private_key_path", "", "a file with a signing key, as Go's note package keeps it")
	logsFile := flag.String("additional_logs", "", "a YAML file with the logs to witness")
	flag.Parse()

	key, err := os.ReadFile(*keyFile)
	end(err)
	signer, err := note.NewSignerForCosignatureV1(string(key))
	end(err)
	text, err := os.ReadFile(*logsFile)
	end(err)
	given, err := omniwitness.NewStaticLogConfig(text)
	end(err)

	ctx := context.Background()
	store := inmemory.New()
	var logs []config.Log
	for one, err := range given.Logs(ctx) {
		end(err)
		logs = append(logs, one)
	}
	end(store.AddLogs(ctx, logs))
	listener, err := net.Listen("tcp", *listen)
	end(err)
	settings := omniwitness.OperatorConfig{
		WitnessKeys:     []sumdb.Signer{signer},
		WitnessVerifier: signer.Verifier(),
		Logs:            store,
	}
	end(omniwitness.Main(ctx, settings, store, listener, &http.Client{Timeout: 10 * time.Second}))
}

// end ends the program with a sentence if there is a fault.
func end(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
