// Reads with vendors' clients for Go, and prints as JSON what each step gave, or the client's own error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type settings struct {
	Mount, Path, Foreign, Role string
	Variables                  []string
	Binary, None               string
	Secret, Profile, Endpoint  string
	SleepSeconds               int
}

// steps are taken one after the other.
type steps []struct {
	name string
	take func() (any, error)
}

func main() {
	var given settings
	must(json.Unmarshal([]byte(os.Args[2]), &given))
	clients := map[string]func(settings) steps{
		"vault": vaultSteps, "conjur": conjurSteps, "aws": awsSteps, "aws-session": awsSessionSteps,
		"google-oauth2": oauth2Steps, "google-auth": authSteps,
	}
	told := map[string]any{}
	for _, step := range clients[os.Args[1]](given) {
		value, err := step.take()
		if err != nil {
			value = map[string]string{"refused": err.Error()}
		}
		told[step.name] = value
	}
	must(json.NewEncoder(os.Stdout).Encode(told))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
