package main

import (
	"fmt"
	"os"

	"github.com/cyberark/conjur-api-go/conjurapi"
)

func conjurSteps(given settings) steps {
	// CONJUR_APPLIANCE_URL, CONJUR_ACCOUNT, CONJUR_AUTHN_JWT_SERVICE_ID, and CONJUR_AUTHN_JWT_TOKEN, which Daypass set.
	config, err := conjurapi.LoadConfig()
	must(err)
	client := func() *conjurapi.Client {
		made, err := conjurapi.NewClientFromEnvironment(config)
		must(err)
		return made
	}
	text := func(value []byte, err error) (any, error) { return string(value), err }
	return steps{
		{"one", func() (any, error) { return text(client().RetrieveSecret(given.Variables[0])) }},
		{"batch", func() (any, error) {
			values, err := client().RetrieveBatchSecrets(given.Variables)
			told := map[string]string{}
			for id, value := range values {
				told[id] = string(value)
			}
			return told, err
		}},
		{"binary", func() (any, error) {
			values, err := client().RetrieveBatchSecretsSafe([]string{given.Binary})
			for _, value := range values {
				return fmt.Sprintf("%x", value), err
			}
			return nil, err
		}},
		{"foreign", func() (any, error) { return text(client().RetrieveSecret(given.Foreign)) }},
		{"none", func() (any, error) { return text(client().RetrieveSecret(given.None)) }},
		{"wrongJwt", func() (any, error) {
			other := config
			other.JWTContent = os.Getenv("OTHER_JWT")
			made, err := conjurapi.NewClientFromJwt(other)
			must(err)
			return text(made.RetrieveSecret(given.Variables[0]))
		}},
	}
}
